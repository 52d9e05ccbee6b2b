"""The weights that ship: NAME.safetensors beside NAME.json, the card that tells their origin."""

from pathlib import Path

WEIGHTS = Path(__file__).parent

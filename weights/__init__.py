"""The weights that ship: NAME.safetensors beside NAME.json, the card that says how they came to be."""

from pathlib import Path

WEIGHTS = Path(__file__).parent

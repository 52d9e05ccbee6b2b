"""What every command and `Detector()` take where nobody says otherwise. Chosen on validation."""

from weights import WEIGHTS

CONFIDENCE = 0.25  # a box below it is not shown
LEAST_ASKED, MOST_ASKED = 0.05, 0.95  # what a live picture may be asked for while it is shown
LABEL_CONFIDENCE = 0.5  # a label below it is "unknown"
GRID, HEAD = "grid", "vgg-worn"  # of the shipped weights
GRID_FILE, HEAD_FILE = (WEIGHTS / f"{name}.safetensors" for name in (GRID, HEAD))
GRID_STATE = "last.pt"  # in the folder of a grid's training: what a stopped one goes on from

"""The live window: what a camera sees, with boxes and labels, while it happens."""

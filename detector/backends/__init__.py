"""What runs the detector's networks: torch, or a library that compiles them for this machine."""

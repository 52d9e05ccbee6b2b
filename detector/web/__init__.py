"""The live page: a browser sends frames, or watches, and gets boxes and labels."""

"""Files in, files out: what is read, and what is written beside it."""

"""Photos of clothes that people wear: read from a folder, cut out, and put together to scenes."""

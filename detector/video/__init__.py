"""Files, cameras and streams in; files out."""

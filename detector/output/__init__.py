"""What a user gets to see of detections: drawn frames, JSON lines, a sheet, a window, a summary."""

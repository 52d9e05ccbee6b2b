"""The commands, most of them in a file of their name. Each imports what is heavy itself."""

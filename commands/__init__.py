"""The commands, by what they are about. What is heavy is imported inside a command."""

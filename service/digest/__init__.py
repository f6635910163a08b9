"""What one reader gets this time: the value, and how it is chosen. Pure."""

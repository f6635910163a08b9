"""Who they are, what they agreed to, when they read. Pure."""

"""What a paper is, and when two are the same. Pure."""

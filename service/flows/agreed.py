"""What a reader agreed to, as it is kept with their consent."""

WORDING = "2026-11"
"""Version of the words a reader agrees to; kept with the consent."""

"""Which facts of a paper begin at which source; what is told second hand never replaces them. Pure.

A kind names its facts on its adapter; ``papers/refresh`` says what follows from it.
"""

ANNOUNCED = frozenset(("title", "abstract", "authors", "categories", "announced_on", "abs", "pdf"))
"""What arXiv's announcements say first hand; their day is not the day of a version."""

RECORDED = (ANNOUNCED - {"announced_on"}) | frozenset(
    ("published_on", "updated_at", "note", "licence", "withdrawn")
)
"""What arXiv's records (API, OAI) say first hand: also the dates and the comment."""

LISTED = frozenset(
    ("votes", "comments", "organisation", "summary_line", "code", "project", "discuss")
)
"""What a community's list says first hand of papers that are published elsewhere."""

"""Text to query."""

from service.matching.query import Query


def parse_query(text: str) -> Query:
    """Read ``text`` in the query language; raises QueryError."""
    raise NotImplementedError


def parse_keywords(text: str) -> Query:
    """Read a list of plain keywords; raises QueryError."""
    raise NotImplementedError


def parse_people(text: str) -> Query:
    """Read one author's name per line; raises QueryError."""
    raise NotImplementedError


def read_words(text: str) -> Query:
    """Read a form's text: keywords, or a query when it holds operators; raises QueryError."""
    raise NotImplementedError


def describe(query: Query) -> str:
    """One line for people: "Any of: LoRA · PEFT", or the bracketed query."""
    raise NotImplementedError


def to_text(query: Query) -> str:
    """The text that, read again in the same kind, gives the same query."""
    raise NotImplementedError

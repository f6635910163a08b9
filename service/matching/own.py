"""A reader's own papers left out of what they asked for."""

import re
from dataclasses import replace

from service.errors import Sentence
from service.matching.document import Document
from service.matching.names import is_person
from service.matching.query import And, Not, Person, Query, QueryError
from service.matching.show import show
from service.matching.terms import make_person

_BETWEEN = re.compile(r"[;；\r\n]+")


def own_people(names: str) -> tuple[Person, ...]:
    """The authors of these names (semicolons or lines between them).

    Raises QueryError: no name, or one that cannot be read.
    """
    found: dict[object, Person] = {}
    for item in _BETWEEN.split(names):
        name = " ".join(item.replace('"', " ").split())
        if name:
            person = make_person(name, names.index(item) + 1)
            if person.prefix or len(person.parts) < 2:
                raise QueryError(
                    Sentence("'%(name)s' is not a whole name.", name=name),
                    next_step=Sentence("Write it as it stands on your papers, like Ana Silva."),
                )
            found.setdefault(person.parts, person)
    if not found:
        raise QueryError(
            Sentence("The name on your papers is missing."),
            next_step=Sentence("Write it as it stands on your papers, like Ana Silva."),
        )
    return tuple(found.values())


def without_own(query: Query, names: str) -> Query:
    """The query without papers of these names; "" leaves it as it is. Raises QueryError."""
    if not names:
        return query
    root = query.root
    parts = root.parts if isinstance(root, And) else (root,)
    made = And(tuple(dict.fromkeys((*parts, *map(Not, own_people(names))))))
    return replace(query, root=made, shown=show(made))


def is_own(names: str, document: Document) -> bool:
    """Whether one of these names stands among a paper's authors, in any of its usual forms."""
    return any(
        is_person(person, author.parts)
        for person in (own_people(names) if names else ())
        for author in document.people
    )

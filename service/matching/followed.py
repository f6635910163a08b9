"""One line of the field *People*: a name as printed on papers, an organisation, or a query of one.

What a line may be:

    Ana Silva                          every paper of hers
    org: Example University            every paper of theirs, where the source names them
    au:"Wei Zhang" AND diffusion       of a name that many have, the papers with a word
"""

import re
from collections.abc import Callable

from service.matching.blots import mask
from service.matching.faults import find_operator
from service.matching.query import Node, Person, Query, Term
from service.matching.show import show
from service.matching.terms import make_leaf, make_person

_LED = re.compile(r"\s*(au|author|org|organi[sz]ation)\s*:\s*", re.IGNORECASE)
_QUERY = re.compile(r"\b(?:au|author|org|organi[sz]ation)\s*:", re.IGNORECASE)


def read_line(line: str, offset: int, parse: Callable[[str], Query]) -> Node | None:
    """What is followed by one line; None for a blank one.

    offset: characters before the line, for positions of faults · parse: of the query language.
    Raises QueryError.
    """
    led = _LED.match(line)
    rest = line[led.end() :] if led else line
    if _QUERY.search(mask(line)) and (find_operator(rest) or not led):
        return parse(" " * offset + line).root
    name = " ".join(rest.replace('"', " ").split())
    if not name:
        return parse(" " * offset + line).root if led else None
    position = offset + (led.end() if led else 0) + 1
    if led and led[1].lower().startswith("org"):
        return make_leaf(name, "org", exact=False, distance=None, position=position)
    return make_person(name, position)


def same(node: Node) -> object:
    """Equal for lines that follow the same."""
    if isinstance(node, Person):
        return node.parts, node.prefix
    if isinstance(node, Term):
        return tuple(word.key for word in node.words), node.field
    return show(node)

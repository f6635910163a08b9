"""What papers carry beside their text: people, categories, source, organisation, identifiers.

Each is a list of slots (see shelf), kept by its words; nothing is taken out of the lists, so who
asks leaves out the papers that are gone.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise

from service.matching.document import Document
from service.matching.evaluate import find_leaf, is_in
from service.matching.names import is_person
from service.matching.query import Category, Identifier, Near, Person, Term
from service.text.tokens import Folded

NO_TEXT = Folded()


class Labels:
    """Slots by label."""

    def __init__(self) -> None:
        self._names: dict[str, list[tuple[int, tuple[str, ...]]]] = {}
        self._texts: dict[str, dict[str, list[int]]] = {"cat": {}, "source": {}, "org": {}}
        self._ids: dict[str, list[int]] = {}

    def note(self, slot: int, document: Document) -> None:
        """Take in a paper's labels; its text is not looked at."""
        for author in document.people:
            parts = author.parts
            pairs = (one + other for one, other in pairwise(parts))
            for part in {*parts, *pairs}:
                self._names.setdefault(part, []).append((slot, parts))
        document.__dict__.pop("people", None)
        for category in set(document.categories):
            self._texts["cat"].setdefault(category, []).append(slot)
        self._texts["source"].setdefault(document.source_text, []).append(slot)
        self._texts["org"].setdefault(document.organisation, []).append(slot)
        for value in document.ids:
            self._ids.setdefault(value, []).append(slot)

    def slots(self, leaf: Term | Near | Category | Identifier | Person) -> Iterable[int]:
        """The slots whose paper carries the label; a term or near is one of source or org."""
        match leaf:
            case Term() | Near():
                return self._by_text(leaf)
            case Category():
                return self._in_category(leaf)
            case Identifier():
                return self._ids.get(leaf.value, ())
            case Person():
                return self._by_person(leaf)

    def _by_text(self, leaf: Term | Near) -> Iterator[int]:
        for text, slots in self._texts[leaf.field].items():
            if text and find_leaf(leaf, _with_text(leaf.field, text)):
                yield from slots

    def _in_category(self, leaf: Category) -> Iterator[int]:
        for category, slots in self._texts["cat"].items():
            if is_in(leaf, category):
                yield from slots

    def _by_person(self, person: Person) -> set[int]:
        if person.prefix:
            keys = [key for key in self._names if key.startswith(person.parts[0])]
        else:
            keys = list({person.parts[0], person.parts[-1]})
        return {
            slot
            for key in keys
            for slot, parts in self._names.get(key, ())
            if is_person(person, parts)
        }


def _with_text(field: str, text: str) -> Document:
    if field == "source":
        return Document(title=NO_TEXT, abstract=NO_TEXT, source_text=text)
    return Document(title=NO_TEXT, abstract=NO_TEXT, organisation=text)

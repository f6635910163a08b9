"""The root of the error tree, and the sentences that errors say.

PaperpostError                 anything a person can cause and mend
├── SettingError               settings: a value an operator gave
├── sources.*Error             a capture, a feed or a parameter
├── delivery.*Error            a template, a header
├── flows.*Error               an act that is refused (wrong number, paused, ...)
└── SpokenError                whatever may reach a reader's page: said in the reader's language
    ├── matching.query.QueryError  a query or keyword list that cannot be read
    ├── subscribers.*Error     an address, a zone, an hour, a link
    └── flows, pages: what a reader's own act runs into

Errors end in ``Error``, carry their data as attributes, live in the room that raises them and
know no HTTP code. Each says three things: what is wrong, where, and what to do next.
"""

from collections.abc import Mapping
from datetime import date


class Sentence(str):
    """An English sentence, filled in, that remembers how it was made, so that it can be translated.

    A plain string to everybody (logs, JSON, the command line); a door that knows the reader's
    language says it by ``Texts.said``. ``message`` is what catalogs hold, a literal with
    ``%(name)s`` in it; ``values`` are put in after translation: numbers and dates as the language
    writes them, other sentences translated, texts as they are.
    """

    message: str
    many: str
    n: int
    values: Mapping[str, object]

    def __new__(cls, message: str, /, **values: object) -> "Sentence":
        made = super().__new__(cls, _filled(message, values))
        made.message, made.many, made.n, made.values = message, "", 0, values
        return made

    def again(self, **values: object) -> "Sentence":
        """The same sentence with other values for some of its names."""
        return Sentence(self.message, **{**self.values, **values})


def counted(one: str, many: str, n: int, /, **values: object) -> Sentence:
    """Return the sentence for ``n`` things; ``%(num)s`` is their number."""
    made = Sentence(one if n == 1 else many, num=n, **values)
    made.message, made.many, made.n = one, many, n
    return made


def quoted(text: str) -> Sentence:
    """Return what somebody typed, in the quotes of the reader's language, controls escaped."""
    return Sentence("'%(text)s'", text=repr(text)[1:-1])


def _filled(message: str, values: Mapping[str, object]) -> str:
    plain = {name: _plain(value) for name, value in values.items()}
    return message % plain if plain else message


def _plain(value: object) -> str:
    if isinstance(value, date):
        return f"{value.day} {value:%B %Y}"
    return f"{value:,}" if isinstance(value, int) else str(value)


class PaperpostError(Exception):
    """A fault that a person can mend.

    what: one sentence, what is wrong.
    where: the field, row, character or setting ("" when the sentence says it).
    next_step: what to do now ("" when the sentence says it).
    """

    def __init__(self, what: str, where: str = "", next_step: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.next_step = next_step

    def __str__(self) -> str:
        where = f" ({self.where})" if self.where else ""
        step = f" {self.next_step}" if self.next_step else ""
        return f"{self.what}{where}{step}"


class SpokenError(PaperpostError):
    """A fault that a reader may be shown: what it says can be translated.

    where: a name of ours (a form's field), never words for the reader.
    """

    def __init__(self, what: Sentence, where: str = "", next_step: Sentence | None = None) -> None:
        super().__init__(what, where, next_step if next_step is not None else "")


class SettingError(PaperpostError):
    """An operator's setting cannot be used; ``where`` is its full name."""

"""The root of the error tree.

PaperpostError                 anything a person can cause and mend
├── SettingError               settings: a value an operator gave
├── matching.query.QueryError  a query or keyword list that cannot be read
├── sources.*Error             a capture, a feed or a parameter
├── subscribers.*Error         an address, a zone, an hour
├── delivery.*Error            a template, a header
└── flows.*Error               an act that is refused (wrong number, paused, ...)

Errors end in ``Error``, carry their data as attributes, live in the room that raises them and
know no HTTP code. Each says three things: what is wrong, where, and what to do next.
"""


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


class SettingError(PaperpostError):
    """An operator's setting cannot be used; ``where`` is its full name."""

"""One line of the doctor."""

from dataclasses import dataclass
from typing import Literal

from service.errors import PaperpostError

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Check:
    """One line. next_step: what to do, "" when all is well."""

    name: str
    level: Level
    says: str
    next_step: str = ""

    def row(self) -> dict[str, str]:
        return {"check": self.name, "state": self.level, "says": self.says, "next": self.next_step}


def failed(name: str, error: PaperpostError) -> Check:
    """An error in its three parts, as a line."""
    where = f" ({error.where})" if error.where else ""
    return Check(name, "fail", f"{error.what}{where}", error.next_step)

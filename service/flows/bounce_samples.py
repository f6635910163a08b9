"""Mails whose meaning a person decided: samples by which the rules are tested again."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from service.flows import bounces
from service.flows.bounces import BounceError, Sample
from service.flows.exports import note_export
from service.flows.runtime import Runtime
from service.reports.read import read_report

EXPECTED = "expected.jsonl"
"""One object a mail: file, class (what was decided), rcpts, decided_by, decided_at."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A decided mail, read again. name: of the file, or its number · decided: a kind · reads: the
    kinds and reasons that the rules of today say, one a recipient."""

    name: str
    decided: str
    reads: tuple[tuple[str, str], ...]

    @property
    def agrees(self) -> bool:
        """Whether the rules say of each recipient what the person said of the mail."""
        return {kind for kind, _reason in self.reads} == {self.decided}

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self) | {"agrees": self.agrees}


def export_samples(rt: Runtime, folder: Path, *, by: str) -> int:
    """Write each decided mail that is still kept as NUMBER.eml, and ``expected.jsonl`` beside;
    how many there are. The same again gives the same files. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    count = sum(1 for _ in _mails(rt))
    note_export(rt, "bounces", count, which="decided mails", form="eml", by=by)
    lines = []
    for one in _mails(rt):
        name = f"{one.id:06}.eml"
        (folder / name).write_bytes(one.raw)
        facts = {
            "file": name,
            "class": one.decision,
            "rcpts": list(one.rcpts),
            "decided_by": one.decided_by,
            "decided_at": one.decided_at.isoformat() if one.decided_at else None,
        }
        lines.append(json.dumps(facts, ensure_ascii=False) + "\n")
    (folder / EXPECTED).write_text("".join(lines), encoding="utf-8")
    return len(lines)


def check_samples(rt: Runtime) -> Iterator[Checked]:
    """Read every decided mail that is kept once more, by the rules of today."""
    for one in _mails(rt):
        yield _check(rt, f"{one.id}", one.raw, one.rcpts, one.decision)


def _mails(rt: Runtime) -> Iterator[Sample]:
    """Decided ones that are mails; a provider's event (JSON) is read by its own rules."""
    return (one for one in bounces.samples(rt) if not one.raw.startswith(b"{"))


def check_folder(rt: Runtime, folder: Path) -> Iterator[Checked]:
    """The same for an exported folder. Raises BounceError: it is none."""
    try:
        lines = (folder / EXPECTED).read_text("utf-8").splitlines()
        for line in lines:
            facts = json.loads(line)
            raw = (folder / facts["file"]).read_bytes()
            yield _check(rt, facts["file"], raw, facts["rcpts"], facts["class"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BounceError(
            f"These are no samples: {error}",
            str(folder),
            "Write some with paperpost bounces samples --export DIR.",
        ) from None


def _check(rt: Runtime, name: str, raw: bytes, rcpts: Sequence[str], decided: str) -> Checked:
    read = read_report(raw, bounce_address=rt.bounce_address, rcpts=rcpts)
    return Checked(name, decided, tuple((one.kind.value, one.reason) for one in read.reports))

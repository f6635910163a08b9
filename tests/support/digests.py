"""Digests and frames for tests of rendering."""

from datetime import date
from pathlib import Path
from typing import Any

from service.delivery.frame import ReaderFrame
from service.delivery.i18n import Catalogs
from service.delivery.render import Renderer
from service.delivery.site import Site
from service.digest.model import AddedBy, Digest, Entry, Line, Marked, Reason, Section
from service.resources import resource_dir

BASE = "https://papers.example.org"
TOKEN = "k3" + "a" * 20
ON = date(2026, 11, 20)


def site(**changes: str) -> Site:
    fields = {
        "name": "Paperpost",
        "org": "Example University Library",
        "contact": "papers@example.org",
        "postal": "1 Example Street",
        "base_url": BASE,
        "privacy_url": f"{BASE}/privacy",
        "sender": "papers@example.org",
    }
    return Site(**(fields | changes))


def renderer(*own: Path, **changes: Any) -> Renderer:
    templates = resource_dir("templates")
    catalogs = Catalogs.load(templates / "locale")
    made = Renderer([*own, templates], catalogs, changes.pop("site", site()), **changes)
    made.check()
    return made


def frame(**changes: Any) -> ReaderFrame:
    fields: dict[str, Any] = {
        "manage_url": f"{BASE}/manage/{TOKEN}",
        "unsubscribe_url": f"{BASE}/u/{TOKEN}",
        "view_url": f"{BASE}/d/{TOKEN}",
        "tune_base": f"{BASE}/tune/{TOKEN}",
        "papers_url": f"{BASE}/papers/2026-11-20",
        "confirmed_on": date(2026, 11, 3),
        "zone": "Europe/Zurich",
    }
    return ReaderFrame(**(fields | changes))


def entry(n: int, title: str = "LoRA adapters that forget less", **changes: Any) -> Entry:
    fields: dict[str, Any] = {
        "paper_id": n,
        "scheme": "arxiv",
        "value": f"2611.{n:05d}",
        "title": Marked(title, ((0, 4),) if title.startswith("LoRA") else ()),
        "abstract": Marked("We study why LoRA drifts. [...]", ((13, 17),)),
        "authors": ("Ana Silva", "Bo Chen", "Carla Diaz"),
        "author_count": 7,
        "dated_on": date(2026, 11, 19),
        "place": "cs.LG",
        "votes": 41,
        "comments": 2,
        "links": {
            "abs": f"https://arxiv.org/abs/2611.{n:05d}",
            "pdf": f"https://arxiv.org/pdf/2611.{n:05d}",
            "code": "https://code.example.org/x",
            "project": "https://project.example.org",
            "discuss": "https://huggingface.co/papers/1",
        },
        "reasons": (Reason("LoRA", "title"), Reason("low-rank adaptation", "abstract")),
    }
    return Entry(**(fields | changes))


def line(n: int, title: str = "Another paper on LoRA") -> Line:
    return Line(
        paper_id=n,
        scheme="arxiv",
        value=f"2611.{n:05d}",
        title=Marked(title),
        link=f"https://arxiv.org/abs/2611.{n:05d}",
    )


def section(*entries: Entry, **changes: Any) -> Section:
    fields: dict[str, Any] = {
        "kind": "interest",
        "name": "Low-rank adaptation",
        "profile_id": 1,
        "entries": entries,
    }
    fields |= changes
    shown = len(fields["entries"]) + len(fields.get("lines", ())) + len(fields.get("rest", ()))
    return Section(**({"total": shown} | fields))


def digest(*sections: Section, **changes: Any) -> Digest:
    fields: dict[str, Any] = {
        "kind": "daily",
        "on": ON,
        "checked": 446,
        "matched": 5,
        "interests": 1,
        "sections": sections,
    }
    return Digest(**(fields | changes))


def everything(word: str = "") -> Digest:
    """Return a digest with every part there is; ``word`` replaces each piece of data."""

    def data(text: str) -> str:
        return word or text

    def full(n: int, **changes: Any) -> Entry:
        reasons = tuple(
            Reason(data("LoRA"), where)
            for where in ("title", "abstract", "authors", "categories", "source", "id")
        )
        fields: dict[str, Any] = {
            "title": data(f"LoRA adapters {n}"),
            "abstract": Marked(data("We study LoRA."), ((0, 2),)),
            "authors": (data("Ana Silva"),),
            "place": data("cs.LG"),
            "reasons": (*reasons, Reason(data("ETH"), "organisation")),
        }
        return entry(n, **(fields | changes))  # the title's marks come from entry()

    return digest(
        section(full(1), kind="people", name=data("Ana Silva")),
        section(
            full(2, again=True, also_in=(data("Diffusion"), data("Agents"))),
            full(3, summary_line=data("In short.")),
            name=data("Low-rank adaptation"),
            lines=(line(4, data("A line")), line(5, data("Another line"))),
            rest=tuple(range(100, 114)),
        ),
        section(full(6), kind="chosen", name=""),
        section(full(7), kind="signals", name=""),
        section(full(8, reasons=()), kind="trending", name=""),
        late=(data("bioRxiv"), data("PubMed")),
        read_from=(data("arXiv cs.CL"),),
        note=data("Seminar at two."),
        added_by=AddedBy(organisation=data("Example Library"), added_on=date(2026, 11, 2)),
        matched=18,
    )

"""docs/templates.md does what it says, and docs/template-values.md is what the code has."""

import re
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path

import pytest
from support.command import Shell
from support.digests import BASE

from service.cli import template_values_page as page
from service.delivery import template_check, template_samples
from service.delivery.frame import ReaderFrame
from service.delivery.i18n import Catalogs
from service.delivery.notices import NOTICES
from service.delivery.render import Renderer
from service.delivery.site import Site
from service.digest.model import Digest, Entry, Happening, Line, Section, Signal
from service.resources import resource_dir

DOCS = Path(__file__).resolve().parents[2] / "docs"
TEXT = (DOCS / "templates.md").read_text("utf-8")


def test_the_page_of_values_is_that_of_the_code() -> None:
    fresh = page.markdown()
    step = "paperpost templates variables --markdown > docs/template-values.md"
    assert (DOCS / "template-values.md").read_text("utf-8") == fresh, step


def test_every_value_and_every_filter_has_a_meaning() -> None:
    rows = page.rows()
    assert [f"{row['of']}.{row['name']}" for row in rows if not row["meaning"]] == []
    assert {row["name"] for row in rows if row["of"] == "filter"} == _own_filters()
    assert {row["name"] for row in rows if row["of"] == "digest, alert"} == template_check.DIGEST
    for kind, names in NOTICES.items():
        assert {row["name"] for row in rows if row["of"] == kind} == names


def _own_filters() -> set[str]:
    """The filters that Jinja itself does not have."""
    site = template_samples.site(BASE, furnished=True)
    environment = Renderer([resource_dir("templates")], Catalogs({}), site).environment("en")
    return set(environment.filters) - set(type(environment)().filters)


def _usual(record: type, name: str) -> object:
    part = next(part for part in fields(record) if part.name == name)
    if part.default_factory is not MISSING:
        return part.default_factory()
    return part.default


@pytest.mark.parametrize("record", [Digest, Section, Entry, Line, Signal, Happening, Site])
def test_samples_have_whatever_a_mail_can_have(record: type) -> None:
    """A field that no sample fills is never tried: give it a value in template_samples."""
    found: list[object] = [template_samples.site(BASE, furnished=True)]

    def walk(value: object) -> None:
        if isinstance(value, tuple):
            for one in value:
                walk(one)
        elif is_dataclass(value):
            found.append(value)
            for part in fields(value):
                walk(getattr(value, part.name))

    for kind in ("digest", "alert"):
        for sample in template_samples.samples(kind, BASE):
            walk(sample.digest)
    held = [one for one in found if type(one) is record]
    stored = {"version", "profile_id", "score", "parts"}
    unfilled = [
        part.name
        for part in fields(record)
        if part.name not in stored
        and all(getattr(one, part.name) == _usual(record, part.name) for one in held)
    ]
    assert held
    assert unfilled == []


def test_the_sample_reader_has_every_link() -> None:
    reader = template_samples.reader(BASE)
    links = [part.name for part in fields(ReaderFrame) if part.name.endswith(("_url", "_base"))]
    assert [name for name in links if not getattr(reader, name)] == []


def _files(text: str) -> dict[str, str]:
    """Each file that the page shows, by its name."""
    shown = re.findall(r"^`(email/\S+)`(?: \(more\))?:\n\n```\w+\n(.*?)^```", text, re.M | re.S)
    return dict(shown)


@pytest.mark.slow
def test_the_example_of_the_page_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own"
    (own / "email").mkdir(parents=True)
    shell = Shell(tmp_path, monkeypatch, TEMPLATES_DIR=str(own))
    said = {}
    files = _files(TEXT)
    assert files.keys() == {"email/digest/body.html", "email/digest/body.txt", "email/style.css"}
    for command in re.findall(r"^paperpost (templates .*)$", TEXT, re.M):
        words = command.partition(" > ")[0].split()
        if "check" in words:  # after the copy, and after what the page adds to it
            for name, text in files.items():
                path = own / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text((path.read_text() if path.exists() else "") + text)
            words.append("--json")
        said[command] = shell.say(*words)
        assert said[command].code == 0, said[command].err
    assert said["templates check"].json == []
    html = said["templates sample digest > digest.html"].out
    assert "Example University Library" in html
    assert 'class="brand" style="' in html
    assert "color: #7a0019" in html
    assert re.search(r'class="hit[^"]*" style="[^"]*#d9f0ff', html)
    text = said["templates sample digest --format text --language de"].out
    assert text.startswith("EXAMPLE UNIVERSITY LIBRARY\n")
    assert "Abbestellen" in text or "abbestellen" in text
    states = {row["name"]: row["state"] for row in shell.say("templates", "list", "--json").json}
    assert states["style.css"] == "current"
    assert states["digest/body.html"] == "unmarked"

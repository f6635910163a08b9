"""Templates of the operator's own: each fault is told with its line, before anybody gets a mail."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from support.command import Shell, list_of
from support.digests import BASE, digest, entry, everything, frame, section, site
from support.mail_reading import by_python

from service.delivery import template_samples
from service.delivery.i18n import Catalogs
from service.delivery.notices import DIGESTS, NOTICES
from service.delivery.override_folder import Fault, TemplateError, told
from service.delivery.press import Press
from service.delivery.render import Renderer
from service.delivery.template_trial import Examined, examine
from service.resources import resource_dir

pytestmark = pytest.mark.slow  # templates are tried whole

OURS = resource_dir("templates")
EMAIL = OURS / "email"
LANGUAGES = Catalogs.load(OURS / "locale")


def put(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / "email" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def own(folder: Path) -> Renderer:
    return Renderer([folder, OURS], LANGUAGES, site())


def tried(folder: Path) -> Examined:
    return examine(own(folder))


def ours(name: str, old: str = "", new: str = "") -> str:
    text = (EMAIL / name).read_text()
    assert old in text
    return text.replace(old, new) if old else text


def child(kind: str, words: str, ending: str = "html") -> str:
    return f'{{% extends "_{kind}.{ending}" %}}\n{{% block content %}}\n{words}\n{{% endblock %}}\n'


def every_paper(words: str) -> str:
    """Our _paper.html with words before each paper that is shown in full."""
    made, count = re.subn(r"macro full\(.*?%\}", lambda m: m[0] + words, ours("_paper.html"))
    assert count == 1
    return made


DARK = "@media (prefers-color-scheme: dark) {\n  .theirs { color: #fff !important; }\n}"
LINKS = "{{ link }} {{ never_link }}"

SLOW = ("much room", "a mail too large", "no postal address")

REFUSED = {
    "syntax": ("confirm/body.txt", "fine\n{% if %}\n", 2, "cannot be read"),
    "a block that does not end": ("confirm/body.txt", "a\n{% if link %}\n{{ link }}", 3, "cannot"),
    "a variable of no mail": ("confirm/body.txt", "a\nb\n{{ lnik }}", 3, "'confirm' has no 'lnik'"),
    "a variable of another mail": ("test/subject.txt", "{{ headline }}", 1, "has no 'headline'"),
    "a filter": ("confirm/body.txt", "\n{{ link | upperr }}", 2, "no filter 'upperr'"),
    "a filter in a branch": (
        "confirm/body.txt",
        "{% if link %}\n{{ link | upperr }}{% endif %}",
        2,
        "no filter",
    ),
    "a test": ("confirm/body.txt", "{% if link is chic %}{% endif %}", 1, "no test 'chic'"),
    "a part": ("confirm/body.txt", "a\n{% include 'logo.txt' %}", 2, "'logo.txt' is missing"),
    "a frame": ("confirm/body.txt", "{% extends '_farme.txt' %}", 1, "'_farme.txt' is missing"),
    "a macro": (
        "confirm/body.html",
        '{% import "_paper.html" as p with context %}\n{{ p.logo() }}' + LINKS,
        2,
        "_paper.html has no macro 'logo'",
    ),
    "a macro taken by name": (
        "confirm/body.html",
        '{% from "_paper.html" import logo %}' + LINKS,
        1,
        "has no macro 'logo'",
    ),
    "a macro that ours call": ("_paper.txt", "{% macro whole() %}{% endmacro %}", 1, "no macro"),
    "a variable of a loop where ours call a macro": (
        "_paper.txt",
        ours("_paper.txt", "macro part(", "macro piece(") + "{% for part in [] %}{% endfor %}",
        1,
        "no macro 'part', which our _digest.txt",
    ),
    "a block that ours fill": ("_frame.txt", "{{ subject }}", 1, "has no block"),
    "a block that nobody shows": (
        "confirm/body.html",
        '{% extends "_frame.html" %}\n\n{% block contnet %}{% endblock %}',
        3,
        "'contnet' is never shown",
    ),
    "words outside of blocks": (
        "confirm/body.html",
        '{% extends "_frame.html" %}\n\nHello\n{% block content %}{% endblock %}',
        3,
        "outside of every block",
    ),
    "a value without that part": (
        "digest/body.txt",
        child("digest", "\n{{ digest.papers }}", "txt"),
        4,
        "'digest' has no 'papers'",
    ),
    "a part of a part": (
        "digest/body.txt",
        child("digest", "{% for s in digest.sections %}\n{{ s.titel }}{% endfor %}", "txt"),
        4,
        "'Section' has no attribute 'titel'",
    ),
    "what only a rare mail has": (
        "digest/body.html",
        child("digest", "{% for s in digest.signals() %}\n{{ s.noted_on }}{% endfor %}"),
        4,
        "'Signal' has no attribute",
    ),
    "a number added to a text": ("test/body.txt", "\n\n{{ relay + 1 }}", 3, "TypeError"),
    "a date that a mail may lack": (
        "digest/body.txt",
        child("digest", "{{ reader.confirmed_on.year }}", "txt"),
        3,
        "'None' has no attribute 'year'",
    ),
    "one that extends itself": (
        "digest/body.html",
        "\n" + child("x", "{{ super() }}").replace("_x.html", "digest/body.html"),
        2,
        "extends itself",
    ),
    "frames in a circle": ("_digest.txt", '{% extends "digest/body.txt" %}', 1, "extends itself"),
    "brackets without end": ("confirm/body.txt", f"{{{{ {'(' * 3000} }}}}", 1, "cannot be read"),
    "loops without end": (
        "confirm/body.txt",
        "{% for a in link %}" * 30 + LINKS + "{% endfor %}" * 30,
        1,
        "cannot be read",
    ),
    "a macro that takes less than ours give": (
        "_parts.html",
        ours("_parts.html") + "\n{% macro button(url) %}{{ url }}{% endmacro %}",
        1,
        "macro 'button' takes not more than 1 argument(s), in our body.html:",
    ),
    "a macro called with too much": (
        "digest/body.html",
        child("digest", '{% import "_paper.html" as p with context %}\n{{ p.marked(1, 2) }}'),
        4,
        "marked",
    ),
    "a template without end": ("confirm/body.txt", "{% include 'confirm/body.txt' %}", 1, "Recurs"),
    "what the sandbox bars": ("test/body.txt", "\n{{ site.name.__class__ }}", 2, "unsafe"),
    "a change of a shared value": (
        "digest/body.txt",
        child("digest", "\n{{ digest.sections[0].entries[0].links.clear() }}", "txt"),
        4,
        "'clear' of 'dict' object is unsafe",
    ),
    "a row without its table": (
        "confirm/body.html",
        child("frame", f"\n<tr><td>{LINKS}</td></tr>"),
        4,
        "<tr> stands where",
    ),
    "a tag between rows": (
        "quiet/body.html",
        child(
            "frame",
            "<table>\n{% for w in words %}<tr><td>{{ w }}</td></tr>{% endfor %}</table>"
            "{{ manage_url }} {{ unsubscribe_url }}",
        ),
        4,
        "between a table and its rows",
    ),
    "no link to begin": ("confirm/body.txt", "{{ never_link }}", 1, "lacks the link link"),
    "no link to bar": ("confirm/body.html", "{{ link }}", 1, "lacks the link never_link"),
    "no link to leave": (
        "_digest.txt",
        child("frame", "{{ reader.manage_url }}", "txt"),
        1,
        "lacks the link reader.unsubscribe_url",
    ),
    "no link to change": (
        "quiet/body.html",
        child("frame", "{{ unsubscribe_url }}"),
        1,
        "lacks the link manage_url",
    ),
    "an empty subject": ("confirm/subject.txt", "{# nothing #}", 1, "The subject of 'confirm'"),
    "not UTF-8": ("confirm/body.txt", b"fine\n\xe4\n", 2, "no UTF-8"),
    "a file too large": ("confirm/body.txt", "\n" * 500 + "x" * 89_501, 501, "90,001 bytes"),
    "a mail too large": (
        "digest/body.html",
        child("digest", "{{ super() }}\n{{ 'what is said again and again ' * 3200 }}"),
        4,
        "more than 90,000 bytes of HTML with one paper",
    ),
    "a notice too large": (
        "confirm/body.html",
        child("frame", LINKS + "{{ 'x' * 90000 }}"),
        3,
        "may have 90,000",
    ),
    "a notice whose text is too large": (
        "confirm/body.txt",
        LINKS + "\n{{ 'x' * 300000 }} {{ link }}",
        2,
        "may have 250,000",
    ),
    "links that nobody sees": (
        "confirm/body.html",
        child("frame", f"<!-- {LINKS} -->"),
        1,
        "lacks the link",
    ),
    "a brace that is not closed": ("style.css", "/* { */\n.x { color: red;\n", 2, "never closed"),
    "a brace that was not opened": ("style.css", "\n.x { color: red; }}", 2, "never opened"),
}


@pytest.mark.parametrize(
    "fault",
    [pytest.param(one, marks=pytest.mark.slow if one in SLOW else ()) for one in REFUSED],
)
def test_each_fault_is_refused_with_its_file_and_line(tmp_path: Path, fault: str) -> None:
    name, text, line, what = REFUSED[fault]
    path = put(tmp_path, name, text)
    faults = [f for f in tried(tmp_path).faults if f.level == "fail"]
    where = f"{path}:{line}" if line else str(path)
    assert {f.where for f in faults if what in f.what} == {where}, faults
    assert all(f.next_step for f in faults)


WARNED = {
    "a name mistyped": ("confrim/body.txt", "x", 0, "has no effect", "confirm/body.txt"),
    "a forgotten copy": ("confirm/body.txt.bak", "x", 0, "has no effect", "confirm/body.txt"),
    "a picture among the templates": ("logo.png", b"\x89PNG", 0, "has no effect", "list"),
    "safe": (
        "digest/body.html",
        child("digest", "{{ super() }}\n{{ headline | safe }}"),
        4,
        "filter safe",
        "away",
    ),
    "no escaping": (
        "digest/body.html",
        child("digest", "{% autoescape false %}{{ super() }}{% endautoescape %}"),
        3,
        "autoescape",
        "away",
    ),
    "a form": (
        "confirm/body.html",
        child("frame", f"{LINKS}<form></form>"),
        3,
        "leave <form> out",
        "away",
    ),
    "a picture without words": (
        "confirm/body.html",
        child("frame", f'{LINKS}<img src="https://a.example/l.png">'),
        3,
        "no alt text",
        "alt=",
    ),
    "a picture that tells": (
        "digest/body.html",
        child("digest", '{{ super() }}<img src="{{ reader.view_url }}/seen.png" alt="">'),
        3,
        "who opened the mail",
        "track",
    ),
    "a colour in the dark": (
        "style.css",
        ours("style.css") + "/* x */\n.theirs, .small {\n  margin: 0;\n  color: #123456;\n}",
        ours("style.css").count("\n") + 4,
        "The letters of .theirs keep this colour",
        "!important",
    ),
    "a colour of a class and of nothing": (
        "style.css",
        ours("style.css") + ".theirs, { color: #123456; }",
        ours("style.css").count("\n") + 1,
        "The letters of .theirs keep",
        "!important",
    ),
    "papers left out": (
        "_digest.txt",
        child("frame", "{{ reader.manage_url }} {{ reader.unsubscribe_url }}", "txt"),
        1,
        "leaves out 8 papers of the sample",
        "every entry",
    ),
    "no postal address": (
        "_frame.txt",
        ours("_frame.txt", "site.postal", "site.org"),
        1,
        "postal",
        "",
    ),
    "much room": (
        "_paper.html",
        every_paper("<p>{{ 'what is said again and again ' * 300 }}</p>" + "{# wide #}" * 99),
        every_paper("").partition("macro full(")[0].count("\n") + 1,
        "Of 10 papers in full and 30 as lines, ",
        "Shorten",
    ),
}


@pytest.mark.parametrize(
    "fault",
    [pytest.param(one, marks=pytest.mark.slow if one in SLOW else ()) for one in WARNED],
)
def test_what_is_odd_is_told_and_refuses_nothing(tmp_path: Path, fault: str) -> None:
    name, text, line, what, step = WARNED[fault]
    path = put(tmp_path, name, text)
    faults = tried(tmp_path).faults
    assert {f.level for f in faults} == {"warn"}, faults
    said = [f for f in faults if what in f.what]
    assert {f.where for f in said} == {f"{path}:{line}" if line else str(path)}
    assert all(step in f.next_step for f in said)


def test_the_folder_itself(tmp_path: Path) -> None:
    for folder, what in ((tmp_path / "none", "is not there"), (tmp_path / "file", "is no folder")):
        (tmp_path / "file").write_text("")
        (fault,) = tried(folder).faults
        assert (fault.level, fault.where) == ("fail", str(folder))
        assert what in fault.what
    empty = tmp_path / "empty"
    empty.mkdir()
    assert tried(empty) == Examined((), ())


def test_files_in_the_wrong_place_are_told(tmp_path: Path) -> None:
    (tmp_path / "confirm").mkdir()
    (tmp_path / "confirm" / "body.txt").write_text("x")
    (fault,) = tried(tmp_path).faults
    assert (fault.level, fault.where) == ("warn", "confirm/body.txt")
    assert "email/confirm/body.txt" in fault.next_step


def test_hidden_files_are_nobodys_business(tmp_path: Path) -> None:
    put(tmp_path, ".git/config", "x")
    put(tmp_path, "confirm/.body.txt.swp", b"\xff")
    assert tried(tmp_path) == Examined((), ())


def test_a_link_out_of_the_folder_is_refused_and_one_inside_is_not(tmp_path: Path) -> None:
    folder, outside = tmp_path / "own", tmp_path / "secret.txt"
    outside.write_text("{{ link }} {{ never_link }}")
    path = put(folder, "confirm/body.txt", "")
    path.unlink()
    path.symlink_to(outside)
    (fault,) = tried(folder).faults
    assert (fault.level, fault.where) == ("fail", str(path))
    assert "leads out" in fault.what
    (folder / ".data").mkdir()
    outside.rename(folder / ".data" / "body.txt")
    path.unlink()
    path.symlink_to(folder / ".data" / "body.txt")
    assert tried(folder).faults == ()


def test_a_file_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path, "confirm/body.txt", "")
    path.unlink()
    path.symlink_to(path)  # round and round
    (fault,) = tried(tmp_path).faults
    assert (fault.level, fault.where) == ("fail", str(path))
    assert "cannot be opened" in fault.what


def test_what_is_no_file_is_refused_and_nothing_waits_for_it(tmp_path: Path) -> None:
    path = put(tmp_path, "confirm/body.txt", "")
    path.unlink()
    os.mkfifo(path)
    (fault,) = tried(tmp_path).faults
    assert (fault.level, fault.where) == ("fail", str(path))


def test_ours_as_overrides_have_no_fault(tmp_path: Path) -> None:
    for path in EMAIL.rglob("*.*"):
        put(tmp_path, path.relative_to(EMAIL).as_posix(), path.read_bytes())
    found = tried(tmp_path)
    assert found.faults == ()
    assert {o.state for o in found.overrides} == {"unmarked"}
    same = own(tmp_path).render_digest(everything(), frame())
    assert same == Renderer([OURS], LANGUAGES, site()).render_digest(everything(), frame())


def test_an_override_is_used_and_the_rest_stays_ours(tmp_path: Path) -> None:
    put(tmp_path, "confirm/subject.txt", "{{ site.name }} asks\r\nBcc: x")
    data = template_samples.notice("confirm", BASE, furnished=True)
    done = own(tmp_path).render_notice("confirm", data)
    assert done.subject == "Paperpost asks Bcc: x"
    assert "Someone, we hope you" in done.html


def test_a_macro_and_a_rule_of_their_own_are_in_every_digest(tmp_path: Path) -> None:
    put(tmp_path, "_paper.html", every_paper('<p class="theirs">New</p>'))
    put(tmp_path, "style.css", ours("style.css") + ".theirs { color: #123456; }\n" + DARK)
    assert tried(tmp_path).faults == ()
    done = own(tmp_path).render_digest(digest(section(entry(1), entry(2))), frame())
    assert len(re.findall(r'<p class="theirs" style="[^"]*color: #123456', done.html)) == 2


def test_a_file_changed_later_waits_for_the_next_start(tmp_path: Path) -> None:
    """It was not tried: a kind of mail that nobody got yet must not be made of it."""
    put(tmp_path, "test/subject.txt", "As it was")
    data = template_samples.notice("test", BASE, furnished=True)
    running = own(tmp_path)
    put(tmp_path, "test/subject.txt", "{{ broken")
    assert running.render_notice("test", data).subject == "As it was"
    assert [fault.level for fault in tried(tmp_path).faults] == ["fail"]


def test_signs_of_an_icon_font_are_letters(tmp_path: Path) -> None:
    put(tmp_path, "confirm/body.html", child("frame", f"<p>\ue0007\ue001</p>{LINKS}"))
    assert tried(tmp_path).faults == ()
    data = template_samples.notice("confirm", BASE, furnished=True)
    assert ">\ue0007\ue001</p>" in own(tmp_path).render_notice("confirm", data).html


def test_a_file_as_windows_writes_it_is_read(tmp_path: Path) -> None:
    put(tmp_path, "test/subject.txt", b"\xef\xbb\xbf{{ site.name }}\r\n")
    text = child("frame", "One\n{{ relay }}", "txt").replace("\n", "\r\n")
    put(tmp_path, "test/body.txt", b"\xef\xbb\xbf" + text.encode())
    assert tried(tmp_path).faults == ()
    data = template_samples.notice("test", BASE, furnished=True)
    made = own(tmp_path).render_notice("test", data)
    assert made.subject == "Paperpost"
    assert made.text.startswith("One\nsmtp.example.org:587\n")


def test_a_part_of_their_own_is_no_stranger(tmp_path: Path) -> None:
    put(tmp_path, "logo.txt", "LIBRARY")
    put(tmp_path, "confirm/body.txt", "{% include 'logo.txt' %} {{ link }} {{ never_link }}")
    found = tried(tmp_path)
    assert found.faults == ()
    assert {o.name: o.state for o in found.overrides} == {
        "logo.txt": "added",
        "confirm/body.txt": "unmarked",
    }


def test_the_first_fault_is_raised_and_warnings_are_only_told() -> None:
    heard: list[Fault] = []
    warning = Fault("warn", "Odd.", "a:1", "Look.")
    broken = [Fault("fail", "Broken.", f"b:{n}", "Mend it.") for n in (1, 2, 3)]
    told([warning], heard.append)
    assert heard == [warning]
    with pytest.raises(TemplateError) as caught:
        told([warning, *broken], heard.append)
    error = caught.value
    assert (error.what, error.where) == ("Broken.", "b:1")
    assert error.next_step == "Mend it. 2 more: paperpost templates check"


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    (tmp_path / "own" / "email").mkdir(parents=True)
    yield Shell(tmp_path, monkeypatch, TEMPLATES_DIR=str(tmp_path / "own"))
    structlog.reset_defaults()  # what serves for long logs to the shell's own stream


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("run", "--port", "0"), marks=pytest.mark.slow),
        pytest.param(("web", "--port", "0"), marks=pytest.mark.slow),
        ("scheduler",),
        ("templates", "sample", "test"),
    ],
    ids=["run", "web", "scheduler", "sample"],
)
def test_nothing_starts_with_a_broken_template(shell: Shell, words: tuple[str, ...]) -> None:
    path = put(shell.folder / "own", "quiet/body.txt", "a\n{{ nothing }}\n")
    said = shell.say(*words)
    assert said.code == 1
    assert f"{path}:2" in said.err
    assert said.out == ""


def test_the_doctor_tells_every_fault_and_opens_nothing(shell: Shell) -> None:
    put(shell.folder / "own", "quiet/body.txt", "a\n{{ nothing }}\n{{ else }}")
    put(shell.folder / "own", "confrim/body.txt", "x")
    said = shell.say("doctor", "--json")
    rows = [row for row in said.json if row["check"] == "own templates"]
    assert said.code == 1
    assert {row["state"] for row in rows} == {"fail", "warn"}
    assert any("quiet/body.txt:" in row["says"] for row in rows)


def test_check_tells_what_a_start_would_refuse(shell: Shell) -> None:
    assert shell.say("templates", "check", "--json").json == []
    path = put(shell.folder / "own", "quiet/subject.txt", "{{ a }}{{ b }}")
    said = shell.say("templates", "check", "--json")
    assert said.code == 1
    assert {row["where"] for row in said.json} == {f"{path}:1"}
    assert sorted(row["says"] for row in said.json) == [
        "The mail 'quiet' has no 'a'.",
        "The mail 'quiet' has no 'b'.",
    ]
    other = shell.folder / "other"
    put(other, "quiet/subject.txt", "Quiet")
    assert shell.say("templates", "check", str(other)).code == 0


def test_what_makes_mails_slow_is_told(shell: Shell) -> None:
    shown = "{% for e in s.entries %}{{ e.title.text }}{% endfor %}"
    words = "{{ super() }}{% for s in digest.sections %}" + shown + "{% endfor %}"
    put(shell.folder / "own", "digest/body.txt", child("digest", words, "txt"))
    said = shell.say("templates", "check", "--json")
    assert said.code == 0
    (row,) = said.json
    assert (row["state"], row["where"]) == ("warn", str(shell.folder / "own"))
    assert "one by one" in row["says"]


def test_copy_diff_accept(shell: Shell) -> None:
    own = shell.folder / "own" / "email"
    names = ["_digest.html", "_frame.html", "style.css", "confirm/body.txt"]
    assert shell.say("templates", "copy", *names).code == 0
    assert shell.say("templates", "check", "--json").json == []
    assert shell.say("templates", "diff", "_frame.html").out == ""

    def states() -> dict[str, str]:
        rows = shell.say("templates", "list", "--json").json
        return {row["name"]: row["state"] for row in rows if row["state"] != "ours"}

    assert states() == dict.fromkeys(names, "current")
    again = shell.say("templates", "copy", "style.css")
    assert again.code == 1
    assert str(own / "style.css") in again.err
    copy = own / "_digest.html"  # made from what was ours before
    copy.write_text(re.sub(r"[0-9a-f]{16}", "0" * 16, copy.read_text(), count=1) + "{# mine #}")
    assert states()["_digest.html"] == "older"
    (row,) = shell.say("templates", "check", "--json").json
    assert (row["state"], row["where"]) == ("warn", str(copy))
    assert "4 templates of your own: 0 refused, 1 warning." in shell.say("templates", "check").out
    assert "+{# mine #}" in shell.say("templates", "diff", "_digest.html").out
    assert "+{# mine #}" in shell.say("templates", "diff", "_digest.html", "--json").json["diff"]
    assert shell.say("templates", "accept", "_digest.html").code == 0
    assert states()["_digest.html"] == "current"
    assert copy.read_text().endswith("{# mine #}")


def test_a_name_that_is_none_of_ours_is_misuse(shell: Shell) -> None:
    for act in ("copy", "diff", "accept"):
        said = shell.say("templates", act, "digset/body.html")
        assert said.code == 2
        assert "digest/body.html" in said.err
    assert shell.say("templates", "accept", "test/body.txt").code == 1


def test_a_sample_is_a_mail_or_one_part_of_it(shell: Shell) -> None:
    put(shell.folder / "own", "test/subject.txt", "Seen by us")
    whole = shell.say("templates", "sample", "test", "--language", "de", "--json").json
    assert (whole["kind"], whole["language"], whole["subject"]) == ("test", "de", "Seen by us")
    for form in ("subject", "text", "html"):
        one = shell.say("templates", "sample", "test", "--format", form, "--language", "de")
        assert one.out == whole[form] + "\n"


def test_every_kind_of_mail_has_a_sample_that_fits() -> None:
    renderer = Renderer([OURS], LANGUAGES, site())
    for kind in (*DIGESTS, *NOTICES):
        names = [sample.name for sample in template_samples.samples(kind, BASE)]
        assert names[:2] == ["furnished", "bare"]
    for kind in DIGESTS:
        full = template_samples.largest(kind)
        assert renderer.fit(full, template_samples.reader(BASE)) == full


def test_their_words_are_in_the_mail_that_is_sent(shell: Shell) -> None:
    """Ours and theirs, put together from pieces like any other mail."""
    put(shell.folder / "own", "_paper.html", every_paper('<p class="theirs">Seen by us</p>'))
    put(shell.folder / "own", "digest/body.txt", child("digest", "BRAND\n{{ super() }}", "txt"))
    file = list_of(shell.folder, "list.json", 1, 2, 3)
    for words in (
        ("ingest", "--kind", "hf_daily", file, "--on", "2026-11-20"),
        ("subscribers", "add", "ada@example.org", "--keywords", "adapters", "--confirmed"),
        ("send", "daily", "--on", "2026-11-20"),
    ):
        said = shell.say(*words)
        assert said.code == 0, said.err
    (mail,) = shell.mails()
    read = by_python(mail.read_bytes())
    assert read.html.count("Seen by us") == 3
    assert read.text.startswith("BRAND\n")
    renderer = own(shell.folder / "own")
    assert Press(renderer).refusal("en") == ""


def test_no_command_sends_with_a_broken_template(shell: Shell) -> None:
    file = list_of(shell.folder, "list.json", 1)
    shell.say("ingest", "--kind", "hf_daily", file, "--on", "2026-11-20")
    shell.say("subscribers", "add", "ada@example.org", "--keywords", "adapters", "--confirmed")
    path = put(shell.folder / "own", "_frame.txt", ours("_frame.txt") + "\n{{ postal }}")
    said = shell.say("send", "daily", "--on", "2026-11-20")
    assert said.code == 1
    assert f"{path}:" in said.err
    assert shell.mails() == []
    path.unlink()
    assert shell.say("send", "daily", "--on", "2026-11-20").code == 0
    assert len(shell.mails()) == 1

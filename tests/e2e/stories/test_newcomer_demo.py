"""A newcomer runs the demo and looks at what came out."""

import io
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from support.house import open_house, plan_one

from service import demo
from service.demo import DemoError, _fresh, run_demo
from service.flows import live_index
from service.flows.match import match_new
from service.flows.stock import fill_corpus
from service.flows.words import learn_words
from service.log import KeptLines
from service.matching import shelf
from service.sources import hf_daily


def told(folder: Path) -> tuple[bool, str]:
    out = io.StringIO()
    return run_demo(folder, out=out), out.getvalue()


def test_demo_tells_the_whole_story(tmp_path):
    folder = tmp_path / "demo"
    good, text = told(folder)
    assert good
    lines = text.splitlines()
    assert lines[0].startswith("Sample day, bundled: 40 papers")
    assert any(line.startswith("Ada") and "8 papers matched" in line for line in lines)
    assert any(line.startswith("Ben") and "14 papers matched" in line for line in lines)
    assert any(line.startswith("Chen") and "10 papers" in line for line in lines)
    assert "no mail: 40 papers checked, nothing new matched" in text
    assert 'why: "reasoning" in the title' in text
    assert "make run" in text or "paperpost run" in text
    assert sorted(p.name for p in (folder / "mails").glob("*.html")) == [
        "ada.html",
        "ben.html",
        "chen.html",
    ]
    received = sorted((folder / "mailbox").glob("*.eml"))
    assert len(received) == 3
    kept = {p.read_bytes() for p in (folder / "mails").glob("*.eml")}
    assert {p.read_bytes() for p in received} == kept  # what is shown is what was received
    ben = message_from_bytes((folder / "mails" / "ben.eml").read_bytes(), policy=policy.default)
    text_part = ben.get_body(("plain",)).get_content()
    assert "40 new papers checked, 14 contain your words." in text_part


def test_a_mailbox_that_cannot_be_reached_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(demo.MailboxServer, "start", lambda self: 9)  # where nobody listens
    good, text = told(tmp_path / "demo")
    assert not good
    assert text.count("-> deferred: ") == 3
    assert "127.0.0.1" in text.partition("-> deferred: ")[2].splitlines()[0]


# Makes the demo twice; quick runs make it once.
@pytest.mark.slow
def test_demo_runs_again(tmp_path):
    folder = tmp_path / "demo"
    assert told(folder)[0]
    assert told(folder)[0]


def test_demo_spares_other_files(tmp_path):
    other = tmp_path / "thesis"
    other.mkdir()
    (other / "chapter1.tex").write_text("mine")
    with pytest.raises(DemoError, match="other files"):
        run_demo(other, out=io.StringIO())
    assert (other / "chapter1.tex").read_text() == "mine"


def test_demo_begins_anew_where_a_house_has_run(tmp_path):
    """`make run` before the first demo: what a house keeps beside its database goes."""
    for name in ("corpus", "index", "locks", "logs", "mailbox"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("made again")
    for name in ("paperpost.db", "paperpost.db-wal", "secret_key", "learned"):
        (tmp_path / name).write_text("made again")
    with _fresh(tmp_path):
        assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_demo_knows_whatever_a_house_keeps(tmp_path, monkeypatch):
    """Small houses keep no derived files; this one keeps all of them."""
    monkeypatch.setattr(live_index, "SMALLEST", 1)
    monkeypatch.setattr(shelf, "_WORTH_A_FILE", 1)
    folder = tmp_path / "house"
    with open_house(folder) as house:
        plan_one(house.runtime, tmp_path)
        match_new(house.runtime)
        learn_words(house.runtime)
        while fill_corpus(house.runtime):
            pass
        KeptLines(folder / "logs", 2)
        kept = {path.name for path in folder.iterdir()}
    assert {"corpus", "index", "learned", "paperpost.db"} <= kept
    with _fresh(folder):
        assert list(folder.iterdir()) == []


@pytest.mark.slow
def test_live_without_an_answer_uses_the_bundled_day_and_says_so(tmp_path, monkeypatch):
    # nothing listens there, and the address guard refuses it all the same
    monkeypatch.setattr(hf_daily, "_ADDRESS", "http://127.0.0.1:9/api/daily_papers")
    out = io.StringIO()
    assert run_demo(tmp_path / "demo", live=True, out=out)
    assert "Hugging Face did not answer" in out.getvalue()
    assert "Sample day, bundled" in out.getvalue()

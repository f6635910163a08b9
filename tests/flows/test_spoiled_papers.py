"""One paper that cannot be shown: everybody's digest goes out, without it."""

import asyncio
from email import message_from_bytes
from email.policy import default

import pytest
import sqlalchemy as sa
from support.house import add, ingest_items, paper_item, rows

import service.flows.compose as compose_flow
import service.flows.quarantine as quarantine_flow
from service.digest import excerpt
from service.digest.candidate import NothingNew
from service.flows.daily import plan_daily
from service.flows.letter import digest_of
from service.flows.send import send_ready

TEN_KINDS = {
    "a title of a million letters": {"title": "Adapters " + "x" * 1_000_000},
    "a million words of abstract": {"summary": "adapters are " * 80_000},
    "an abstract of one word": {"summary": "y" * 1_000_000},
    "lone surrogates": {"title": "Adapters \ud83d \udc00", "summary": "lone \ud800 \x00 adapters"},
    "lines and directions": {"title": "Adapters \u202e\u2066 x\r\nBcc: eve@example.org"},
    "markup and templates": {"summary": "<script>x</script> {{ 7 * 7 }} {% for %} %(num)s"},
    "names without end": {"authors": [{"name": "A" * 1_000_000}] * 9},
    "an address without end": {"projectPage": "https://example.org/" + "z" * 1_000_000},
    "TeX without end": {"summary": "\\frac{" * 3000 + "}" * 3000},
    "marks on one letter": {"title": "Adapters a" + "\u0301" * 100_000},
    "a summary without end": {"ai_summary": "s" * 1_000_000},
    "votes beyond numbers": {"votes": 10**30},
}


def states(rt):
    return {row.rcpt: (row.state, row.reason) for row in rows(rt)}


def sent(rt):
    asyncio.run(send_ready(rt))
    return states(rt)


def in_full(rt, reader):
    made = [digest_of(row) for row in rows(rt) if row.rcpt == reader]
    return [e.title.text for d in made if d is not None for e in d.entries()]


def read(data):
    return message_from_bytes(data, policy=default)


def hidden(rt):
    query = sa.text("SELECT title, quarantined FROM paper WHERE quarantined <> ''")
    return [tuple(row) for row in rt.db.read(lambda s: s.execute(query).all())]


@pytest.mark.slow  # megabytes are folded and converted
@pytest.mark.parametrize("style", ["short", "full", "none", "summary"])
def test_what_a_source_can_send_reaches_nobody_as_a_fault(rt, tmp_path, server, style):
    add(rt, "ada@example.org", "adapters", abstracts=style)
    add(rt, "ben@example.org", "speech")
    add(rt, "cem@example.org")
    items = [paper_item(1, "Speech", votes=99), paper_item(2, "Good adapters", votes=99)]
    for number, changes in enumerate(TEN_KINDS.values(), 10):
        made = {"title": "Adapters", "summary": "Adapters.", **changes}
        items.append(paper_item(number, made.pop("title"), made.pop("summary"), **made))
    ingest_items(rt, tmp_path, items)
    plan_daily(rt)
    assert set(sent(rt).values()) == {("accepted", "")}
    assert max(len(message.data) for message in server.accepted) < 250_000
    mine = next(made for m in server.accepted if (made := read(m.data))["to"] == "ada@example.org")
    text = mine.get_body(("plain",)).get_content()
    assert "1. Good adapters" in text
    # whole abstracts of 6,000 characters take the room; else none takes that of the others
    assert text.count("Why:") >= (2 if style == "full" else 10)


def test_a_paper_that_cannot_be_composed_is_left_out_and_hidden(rt, tmp_path, monkeypatch):
    real = excerpt.title

    def title(text, hits):
        if "spoiled" in text:
            raise RecursionError("too deep")
        return real(text, hits)

    monkeypatch.setattr(excerpt, "title", title)
    for name in ("ada", "ben"):
        add(rt, f"{name}@example.org", "adapters")
    add(rt, "cem@example.org")  # trending
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters"), paper_item(2, "Adapters, spoiled")])
    assert plan_daily(rt).skipped == {}
    assert set(sent(rt).values()) == {("accepted", "")}
    assert {name: in_full(rt, f"{name}@example.org") for name in ("ada", "ben", "cem")} == {
        "ada": ["Adapters"], "ben": ["Adapters"], "cem": ["Adapters"],
    }  # fmt: skip
    assert hidden(rt) == [("Adapters, spoiled", "composing: RecursionError: too deep")]


def spoil(monkeypatch, rt, is_spoiled):
    """Let mails of some digests be impossible, rendered whole or from pieces."""

    def failing(real):
        def render(digest, *args, **kwargs):
            if is_spoiled(digest):
                raise ValueError("spoiled")
            return real(digest, *args, **kwargs)

        return render

    monkeypatch.setattr(rt.renderer, "render_digest", failing(rt.renderer.render_digest))
    monkeypatch.setattr(rt.press, "printed", failing(rt.press.printed))


def test_a_paper_that_cannot_be_rendered_is_left_out_and_hidden(rt, tmp_path, monkeypatch):
    spoil(monkeypatch, rt, lambda d: any("spoiled" in entry.title.text for entry in d.entries()))
    for name in ("ada", "ben"):
        add(rt, f"{name}@example.org", "adapters")
    add(rt, "cem@example.org", "speech")
    items = [paper_item(1, "Adapters"), paper_item(2, "Adapters, spoiled"), paper_item(3, "Speech")]
    ingest_items(rt, tmp_path, items)
    plan_daily(rt)
    assert set(sent(rt).values()) == {("accepted", "")}
    assert in_full(rt, "ada@example.org") == ["Adapters"]
    (ada,) = [row for row in rows(rt) if row.rcpt == "ada@example.org"]
    assert (ada.content["papers"], digest_of(ada).matched) == ([1], 1)
    said = hidden(rt)
    assert [title for title, _ in said] == ["Adapters, spoiled"]
    assert "spoiled" in said[0][1]


def test_a_mail_of_that_paper_alone_fails_with_the_reason(rt, tmp_path, monkeypatch):
    spoil(monkeypatch, rt, lambda digest: digest.paper_ids())
    add(rt, "ada@example.org", "adapters")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters")])
    plan_daily(rt)
    assert sent(rt) == {"ada@example.org": ("failed", "content: ValueError: spoiled")}
    assert len(hidden(rt)) == 1


def test_a_template_that_is_broken_hides_no_paper(rt, tmp_path, monkeypatch):
    spoil(monkeypatch, rt, lambda digest: True)
    add(rt, "ada@example.org", "adapters")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters"), paper_item(2, "Adapters too")])
    plan_daily(rt)
    assert sent(rt) == {"ada@example.org": ("failed", "content: ValueError: spoiled")}
    assert hidden(rt) == []


def test_a_readers_own_fault_hides_no_paper(rt, tmp_path, monkeypatch):
    real = compose_flow.compose

    def compose(*args, **kwargs) -> object | NothingNew:
        if kwargs["style"] == "sideways":
            raise ValueError("sideways")
        return real(*args, **kwargs)

    monkeypatch.setattr(compose_flow, "compose", compose)
    monkeypatch.setattr(quarantine_flow, "compose", compose)
    add(rt, "ada@example.org", "adapters")
    add(rt, "ben@example.org", "adapters")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters")])
    spoil = sa.text("UPDATE subscriber SET style = 'sideways' WHERE email LIKE 'ada%'")
    rt.db.write(lambda s: s.execute(spoil))
    assert plan_daily(rt).skipped == {"error: ValueError": 1}
    assert hidden(rt) == []

"""Documents whose entities unfold to more than anybody should read."""

import pytest

from service.sources.adapter import CaptureError
from service.sources.document import feed_document
from service.sources.entities import mended

FEED = b"<rss version='2.0'><channel><title>%s</title><item><title>A</title></item></channel></rss>"
TELL = "Give another."


def bomb(*entities: tuple[bytes, bytes], used: bytes = b"&a;") -> bytes:
    defined = b"".join(b"<!ENTITY %s '%s'>" % entity for entity in entities)
    return b"<!DOCTYPE r [" + defined + b"]>" + FEED % used


@pytest.mark.parametrize(
    "body",
    [
        bomb(*((b"a%d" % n, b"&a%d;" % (n - 1) * 10 if n else b"haha") for n in range(9)),
             used=b"&a8;"),
        bomb((b"a", b"x" * 10_000), used=b"&a;" * 2000),
        bomb((b"a", b"&b;"), (b"b", b"&a;")),
        bomb((b"a", b"&a;")),
        bomb(*((b"a%d" % n, b"x") for n in range(1001))),
        bomb((b"a", b"x" * 10_000), used=b"&a;" * 2000).decode().encode("utf-16"),
        bomb((b"% a", b"&b;&b;"), (b"b", b"x" * 9_000_000), used=b"%a;"),
    ],
    ids=["layers", "one, often", "a circle", "itself", "too many", "in UTF-16",
         "of parameters"],
)  # fmt: skip
def test_a_bomb_is_named(body: bytes) -> None:
    with pytest.raises(CaptureError) as caught:
        feed_document(body, TELL)
    assert "XML bomb" in caught.value.what
    assert caught.value.where
    assert "owner" in caught.value.next_step


@pytest.mark.parametrize(
    "body",
    [
        bomb((b"a", b"http://www.w3.org/1999/02/22-rdf-syntax-ns#")),
        bomb((b"a", b"&b;s"), (b"b", b"sponge"), used=b"&a; &amp; &b; &unknown; &#38;"),
        b"<!DOCTYPE rss PUBLIC '-//X//DTD RSS 0.91//EN' 'http://a.example/rss.dtd'>" + FEED % b"T",
        FEED % b"About &lt;!ENTITY lol &apos;lol&apos;&gt;",
    ],
    ids=["a name space", "two in use", "no subset", "told of"],
)
def test_entities_in_use_are_no_bomb(body: bytes) -> None:
    assert len(feed_document(body, TELL).entries) == 1


FINE = "<item><title>A title beside it</title></item>"
ODD = "<rss version='2.0'><channel><title>T</title>{}<item><title>{}</title></item></channel></rss>"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("A smile &#55357;&#56832; of sponges", "A smile \U0001f600 of sponges"),
        ("A smile &#xD83D;&#xDE00; of sponges", "A smile \U0001f600 of sponges"),
        ("Half a sign &#xD83D; here", "Half a sign \ufffd here"),
        ("No sign &#x110000; here", "No sign \ufffd here"),
        ("No sign &#99999999999999999999; here", "No sign \ufffd here"),
        ("Q&A, R&D and AT&T", "Q&A, R&D and AT&T"),
        ("Q&amp;A of &eacute;lan", "Q&A of \u00e9lan"),
        ("<![CDATA[Q&A of sponges]]> and Q&A", "Q&A of sponges and Q&A"),
        ("&#233;lan and &#x3b1;", "\u00e9lan and \u03b1"),
    ],
)
def test_a_reference_that_nobody_can_read_costs_no_feed(written: str, read: str) -> None:
    document = feed_document(ODD.format(FINE, written).encode(), TELL)
    assert [entry.title for entry in document.entries] == ["A title beside it", read]


def test_an_entity_of_the_feeds_own_is_still_read() -> None:
    body = b"<!DOCTYPE rss [<!ENTITY my_word 'sponges'>]>" + ODD.format(FINE, "&my_word;").encode()
    assert mended(body) == body


def test_an_address_keeps_its_parts() -> None:
    link = "<link>https://a.example/?a=1&b=2</link>"
    document = feed_document(ODD.format(f"<item><title>A</title>{link}</item>", "B").encode(), TELL)
    assert document.entries[0].link == "https://a.example/?a=1&b=2"

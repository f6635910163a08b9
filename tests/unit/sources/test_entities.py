"""Documents whose entities unfold to more than anybody should read."""

import pytest

from service.sources.adapter import CaptureError
from service.sources.document import feed_document

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

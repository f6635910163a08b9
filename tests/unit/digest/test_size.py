"""What a mail weighs is told by the lengths of its texts, nearly."""

from support.digests import digest, entry, everything, frame, line, renderer, section

from service.delivery.press import Press
from service.digest.model import Marked, Reason
from service.digest.size import guessed
from service.flows.fitting import MARGIN


def shares(*made):
    press = Press(renderer())
    for one in made:
        html, whole = press.sizes(one, frame())
        yield max(html, whole) / guessed(one)


def test_a_byte_of_the_guess_is_about_the_same_share_of_every_mail():
    short, long = "A summary that says a little. " * 6, "Much is said of 'adapters' & more. " * 40
    made = [
        digest(section(*[entry(n, abstract=Marked(text)) for n in range(papers)], total=papers))
        for text in (short, long)
        for papers in (3, 9, 20)
    ]
    made.append(digest(section(entry(1), *[], lines=tuple(line(n) for n in range(2, 30)))))
    made.append(everything())
    found = list(shares(*made))
    assert 0.5 < min(found) <= max(found) < 1.3


def test_no_text_of_readers_or_sources_is_left_out():
    plain = digest(section(entry(1)))
    for longer in (
        entry(1, title="T" * 300),
        entry(1, abstract=Marked("A" * 300)),
        entry(1, summary_line="S" * 300),
        entry(1, authors=("N" * 150, "M" * 150)),
        entry(1, links={"abs": "https://example.org/" + "x" * 300, "pdf": ""}),
        entry(1, reasons=(Reason("r" * 300, "title"),)),
        entry(1, also_in=("Others " * 50,)),
    ):
        assert guessed(digest(section(longer))) > guessed(plain) + 200
    assert guessed(digest(section(entry(1)), note="N" * 300)) >= guessed(plain) + 300
    assert MARGIN > 1


def test_signs_that_grow_in_a_mail_weigh_more():
    def of(text):
        return guessed(digest(section(entry(1, abstract=Marked(text * 100)))))

    assert of("論") > of("<") > of("a")

"""Mails in German: sentences, dates, lengths of lines and subjects."""

import pytest
from support.digests import digest, entry, everything, frame, renderer, section


def test_german_digest() -> None:
    done = renderer().render_digest(everything(), frame(locale="de_CH"))
    assert "446 neue Artikel geprüft, 18 enthalten Ihre Suchwörter." in done.html
    assert "Fr., 20. November" in done.text
    assert "Montags bis freitags um 08:00 Uhr, Zürich." in " ".join(done.text.split())
    assert 'lang="de"' in done.html
    assert "LoRA im Titel" in done.text
    one = renderer().render_digest(digest(section(entry(1)), matched=1), frame(locale="de"))
    assert "1 enthält Ihre Suchwörter" in one.text
    assert one.subject == "LoRA adapters that forget less"

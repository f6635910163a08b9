"""The passage of an abstract that shows a hit."""

from service.digest.excerpt import passage

TEXT = "We begin. Here adapters forget less, e.g. on maps. We end."


def test_the_sentence_with_the_first_hit_is_shown_marked() -> None:
    at = TEXT.index("adapters")
    shown = passage(TEXT, [(at, at + 8)], 200)
    assert shown.text == "[...] Here adapters forget less, e.g. on maps.\u00a0[...]"
    assert [shown.text[a:b] for a, b in shown.marks] == ["adapters"]


def test_a_long_sentence_is_cut_around_its_hit() -> None:
    text = "word " * 200 + "adapters " + "word " * 50
    at = text.index("adapters")
    shown = passage(text, [(at, at + 8)], 100)
    assert "adapters" in shown.text
    assert len(shown.text) < 130
    assert [shown.text[a:b] for a, b in shown.marks] == ["adapters"]


def test_without_a_hit_there_is_nothing_to_show() -> None:
    assert passage(TEXT, [], 200).text == ""
    assert passage("", [(0, 3)], 200).text == ""

"""The button of the quiet mail: wider words filled in, saved only by the page's own button."""

from pathlib import Path

from support.reading_house import reading_house


def test_words_of_a_mail_are_filled_in_and_change_nothing(tmp_path: Path) -> None:
    with reading_house(tmp_path) as house:
        house.subscribe("ada@uni.example", "adapters")
        link, row = house.own_page("ada@uni.example")
        before = house.tables()
        wider = {"interest": str(row.id), "words": "adapters, <i>robots</i>"}
        page = house.client.get(link, params=wider)
        assert page.status_code == 200
        assert "adapters, &lt;i&gt;robots&lt;/i&gt;" in page.text
        assert row.name in page.text
        assert "<i>robots</i>" not in page.text
        other = house.client.get(link, params={**wider, "interest": "999"})
        assert "&lt;i&gt;" not in other.text
        assert house.tables() == before

"""The button of the quiet mail: wider words filled in, saved only by the page's own button."""

from pathlib import Path

from support.reading_house import reading_house

from service.flows.manage_link import manage_token
from service.store.subscribers import list_profile_rows


def test_words_of_a_mail_are_filled_in_and_change_nothing(tmp_path: Path) -> None:
    with reading_house(tmp_path) as house:
        house.subscribe("ada@uni.example", "adapters")
        reader = house.reader("ada@uni.example")
        assert reader.id is not None
        reader_id = reader.id
        row = house.rt.db.read(lambda s: list_profile_rows(s, reader_id))[0]
        link = f"/manage/{manage_token(house.rt, reader, house.clock())}"
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

"""The pages of mails for a browser: two readers (English and German), each with mails of every kind
that has a page."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from support.house import ingest_items, paper_item
from support.reading_house import Reading

from service.flows import manual
from service.flows.alerts import plan_alerts
from service.flows.daily import plan_daily
from service.flows.letter import share_name
from service.flows.manage_link import manage_token
from service.store.deliveries import list_deliveries
from service.store.subscribers import get_subscriber_row
from service.store.tables import DeliveryRow, SubscriberRow

READERS = {"en": "ada@uni.example", "de": "dora@uni.example"}


@dataclass(frozen=True)
class MailPages:
    """Paths by language and name: digest, alert, letter, history, tune, paper, ..."""

    paths: dict[str, dict[str, str]]
    tokens: dict[str, str]

    def path(self, name: str, language: str = "en") -> str:
        return self.paths[language][name]


def send_everything(house: Reading, items: list[dict[str, Any]] | None = None) -> MailPages:
    """Subscribe both, send a digest that counts some papers, a letter and an alert."""
    many = [paper_item(7000 + n, f"Adapters for radios, part {n}") for n in range(55)]
    ingest_items(house.rt, house.folder, items or many)
    for language, address in READERS.items():
        house.subscribe(address, "adapters, robots")
        change = sa.update(SubscriberRow).where(sa.column("email_key") == address)
        house.rt.db.write(lambda s, c=change, to=language: s.execute(c.values(locale=to)))  # type: ignore[misc]
    plan_daily(house.rt)
    house.send()
    letter = manual.draft(
        house.rt, kind="newsletter", subject="News of the library", body="Open *late*.", key="n"
    )
    manual.start(house.rt, letter, expected=2, at_once=True)
    house.send()
    house.clock.go(days=1)
    house.rt.db.write(lambda s: s.execute(sa.text("UPDATE profile SET cadence = 'instant'")))
    ingest_items(house.rt, house.folder, [paper_item(6001, "Adapters at once")])
    plan_alerts(house.rt)
    house.send()
    return MailPages(
        {language: _paths(house, address) for language, address in READERS.items()},
        {language: _mails(house, address)["digest"].token for language, address in READERS.items()},
    )


def _mails(house: Reading, address: str) -> dict[str, DeliveryRow]:
    reader = house.rt.db.read(lambda s: get_subscriber_row(s, email_key=address))
    assert reader is not None
    found = {}
    for row in house.rt.db.read(lambda s: list_deliveries(s, subscriber_id=reader.id)):
        content = row.content or {}
        if content.get("notice") == "newsletter":
            found["letter"] = row
        elif "digest" in content:
            found["alert" if content["digest"]["kind"] == "alert" else "digest"] = row
    return found


def _paths(house: Reading, address: str) -> dict[str, str]:
    mails = _mails(house, address)
    digest = mails["digest"]
    assert digest.content is not None
    sections = digest.content["digest"]["sections"]
    entry, line = sections[0]["entries"][0], sections[0]["lines"][0]
    manage = manage_token(house.rt, house.reader(address), house.clock())
    return {
        **{name: f"/d/{share_name(row)}" for name, row in mails.items()},
        "tune": f"/tune/{digest.token}/{entry['scheme']}/{entry['value']}",
        "tune a line": f"/tune/{digest.token}/{line['scheme']}/{line['value']}",
        "tune shared": f"/tune/{share_name(digest)}/{entry['scheme']}/{entry['value']}",
        "history": f"/history/{manage}",
        "manage": f"/manage/{manage}",
        "paper": f"/papers/{entry['scheme']}/{entry['value']}",
    }

"""The forms that others script against, over plain HTTP: no cookie, no script, no button's name."""

import re
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from support.plain_forms import PlainForm, fetch, forms_of, press
from support.reading_house import WEDNESDAY, fill
from support.whole_site import WholeSite, whole_site

from service.store.subscribers import get_subscriber_row

ADA = "ada@uni.example"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeSite]:
    folder = tmp_path_factory.mktemp("contract")
    with whole_site(folder) as made:
        for back in (1, 0):
            fill(made.rt, folder, WEDNESDAY - timedelta(days=back), back)
        yield made


def sign_up_form(html: str) -> PlainForm:
    return next(form for form in forms_of(html) if "words" in form.fields)


def link_in_newest_mail(site: WholeSite, kind: str, to: str) -> str:
    head = next(head for head in site.mailbox.heads(limit=20) if to in head.recipients)
    mail = site.mailbox.read(head.id)
    assert mail is not None
    found = re.search(rf"{site.address}/{kind}/[\w.~=-]+", mail.text)
    assert found is not None, mail.text
    return found[0]


def state_of(site: WholeSite, address: str) -> str:
    row = site.rt.db.read(lambda s: get_subscriber_row(s, email_key=address))
    return row.state if row is not None else ""


def test_names_types_values_and_the_trap(site: WholeSite) -> None:
    status, html = fetch(f"{site.address}/")
    form = sign_up_form(html)
    assert (status, form.method) == (200, "post")
    assert form.types["email"] == "email"
    assert form.types["words"] in ("text", "textarea")
    assert {"hour", "zone"} <= form.fields.keys()
    assert form.options_without_value == 0
    assert "name" not in form.buttons[0], "what Enter presses has no name"
    assert "formaction" not in form.buttons[0]
    named = [button for button in form.buttons if button.get("formaction")]
    assert [button["formaction"] for button in named] == ["/estimate"]
    more = form.fields.keys() - {"email", "words", "hour", "zone"}
    assert more, "the trap and the clock"
    assert not [name for name in more if "email" in name or "word" in name]
    assert form.types["homepage"] != "hidden", "programs fill what looks like a field"


@pytest.mark.slow  # sleeps the seconds that a person takes
def test_three_seconds_are_slow_enough_and_no_button_subscribes(site: WholeSite) -> None:
    page = f"{site.address}/"
    form = sign_up_form(fetch(page)[1])
    time.sleep(3)
    status, said = press(page, form, email=ADA, words="adapters")
    assert (status, state_of(site, ADA)) == (200, "pending")
    assert "Look in your mailbox" in said
    site.send()
    link = link_in_newest_mail(site, "confirm", ADA)
    assert fetch(link)[0] == 200
    assert state_of(site, ADA) == "pending", "looking changes nothing"
    first = next(form for form in forms_of(fetch(link)[1]) if form.method == "post")
    status, _ = press(link, first)
    assert (status, state_of(site, ADA)) == (200, "active")
    site.send()
    leave = link_in_newest_mail(site, "u", ADA)
    assert fetch(leave)[0] == 200
    assert state_of(site, ADA) == "active"
    first = next(form for form in forms_of(fetch(leave)[1]) if form.method == "post")
    status, _ = press(leave, first)
    assert (status, state_of(site, ADA)) == (200, "left")


def test_the_estimate_button_only_estimates(site: WholeSite) -> None:
    page = f"{site.address}/"
    form = sign_up_form(fetch(page)[1])
    button = next(b for b in form.buttons if b.get("formaction"))
    at = str(button["formaction"])
    status, html = press(page, form, at, email="eve@uni.example", words="adapters")
    assert status == 200
    assert "papers a day" in html
    assert state_of(site, "eve@uni.example") == ""
    kept = sign_up_form(html)
    assert (kept.fields["email"], kept.fields["words"]) == ("eve@uni.example", "adapters")


def test_four_fields_alone_and_an_address_alone_subscribe(site: WholeSite) -> None:
    page = f"{site.address}/"
    four = {"email": "bo@uni.example", "words": "robots", "hour": "07", "zone": "Europe/Zurich"}
    assert fetch(page, four)[0] == 200
    assert fetch(page, {"email": "cy@uni.example"})[0] == 200
    assert state_of(site, "bo@uni.example") == state_of(site, "cy@uni.example") == "pending"
    row = site.rt.db.read(lambda s: get_subscriber_row(s, email_key="bo@uni.example"))
    assert row is not None
    assert (row.hour, row.zone) == (7, "Europe/Zurich")

"""Every text a reader reads is one that translators are given: pages, faults, mails.

Shown in the pseudo-language of ``support.pseudo``; whatever is still English is named.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.exceptions import HTTPException
from support.house import ingest_items, paper_item
from support.pseudo import pseudo_texts, runs, speaking_pseudo, untranslated
from support.reader_site import make_site
from support.reading_house import Reading, path_in, text_of

from service.app import TEST_MODE
from service.cli.serving import DEMO_BANNER
from service.delivery.i18n import Texts
from service.flows.became import what_became
from service.flows.daily import plan_daily
from service.flows.mail_days import MailDay
from service.flows.manage_link import manage_token
from service.flows.quiet import plan_quiet
from service.pages.guard import FormTokens, SignUpCheck
from service.store.deliveries import list_deliveries
from service.store.instance import set_setting
from service.store.subscribers import list_profile_rows
from service.web.examples import ELSEWHERE, EXAMPLES
from service.web.starts import STARTS

pytestmark = pytest.mark.slow  # pages in a house of their own

ADA = "ada@uni.example"
NOWHERE = "x" * 30
TYPED_BY_A_PRESS = " ".join(("survey, medical", *(start.words for start in STARTS)))
"""Words of papers that the sign-up form offers: what is typed is in nobody's language."""


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reading]:
    yield from speaking_pseudo(tmp_path, monkeypatch)


def link(house: Reading, *, fresh: bool = True) -> str:
    token = manage_token(house.rt, house.reader(ADA), house.clock(), fresh=fresh)
    return f"/manage/{token}"


def lost(answer: Any, typed: str = "") -> list[str]:
    """What of an answer nobody could translate."""
    found = runs(answer.text)
    assert found, "there is nothing to read"
    return untranslated(found, f"{TYPED_BY_A_PRESS} {typed}")


def test_what_is_not_translated_is_found() -> None:
    assert untranslated(["⟦Ţĥé ĥöûŕ⟧", "⟦Wed 18 November⟧", "Robots fold towels", "5 · 12"]) == []
    for english in ("Nothing here", "⟦Ţĥé ĥöûŕ⟧ and more", "⟦Ţĥé ‘hour’ ĥöûŕ⟧", "18 November"):
        assert untranslated([english]) == [english]
    assert runs('<p title="a">b<script>c</script><input placeholder="d"></p>') == ["a", "b", "d"]


def test_pages(house: Reading) -> None:
    house.subscribe(ADA, "adapters")
    ada = house.reader(ADA)
    typed = " ".join(map(repr, (*EXAMPLES, *ELSEWHERE)))
    strays = {}
    for path in (
        "/", "/?words=adapters,+unicorns", "/?words=robots", "/?words=zebra+unicorns", "/papers",
        "/papers?order=newest", "/papers/2026-11-14", "/papers/2026-12-01", "/papers/2026-11-12",
        "/search", "/search?q=robots", "/search?q=robots+zebra", "/papers/arxiv/2611.00100",
        "/help/queries", "/sources", "/about", "/privacy", "/manage", link(house),
        link(house, fresh=False), f"/u/{ada.unsubscribe_token}",
        link(house).replace("manage", "history"),
    ):  # fmt: skip
        answer = house.client.get(path)
        assert answer.status_code == 200, path
        if found := lost(answer, typed if path == "/help/queries" else ""):
            strays[path] = found
    assert strays == {}, strays


def test_words_read_back_and_offers(house: Reading, tmp_path: Path) -> None:
    """Broad, none, dead words, what each alone brings; also while one types."""
    items = [paper_item(7000 + n, f"Robots fold towels number {n}") for n in range(90)]
    ingest_items(house.rt, tmp_path, items, on=date(2026, 11, 18))
    strays = {}
    for words in (
        "robots", "robots, adapters, zebra", "low-rank adaptation adapters", "", "diffusion",
        "robots AND zebra", "zebra towels", "adapters, -robots",
    ):  # fmt: skip
        for headers in ({}, {"HX-Request": "true"}):
            answer = house.client.post("/estimate", data={"words": words}, headers=headers)
            assert answer.status_code == 200
            if found := lost(answer):
                strays[words] = found
    assert strays == {}


WRONG_WORDS = (
    "a OR (diffusion", "(diffusion) robots)", "LoRA AND PEFT, adapters", "NOT robots",
    "votes:many", "titel:robots AND hands", 'a AND "robots', "a OR", "OR b", "robots ( )",
    "((((((((((robots))))))))))", "a*", "robots[tiab]", "robots[xyz]", "ti:(au:robots hands)",
    "ti:(votes:>3 robots)", '"robots hands"~99', '"robots"~3 AND hands', "au:a*b AND robots",
    "id:26* AND robots", "cat:* AND robots", "=robots* AND hands", "robo*s AND hands",
    "robots AND ( + hands)", "robots AND !hands", "au:=robots AND hands", "?!", "-robots",
    "cs.LG, robots", "cat:cs.LGG", "https://arxiv.org/abs/1 AND x", "2511.01234 AND x", "^x AND y",
    "graph NEAR/3 net", "TS=(a)", "allintitle: x y", "graph.ti,ab. AND x", "title : x AND y",
    "graph^2 AND x", "graph~ AND x", "wom?n AND x", "/x/ AND y", "{a b} AND x", "'a b' AND x",
    "year:2020 AND x", "x[dp] AND y", "exp Robots/ AND x", "foo:bar AND x",
    "= ti:robots AND hands", ", ".join(f"robots{n}" for n in range(70)), "x" * 1100,
)  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [pytest.param(words, id=words[:20]) for number, words in enumerate(WRONG_WORDS)],
)
def test_faults_of_words(house: Reading, words: str) -> None:
    answer = house.client.post("/estimate", data={"words": words})
    assert answer.status_code == 422
    assert lost(answer, words + " quantiz beng graph network word name") == []


def test_faults_of_the_sign_up_form(house: Reading) -> None:
    good = {"email": "b@uni.example", "words": "robots", "hour": "08", "zone": "UTC"}
    strays = {}
    for field, value in (
        ("email", ""), ("email", "no at"), ("email", "a@b@"), ("email", "two..dots@uni.example"),
        ("email", "x" * 255 + "@uni.example"), ("email", "a@uni..example"), ("hour", "25"),
        ("zone", "Mars/Base"), ("words", "(robots"), ("words", "NOT robots"),
    ):  # fmt: skip
        answer = house.client.post("/", data={**good, field: value})
        assert answer.status_code == 422, value
        if found := lost(answer, value):
            strays[value] = found
    fast = {**good, SignUpCheck.TIME: SignUpCheck(FormTokens(house.rt.signer.keys)).shown()}
    answer = house.client.post("/", data=fast)
    assert answer.status_code == 422
    assert strays == {}
    assert lost(answer) == []
    assert lost(house.client.post("/", data={**good, "email": "ada@gmial.com"})) == []


@pytest.mark.parametrize("signup", ["closed", "domains:uni.example,lab.example"])
def test_sign_up_that_is_not_for_everybody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, signup: str
) -> None:
    for house in speaking_pseudo(tmp_path, monkeypatch, signup=signup):
        answer = house.client.post("/", data={"email": "a@elsewhere.example", "words": "robots"})
        assert answer.status_code == 422
        assert lost(answer, signup) == []
        assert lost(house.client.get("/"), signup) == []


def test_what_stands_above_every_page(house: Reading) -> None:
    app = make_site(house.rt, alarm=lambda: TEST_MODE, banner=lambda: DEMO_BANNER)
    client = TestClient(app, base_url=house.rt.site.base_url, headers={"Accept-Language": "en-XA"})
    answer = client.get("/about")
    assert pseudo_texts().said(TEST_MODE) in answer.text
    assert lost(answer) == []


def test_many_requests(house: Reading) -> None:
    house.rt.db.write(lambda s: set_setting(s, "network_an_hour", 1))
    house.subscribe(ADA, "adapters")
    delayed = house.client.post("/", data={"email": "b@uni.example", "words": "robots"})
    assert pseudo_texts().gettext("Look in your mailbox") in delayed.text
    assert lost(delayed) == []
    for _ in range(2):
        answer = house.client.post("/manage", data={"email": ADA})
    assert pseudo_texts().gettext(
        "Many requests from your network. Your mail follows within the hour."
    ) in (answer.text)
    assert lost(answer) == []


def test_links(house: Reading) -> None:
    """Confirmed, used, ended, altered; leaving and coming back."""
    client, strays = house.client, {}

    def see(name: str, answer: Any, status: int) -> None:
        assert answer.status_code == status, name
        if found := lost(answer):
            strays[name] = found

    client.post("/", data={"email": ADA, "words": "adapters", "hour": "08"})
    house.send()
    mail = house.mails(ADA)[-1]
    confirm, never = path_in(mail, "confirm"), path_in(mail, "never")
    see("confirm", client.get(confirm), 200)
    see("never", client.get(never), 200)
    see("begun", client.post(confirm, data={"asked": "1"}), 200)
    see("begun twice", client.post(confirm, data={"asked": "1"}), 200)
    see("used", client.get(confirm), 200)
    see("never, pressed", client.post(never), 200)
    for kind in ("confirm", "never", "manage", "u", "d", "history", "manage/address"):
        see(kind, client.get(f"/{kind}/{NOWHERE}"), 404)
    see("tune", client.get(f"/tune/{NOWHERE}/arxiv/1"), 404)
    see("paper", client.get("/papers/arxiv/9999.99999"), 404)
    old = link(house)
    token = house.reader(ADA).unsubscribe_token
    see("left", client.post(f"/u/{token}"), 200)
    see("left, seen again", client.get(f"/u/{token}"), 200)
    see("left, settings", client.get(old), 200)
    see("reason", client.post(f"/u/{token}/reason", data={"reason": "enough"}), 200)
    see("back", client.post(f"/u/{token}/undo"), 200)
    client.post(f"/u/{token}")
    house.clock.go(days=400)
    see("not back", client.post(f"/u/{token}/undo"), 200)
    see("ended", client.get(old), 410)
    see("ended confirmation", client.get(confirm), 410)
    see("renewed", client.post(f"{old}/link"), 200)
    assert strays == {}


def test_settings_and_their_faults(house: Reading) -> None:
    house.subscribe(ADA, "adapters")
    house.subscribe("eve@uni.example", "robots")
    ids = [house.reader(one).id for one in (ADA, "eve@uni.example")]
    rows = house.rt.db.read(lambda s: [list_profile_rows(s, one)[0] for one in ids])
    own, others = (row.id for row in rows)
    strays = {}
    for fresh, path, form, status in (
        (True, "interests", {"words": "(robots"}, 422),
        (True, "interests", {"words": "titel:robots AND hands"}, 422),
        (True, f"interests/{own}", {"words": "robots", "cap": "99"}, 422),
        (True, f"interests/{own}", {"act": "remove"}, 422),
        (True, f"interests/{others}", {"act": "remove"}, 422),
        (True, "interests/x", {"act": "remove"}, 404),
        (True, "schedule", {"hour": "99", "zone": "UTC", "weekdays": "mon"}, 422),
        (True, "schedule", {"hour": "08", "zone": "Mars/Base", "weekdays": "mon"}, 422),
        (True, "schedule", {"hour": "08", "zone": "UTC"}, 422),
        (True, "pause", {"until": ""}, 422),
        (True, "pause", {"until": "soon"}, 422),
        (True, "pause", {"until": "2099-01-01"}, 422),
        (True, "address", {"email": "nobody"}, 422),
        (True, "address", {"email": ADA}, 422),
        (True, "erase", {"sure": ""}, 422),
        (False, "erase", {"sure": "1"}, 403),
        (False, "address", {"email": "b@uni.example"}, 422),
        (True, "address", {"email": "b@uni.example"}, 200),
        (True, "link", {}, 200),
        (True, "interests", {"words": ""}, 303),
        (True, "pause", {"until": "2026-12-24"}, 303),
        (True, "erase", {"sure": "1"}, 200),
    ):
        answer = house.client.post(f"{link(house, fresh=fresh)}/{path}", data=form)
        assert answer.status_code == status, (path, form)
        if status == 303:
            answer = house.client.get(answer.headers["location"])
        if found := lost(answer, " ".join(form.values())):
            strays[path, str(form)] = found
    assert strays == {}


def test_too_many_interests_and_a_name_that_is_taken(house: Reading) -> None:
    house.rt.db.write(lambda s: set_setting(s, "interests", 2))
    house.subscribe(ADA, "adapters")
    house.client.post(f"{link(house)}/interests", data={"words": "robots"})
    taken = house.client.post(
        f"{link(house)}/interests/2", data={"words": "robots", "name": "adapters"}
    )
    many = house.client.post(f"{link(house)}/interests", data={"words": "zebra"})
    assert (taken.status_code, many.status_code) == (422, 422)
    assert lost(taken) + lost(many) == []


def test_faults_of_requests(house: Reading) -> None:
    app = make_site(house.rt)

    @app.get("/raise/{status}")
    def fail(status: int) -> None:
        if not status:
            raise RuntimeError("nobody foresaw this")
        raise HTTPException(status)

    client = TestClient(app, base_url=house.rt.site.base_url, raise_server_exceptions=False)
    client.headers["Accept-Language"] = "en-XA"
    strays = {}
    for status in (400, 401, 403, 404, 405, 409, 413, 429, 500, 502, 503):
        answer = client.get(f"/raise/{status}")
        assert answer.status_code == status
        if found := lost(answer):
            strays[str(status)] = found
    elsewhere = {"Origin": "https://elsewhere.example"}
    for name, answer, status in (
        ("unforeseen", client.get("/raise/0"), 500),
        ("no number", client.get("/raise/x"), 404),
        ("no page", client.get("/nowhere"), 404),
        ("no such method", client.put("/about"), 405),
        ("too large", client.post("/", content=b"words=" + b"x" * 70_000, headers=_FORM), 413),
        ("no form", client.post("/", json={"words": "robots"}), 400),
        ("too many fields", client.post("/", data={f"f{n}": "1" for n in range(300)}), 400),
        ("another site", client.post("/", data={"words": "robots"}, headers=elsewhere), 403),
    ):
        assert answer.status_code == status, name
        if found := lost(answer):
            strays[name] = found
    assert strays == {}


_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_mails_and_the_pages_about_them(house: Reading, tmp_path: Path) -> None:
    house.subscribe(ADA, "adapters, robots")
    house.client.post("/", data={"email": ADA, "words": "robots"})
    house.client.post("/manage", data={"email": ADA})
    house.client.post(f"{link(house)}/address", data={"email": "b@uni.example"})
    house.send()
    change = house.path_to("b@uni.example", "manage/address")
    assert lost(house.client.get(change)) == []
    assert lost(house.client.post(change)) == []
    house.subscribe("eve@uni.example", "zebra AND robots")
    for day in range(1, 9):
        house.clock.go(days=1)
        fresh = [paper_item(8000 + day, "Walking robots"), paper_item(8100 + day, "Hands")]
        ingest_items(house.rt, tmp_path, fresh, on=date(2026, 11, 18) + timedelta(days=day))
        plan_daily(house.rt)
        plan_quiet(house.rt)
        house.send()
    mails = [*house.mails(ADA), *house.mails("b@uni.example"), *house.mails("eve@uni.example")]
    subjects = [str(mail["Subject"]) for mail in mails]
    assert len(set(subjects)) >= 7, subjects
    for mail in mails:
        html = mail.get_body(("html",))
        said = [str(mail["Subject"]), *text_of(mail).replace("*", "").split("\n\n")]
        said += runs(html.get_content()) if html else []
        assert untranslated([" ".join(run.split()) for run in said], "Hands") == []
    reader_id = house.reader("b@uni.example").id
    rows = house.rt.db.read(lambda s: list_deliveries(s, subscriber_id=reader_id))
    mail = next(row for row in rows if row.content and "digest" in row.content)
    assert mail.content is not None
    entry = mail.content["digest"]["sections"][0]["entries"][0]
    tune = f"/tune/{mail.token}/{entry['scheme']}/{entry['value']}"
    answers = [house.client.get(tune), house.client.get(f"/d/{mail.token}", follow_redirects=True)]
    answers += [house.client.post(tune, data={"sign": sign}) for sign in ("more", "less", "none")]
    answers += [house.client.get(f"/history/{mail.token}"), house.client.get(f"{tune}0")]
    assert [lost(answer, "Hands") for answer in answers] == [[]] * len(answers)


def test_answers_and_smaller_steps_than_leaving(house: Reading) -> None:
    """What a reader asks, what they said, their data; one interest, a pause, and all erased."""
    client, strays = house.client, {}

    def see(name: str, answer: Any, status: int = 200) -> None:
        assert answer.status_code == status, name
        if found := lost(answer):
            strays[name] = found

    house.subscribe(ADA, "adapters")
    plan_daily(house.rt)
    house.send()
    here = link(house, fresh=True)
    history = here.replace("/manage/", "/history/")
    client.post(f"{here}/interests", data={"words": "robots"})
    for on in ("2026-11-17", "2026-11-18", "2026-11-21", "2026-12-24", "soon", "0001-01-01"):
        see(on, client.get(f"{history}?on={on}"), 422 if on in ("soon", "0001-01-01") else 200)
    for paper in ("2611.00100", "2611.00103", "2611.00104", "9999.99999", "Walking robots", "+"):
        see(paper, client.get(f"{history}?paper={paper}"), 422 if paper == "+" else 200)
    see("mails", client.get(f"{history}?only=mails"))
    see("marks", client.get(f"{history}/marks"))
    see("all back", client.post(f"{history}/marks", data={"sign": "all"}))
    see("data", client.get(f"{here}/data"))
    see("not for this link", client.get(f"{link(house, fresh=False)}/data"), 403)
    leave = f"/u/{house.reader(ADA).unsubscribe_token}"
    see("leave", client.get(leave))
    _, row = house.own_page(ADA)
    see("one", client.post(f"{leave}/interests/{row.id}"))
    see("one, back", client.post(f"{leave}/interests/{row.id}", data={"act": "undo"}))
    see("one, none", client.post(f"{leave}/interests/999"), 409)
    see("pause", client.post(f"{leave}/pause", data={"days": "7"}))
    see("paused", client.get(f"{history}?on=2026-11-20"))
    see("pause over", client.post(f"{leave}/pause", data={"days": "0"}))
    client.post(leave)
    see("nothing said", client.post(f"{leave}/reason"))
    see("link to erase", client.post(f"{leave}/link"))
    see("left", client.get(f"{history}?on=2026-11-20"))
    see("own page of who left", client.get(here))
    see("not sure", client.post(f"{here}/erase", data={"sure": ""}), 422)
    see("erased", client.post(f"{here}/erase", data={"sure": "1"}))
    assert strays == {}


STATES = (
    "accepted", "skipped", "failed", "expired", "deferred", "unknown", "suppressed", "cancelled",
    "planned",
)  # fmt: skip


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(
    "reason",
    ["paused", "too_few", "nothing_new", "not_your_day", "in_digest", "already_had", "error: x"],
)
def test_why_no_mail(state: str, reason: str) -> None:
    for said in ("", "552 full"):
        for until in (None, date(2026, 11, 30)):
            day = MailDay(
                on=date(2026, 11, 18), kind="digest", state=state, reason=reason, papers=2,
                checked=40, page="", accepted_at=None, said=said, paused_until=until,
            )  # fmt: skip
            assert untranslated([what_became(day, pseudo_texts())], "full") == []


def test_only_what_failed_is_our_fault() -> None:
    """Each reason that the ledger gives has words of its own on the reader's page."""
    said = {
        reason: what_became(
            MailDay(
                on=date(2026, 11, 18), kind="digest", state="skipped", reason=reason, papers=0,
                checked=40, page="", accepted_at=None,
            ),
            Texts("en"),
        )
        for reason in ("paused", "too_few", "nothing_new", "not_your_day", "in_digest",
                       "already_had", "error: KeyError")
    }  # fmt: skip
    assert len(set(said.values())) == len(said)
    assert [reason for reason in said if "our fault" in said[reason]] == ["error: KeyError"]

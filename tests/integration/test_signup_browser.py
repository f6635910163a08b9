"""Sign-up in a browser: its first screen on a phone, and what it says while one types."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from support.reading_house import fill_three_days
from support.whole_site import WholeSite, whole_site

pytestmark = pytest.mark.browser
THREE = ["Hugging Face Daily Papers", "arXiv cs.CL", "arXiv cs.LG"]
LOOKS = (Path(__file__).parents[1] / "support" / "looks.js").read_text()
PHONE, PHONE_AT_120 = (360, 640), (300, 533)
"""Letters at 120 % are a screen of so many fewer pixels: the style counts in em."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeSite]:
    """With the link to the built-in mailbox in its head."""
    folder = tmp_path_factory.mktemp("sign-up")
    with whole_site(folder) as made:
        fill_three_days(made.rt, folder)
        yield made


@pytest.fixture
def page(browser: Browser, site: WholeSite) -> Iterator[Page]:
    context = browser.new_context(timezone_id="Europe/Zurich")
    page = context.new_page()
    page.goto(site.address)
    yield page
    context.close()


@pytest.mark.parametrize("language", ["en-GB", "de-DE"])
@pytest.mark.parametrize(
    ("size", "is_test"), [(PHONE, False), (PHONE, True), (PHONE_AT_120, False)]
)
def test_all_that_is_needed_stands_on_the_first_screen(
    site: WholeSite,
    browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
    size: tuple[int, int],
    is_test: bool,
    language: str,
) -> None:
    monkeypatch.setattr("service.web.signup.browse.read_names", lambda _rt: THREE)
    if is_test:
        monkeypatch.setattr(site.rt, "test_recipient", "operator@uni.example")
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height}, locale=language, timezone_id="Europe/Zurich"
    )
    page = context.new_page()
    page.goto(site.address)
    assert page.locator(".notice").count() == is_test
    assert page.locator("a[href$='/mailbox']").count() == 1
    stand_on_the_first_screen(page, width, height)
    context.close()


@pytest.mark.parametrize("language", ["en-GB", "de-DE"])
def test_also_with_an_estimate_and_a_word_that_never_occurred(
    site: WholeSite, browser: Browser, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setattr("service.web.signup.browse.read_names", lambda _rt: THREE)
    width, height = PHONE
    context = browser.new_context(
        viewport={"width": width, "height": height}, locale=language, timezone_id="Europe/Zurich"
    )
    page = context.new_page()
    page.goto(site.address)
    before = page.locator("#words").bounding_box()
    page.locator("#words").fill("adapters, low-rank adaptation, retrieval-augmented unicorns")
    expect(page.locator("#reading .reading")).to_be_visible()
    expect(page.locator("#reading .meta")).to_contain_text("unicorns")
    after = page.locator("#words").bounding_box()
    assert before is not None
    assert after is not None
    assert before["y"] == after["y"], "the field stays where it is while one types"
    page.locator("#email").fill("ada.lovelace@university.example")
    page.evaluate("scrollTo(0, 0)")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        stand_on_the_first_screen(page, width, height)
    context.close()


def stand_on_the_first_screen(page: Page, width: int, height: int) -> None:
    """Words, address, schedule and button, each large enough for a thumb."""
    for thing in ("h1", "#words", "#email", "#hour", "#zone", "main .primary"):
        box = page.locator(thing).bounding_box()
        assert box is not None, thing
        assert box["y"] + box["height"] <= height, (thing, box)
        assert box["x"] + box["width"] <= width, (thing, box)
        assert thing == "h1" or box["height"] >= 44, (thing, box)
    small = "['words', 'email', 'hour', 'zone'].filter(id => "
    small += "parseFloat(getComputedStyle(document.getElementById(id)).fontSize) < 16)"
    assert page.evaluate(small) == [], "smaller letters make phones zoom in"
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_is_asked_once_typing_rests_and_the_field_keeps_focus_and_caret(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url) if r.url.endswith("/estimate") else None)
    page.get_by_label("Address").fill("ada@uni.example")
    field = page.get_by_label("Your words")
    field.press_sequentially("adapters, robots", delay=20)
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#reading")).to_contain_text("Any of: adapters · robots")
    assert len(asked) <= 2, "the address on leaving it, the words once"
    where = page.evaluate("[document.activeElement.id, document.activeElement.selectionStart]")
    assert where == ["words", len("adapters, robots") - 1]
    told = page.get_by_role("status").filter(has_text="Any of")
    expect(told).to_have_text(
        re.compile(r"^Any of: adapters · robots: about \d+ papers a day\. *$")
    )
    assert told.locator("button").count() == 0, "what is read out is short"
    assert page.input_value("#email") == "ada@uni.example"


def test_a_newer_question_ends_the_older_one(page: Page) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        if not held:
            held.append(route)  # the first answer never comes while the second one is asked for
        else:
            route.continue_()

    page.route("**/estimate", hold)
    field = page.get_by_label("Your words")
    field.fill("unicorns")
    page.wait_for_timeout(900)
    field.fill("robots")
    expect(page.locator("#reading")).to_contain_text("With: robots")
    assert held[0].request.failure is not None, "the older question was given up"


def test_a_fault_is_tied_to_its_field_and_goes_when_it_is_mended(page: Page) -> None:
    field = page.get_by_label("Your words")
    field.fill("robots AND (a")
    expect(page.locator("#words-fault")).to_be_visible()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_attribute("aria-describedby", "words-fault words-hint")
    expect(page.locator("#told")).to_contain_text("never closed")
    field.fill("robots")
    expect(page.locator("#reading")).to_contain_text("With: robots")
    expect(field).not_to_have_attribute("aria-invalid", "true")
    expect(field).to_have_attribute("aria-describedby", "words-hint")
    address = page.get_by_label("Address")
    address.fill("ada@gmial.com")
    field.focus()
    expect(page.locator("#meant")).to_contain_text("Did you mean ada@gmail.com?")
    page.get_by_role("button", name="Use ada@gmail.com").click()
    assert page.input_value("#email") == "ada@gmail.com"
    assert page.input_value("#words").strip() == "robots"


def test_a_server_that_does_not_answer_loses_nothing(page: Page) -> None:
    page.route("**/estimate", lambda route: route.abort())
    page.get_by_label("Your words").fill("robots")
    expect(page.locator("#reading")).to_contain_text("The server did not answer.")
    assert page.input_value("#words") == "robots"


def test_the_zone_is_the_browsers_and_tells_the_time_of_the_one_chosen(page: Page) -> None:
    shown = page.locator("#zone option:checked")
    expect(shown).to_have_text(re.compile(r"^Europe/Zurich, now \d\d:\d\d$"))
    page.get_by_label("the time zone").select_option("Asia/Tokyo")
    expect(shown).to_have_text(re.compile(r"^Asia/Tokyo, now \d\d:\d\d$"))
    assert page.locator("#zone option", has_text=", now").count() == 1


def test_the_zone_of_the_house_stays_where_it_was_chosen(page: Page, site: WholeSite) -> None:
    assert page.input_value("#zone") == "Europe/Zurich" != site.rt.zone
    page.get_by_label("the time zone").select_option(site.rt.zone)
    page.get_by_label("Address").fill("ada")
    page.get_by_role("button", name="Subscribe").click()
    expect(page.locator("#email-fault").first).to_contain_text("no @")
    assert page.input_value("#zone") == site.rt.zone
    shown = page.locator("#zone option:checked")
    expect(shown).to_have_text(re.compile(r", now \d\d:\d\d$"))


def test_it_holds_on_a_narrow_screen_and_on_paper(page: Page, site: WholeSite) -> None:
    page.goto(f"{site.address}/?words=adapters,unicorns&people=Wei+Zhang")
    page.set_viewport_size({"width": 320, "height": 640})  # 1280 px at 400 % (WCAG 1.4.10)
    assert page.evaluate(LOOKS) == []
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.documentElement).color") == "rgb(0, 0, 0)"
    assert not page.locator("#sign-up").is_visible()
    assert page.locator("mark").first.is_visible()


def test_words_and_people_stand_below_each_other_after_the_form(page: Page) -> None:
    page.get_by_label("Your words").fill("adapters")
    page.locator("summary").first.click()
    page.get_by_label("People").fill("Wei Zhang")
    page.get_by_label("Address").fill("ada@uni.example")
    page.wait_for_timeout(2100)  # faster than people type is refused
    page.get_by_role("button", name="Subscribe").click()
    expect(page.locator("h1")).to_have_text("Look in your mailbox")
    assert page.locator("dl.facts dd", has_text="Wei Zhang").count() == 1
    assert page.evaluate(LOOKS) == []

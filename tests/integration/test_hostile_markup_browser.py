"""Markup in papers, names, words, notes and settings stays text on every page and in every mail: in
a real browser, with scripts on and the policy that forbids them off."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, sync_playwright
from support.digests import digest, entry, line, section
from support.held import hold
from support.house import add, ingest_items, paper_item
from support.sizes import FULL
from support.whole_site import WholeSite, whole_site

from service.delivery import template_samples
from service.delivery.notices import NOTICES
from service.digest.model import AddedBy, Happening, Marked, Reason, Section, Signal
from service.flows import drafts, manual, staff
from service.flows.daily import plan_daily
from service.flows.freeze import content_of
from service.flows.letter import share_name
from service.flows.manage_link import manage_token
from service.store.deliveries import list_deliveries
from service.store.subscribers import get_subscriber_row
from service.store.tables import DeliveryRow

pytestmark = pytest.mark.browser
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PASSWORD = "correct horse battery"
ADA = "ada@uni.example"
AT = datetime(2026, 11, 18, 9, tzinfo=UTC)
RUN = "top.ran=1;window.ran=1"
MARKUP = [
    f"<script>{RUN}</script>",
    f"</title></style></textarea></script><script>{RUN}</script>",
    f'<img src=x onerror="{RUN}">',
    f'"><svg onload="{RUN}"><x-evil>',
    f"' autofocus onfocus='{RUN}' x='",
    f'" onmouseover="{RUN}" style="position:fixed;inset:0" x="',
    f'<iframe srcdoc="<script>{RUN}</script>"></iframe>',
    f'<a href="javascript:{RUN}">x-evil</a>',
    '<meta http-equiv="refresh" content="0;url=https://evil.example/">',
    '<base href="https://evil.example/"><form action="//evil.example"><button>',
    f"{{{{ ''.__class__ }}}}{{% raw %}}${{{RUN}}}",
    f"&lt;script&gt;{RUN}&lt;/script&gt;&#60;x-evil&#62;",
    f"--><x-evil><![CDATA[<script>{RUN}</script>",
    f"<math><mtext></form><form><mglyph><style></math><img src onerror={RUN}>",
]
LINKS = [
    f"javascript:{RUN}",
    f"JaVaScRiPt:{RUN}",
    f"java\nscript:{RUN}",
    f"\x01javascript:{RUN}",
    f"data:text/html,<script>{RUN}</script>",
    f"vbscript:{RUN}",
    "//evil.example/x",
    f'https://evil.example/"onclick="{RUN}',
    f"https://evil.example/'><script>{RUN}</script>",
    "file:///etc/passwd",
]
FAULTS = """() => {
  const said = [], own = /^(https?|mailto):$/;
  if (window.ran) said.push('a script ran');
  for (const e of document.querySelectorAll('*')) {
    const tag = e.tagName.toLowerCase();
    const drawn = tag === 'svg' && e.closest('figure.chart') && !e.querySelector('a, image, use');
    if (/^(x-evil|svg|math|object|embed|img)$/.test(tag) && !drawn)
      said.push(e.outerHTML.slice(0, 200));
    if (tag === 'base' && e.hasAttribute('href')) said.push(e.outerHTML);
    if (tag === 'meta' && e.httpEquiv === 'refresh') said.push(e.outerHTML);
    if (tag === 'iframe' && e.hasAttribute('srcdoc')) said.push(e.outerHTML.slice(0, 200));
    if (tag === 'script' && !(e.src && new URL(e.src).origin === location.origin))
      said.push(e.outerHTML.slice(0, 200));
    for (const a of e.attributes) {
      if (/^on/i.test(a.name) || a.name === 'srcdoc') said.push(`${tag} ${a.name}=${a.value}`);
      if (/^(href|src|action|formaction|xlink:href|data|poster|background)$/.test(a.name)
          && a.value) {
        let at;
        try { at = new URL(a.value, document.baseURI) } catch (error) { continue }
        if (!own.test(at.protocol)) said.push(`${tag} ${a.name}=${a.value}`);
        if (/^(action|formaction)$/.test(a.name) && at.origin !== location.origin)
          said.push(`${tag} ${a.name}=${a.value}`);
      }
    }
  }
  return said;
}"""


@dataclass
class Desk:
    site: WholeSite
    page: Page
    asked: list[str]

    def faults(self, path: str) -> list[str]:
        """What came out of data on a page, and in the frames in it."""
        self.asked.clear()
        self.page.goto(path if path.startswith("http") else self.site.address + path)
        self.page.wait_for_timeout(50)
        found = [fault for frame in self.page.frames for fault in frame.evaluate(FAULTS)]
        return found + [f"asked for {url}" for url in self.asked]


_HOSTILE = """
UPDATE paper SET title = :t || ' adapters', abstract = :t || ' adapters ' || :t, authors = :many,
    categories = :many, note = :t, organisation = :t, summary_line = :t, language = :t,
    links = :links, folded = NULL
WHERE id = :id
"""


def _hostile_papers(site: WholeSite) -> None:
    """Papers as no source of ours would hand them on: written into their rows."""
    items = [paper_item(7000 + n, f"Adapters {n}") for n in range(len(MARKUP))]
    ingest_items(site.rt, site.folder, items)
    kinds = ("abs", "pdf", "doi", "html", "code", "project", "discuss", "thumbnail")
    with site.rt.db.engine.begin() as connection:
        rows = connection.execute(sa.text("SELECT id FROM paper ORDER BY id")).scalars().all()
        for n, (paper_id, markup) in enumerate(zip(rows, MARKUP, strict=True)):
            links = {kind: LINKS[(n + at) % len(LINKS)] for at, kind in enumerate(kinds)}
            values = {"t": markup, "many": json.dumps([markup, f"Ana {markup}"]), "id": paper_id}
            connection.execute(sa.text(_HOSTILE), {**values, "links": json.dumps(links)})
        connection.execute(sa.text("UPDATE source SET title = :t"), {"t": MARKUP[2]})
        connection.execute(
            sa.text("UPDATE sighting SET submitter = :t"), {"t": f"carla {MARKUP[3]}"}
        )


def _hostile_digest() -> dict[str, Any]:
    """One section for each text, everything in it made of it."""
    parts: list[Section] = []
    for n, markup in enumerate(MARKUP):
        links = {kind: LINKS[(n + at) % len(LINKS)] for at, kind in
                 enumerate(("abs", "pdf", "html", "code", "discuss"))}  # fmt: skip
        one = replace(
            entry(n + 1), value=f"2611.{7000 + n:05}", title=Marked(markup, ((0, 3),)),
            abstract=Marked(markup, ((1, 4),)), authors=(markup,), place=markup, links=links,
            reasons=(Reason(markup, "title"),), also_in=(markup,), summary_line=markup,
        )  # fmt: skip
        short = replace(line(100 + n), value=markup, title=Marked(markup), link=links["abs"])
        at = Happening("code", links["pdf"], AT)
        news = Signal(paper_id=200 + n, scheme="doi", value=markup, title=Marked(markup),
                      happenings=(at,), link=links["abs"])  # fmt: skip
        parts.append(section(one, name=markup, profile_id=n + 1, lines=(short,)))
        parts.append(section(kind="signals", name=markup, profile_id=n + 1, signals=(news,)))
    made = digest(
        *parts, note="\n\n".join(MARKUP), late=tuple(MARKUP[:2]), read_from=(MARKUP[3],),
        added_by=AddedBy(organisation=MARKUP[4], added_on=AT.date()),
    )  # fmt: skip
    return content_of(made)


def _digest_row(site: WholeSite) -> DeliveryRow:
    reader = site.rt.db.read(lambda s: get_subscriber_row(s, email_key=ADA))
    assert reader is not None
    rows = site.rt.db.read(lambda s: list_deliveries(s, subscriber_id=reader.id))
    return next(row for row in rows if row.content and "digest" in row.content)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Iterator[Desk]:
    folder: Path = tmp_path_factory.mktemp("hostile")
    names = {"site_name": MARKUP[2], "org_name": MARKUP[3], "postal_address": MARKUP[0]}
    with whole_site(folder, **names) as site, sync_playwright() as playwright:
        _hostile_papers(site)
        add(site.rt, ADA, f'adapters, "{MARKUP[2].replace(chr(34), "")}"', name=MARKUP[5])
        site.rt.db.write(
            lambda s: s.execute(sa.text("UPDATE profile SET name = :t"), {"t": MARKUP[3]})
        )
        plan_daily(site.rt)
        letter = manual.draft(
            site.rt, kind="newsletter", subject=MARKUP[1], body="\n\n".join(MARKUP), key="n"
        )
        manual.start(site.rt, letter, expected=1, at_once=True)
        site.sends(2)
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_context(bypass_csp=True).new_page()
        asked: list[str] = []
        ours = (site.address, "about:", "data:")
        page.on("request", lambda one: None if one.url.startswith(ours) else asked.append(one.url))
        page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss())[0])
        page.goto(staff.create_admin(site.rt, "mia", "owner", by="cli"))
        for label in ("Password", "The same again"):
            page.get_by_label(label).fill(PASSWORD)
        page.get_by_role("button", name="Set password").click()
        page.get_by_label("Name").fill("mia")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url("**/admin")
        yield Desk(site, page, asked)
        browser.close()


def _papers() -> list[str]:
    return [f"/papers/arxiv/2611.{7000 + n:05}" for n in range(len(MARKUP))]


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/papers", "/papers/2026-11-18?order=newest", "/search?q=adapters", "/sources"),
        *("/about", "/privacy", "/help/queries", "/words?liked=arXiv:2611.07002", "/mailbox"),
        *_papers(),
    ],
)
def test_public_pages_show_markup_as_text(desk: Desk, path: str) -> None:
    assert desk.faults(path) == []


@pytest.mark.parametrize("markup", MARKUP)
def test_what_is_typed_stays_text(desk: Desk, markup: str) -> None:
    """Each text in a third of the places, in turn: each place shows four or five of them."""
    typed, at = quote(markup), MARKUP.index(markup)
    places = (f"/search?q={typed}", f"/?words={typed}", f"/words?liked={typed}",
              f"/papers/arxiv/{typed}", f"/d/{typed}", f"/manage/{typed}", f"/{typed}",
              f"/admin/find?q={typed}", f"/admin/deliveries?q={typed}")  # fmt: skip
    for path in places if FULL else places[at % 3 :: 3]:
        assert desk.faults(path) == [], path


def test_a_readers_pages_show_markup_as_text(desk: Desk) -> None:
    row = _digest_row(desk.site)
    reader = desk.site.rt.db.read(lambda s: get_subscriber_row(s, email_key=ADA))
    assert reader is not None
    manage = manage_token(desk.site.rt, reader, desk.site.clock(), fresh=True)
    paths = [f"/d/{share_name(row)}", f"/history/{row.token}", f"/manage/{manage}"]
    paths += [f"/tune/{row.token}/arxiv/2611.{7000 + n:05}" for n in range(0, len(MARKUP), 3)]
    for path in paths:
        assert desk.faults(path) == [], path
        assert "adapters" in desk.page.inner_text("body").lower(), path


def test_acts_of_the_page_about_a_paper_keep_text_text(desk: Desk) -> None:
    row = _digest_row(desk.site)
    page = desk.page
    for markup in MARKUP[:6]:
        assert desk.faults(f"/tune/{row.token}/arxiv/2611.07000") == []
        page.locator("#word").fill(markup)
        page.locator("form:has(input[value=without]) button").click()
        page.wait_for_load_state()
        assert page.evaluate(FAULTS) == [], markup
        if page.locator("button[name=undo]").count():
            page.locator("button[name=undo]").click()
            page.wait_for_load_state()
            assert page.evaluate(FAULTS) == []


def test_mails_and_previews_show_markup_as_text(desk: Desk) -> None:
    page = desk.page
    assert desk.faults("/mailbox") == []
    mails = page.eval_on_selector_all(".row-link", "links => links.map(link => link.href)")
    assert len(mails) == 2
    for mail in mails:
        assert desk.faults(mail) == []
        assert len(page.frames) > 1, "the mail is in a frame"
        assert desk.faults(f"{mail}/html") == []
    row = _digest_row(desk.site)
    admin = ["", "/sources", "/sources/1", "/readers", "/readers/1", "/readers/1/preview"]
    admin += ["/readers/1/mail", "/editions", f"/editions/{row.edition_id}", "/deliveries"]
    admin += [f"/deliveries/{row.id}", f"/deliveries/{row.id}/mail", "/send", "/settings", "/audit"]
    for path in admin:
        assert desk.faults(f"/admin{path}") == [], path


def test_a_stored_digest_made_of_markup_alone(desk: Desk) -> None:
    row = _digest_row(desk.site)
    hold(desk.site.rt, row.id, _hostile_digest())
    paths = [f"/d/{share_name(row)}", f"/history/{row.token}", f"/admin/deliveries/{row.id}"]
    paths += [f"/admin/deliveries/{row.id}/mail"]
    paths += [f"/tune/{row.token}/arxiv/2611.{7000 + n:05}" for n in range(len(MARKUP))]
    paths += [f"/tune/{share_name(row)}/arxiv/2611.{7000 + n:05}" for n in range(len(MARKUP))]
    for path in paths:
        assert desk.faults(path) == [], path
    desk.faults(f"/d/{share_name(row)}")
    shown = desk.page.inner_text("body")
    for markup in MARKUP:
        assert re.sub(r"\s+", "", markup) in re.sub(r"\s+", "", shown), markup
    ids = desk.page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(set(ids)) == len(ids)
    hold(desk.site.rt, row.id, row.content)


def test_the_check_before_a_send(desk: Desk) -> None:
    rt = desk.site.rt
    made: dict[str, dict[str, Any]] = {
        "l": {"kind": "newsletter", "subject": MARKUP[3], "body": "\n".join(MARKUP)},
        "p": {"papers": ["arxiv/2611.07002"], "subject": MARKUP[2], "body": MARKUP[0]},
    }
    for key, values in made.items():
        plan = manual.draft(rt, key=key, **values)
        drafts.keep(rt, plan, {"subject": MARKUP[3], "body": MARKUP[0]})
        for path in (f"/admin/send/{key}", f"/admin/send/{key}/mail", "/admin/send"):
            assert desk.faults(path) == [], path


def _hostile(value: Any, markup: str, name: str = "") -> Any:
    """A value of a mail with every text in it replaced; addresses are ours."""
    if isinstance(value, list | tuple):
        return type(value)(_hostile(one, markup, name) for one in value)
    if isinstance(value, dict):
        return {key: _hostile(one, markup, key) for key, one in value.items()}
    is_ours = name.endswith(("link", "url", "html")) or str(value).startswith("http")
    return markup if isinstance(value, str) and not is_ours else value


@pytest.mark.parametrize("kind", sorted(NOTICES))
def test_values_of_notices_stay_text(desk: Desk, kind: str) -> None:
    renderer = desk.site.rt.renderer
    for language in ("en", "de"):
        for markup in MARKUP if FULL else MARKUP[language == "de" :: 2]:
            data = template_samples.notice(kind, desk.site.address, furnished=True)
            made = renderer.render_notice(kind, _hostile(data, markup), language)
            desk.page.goto("about:blank")
            desk.page.set_content(made.html)
            assert desk.page.evaluate(FAULTS) == [], markup


def test_the_check_finds_what_it_is_for(desk: Desk) -> None:
    fill = "html => { window.ran = 0; document.querySelector('main').innerHTML = html }"
    for markup in (MARKUP[2], MARKUP[7], MARKUP[5].replace('" on', "<p on") + '">'):
        desk.page.goto(f"{desk.site.address}/about")
        desk.page.evaluate(fill, markup)
        assert desk.page.evaluate(FAULTS) != [], markup

"""The pages' Jinja2 environment, and the value that every page knows: the site."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from service.delivery.compiled import compiled_for
from service.delivery.i18n import SOURCE, Catalogs, Texts
from service.delivery.links import Links, SpokenLinks, is_open
from service.pages.language import locale_of
from service.pages.static import StaticFiles
from service.papers.subjects import with_name
from service.resources import resource_dir


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSite:
    """What header and footer say. ``privacy_url`` empty = our own page.

    banner: one line on top of every page ("Demo data"), plain text · alarm: the same in red
    (test mode, sending paused). Both are called for each page: they change while we run, and are
    said in the reader's language when they are a Sentence.
    """

    base_url: str
    name: str = "Paperpost"
    org: str = ""
    contact: str = ""
    privacy_url: str = ""
    has_mailbox: bool = False
    banner: Callable[[], str] = field(default=str)
    alarm: Callable[[], str] = field(default=str)


def web_address(value: str | None) -> str:
    """Return ``value`` when it is an http(s) address, else "": a feed may name a script."""
    if not value:
        return ""
    try:
        parts = urlsplit(value.strip())
    except ValueError:
        return ""
    return value.strip() if parts.scheme in ("http", "https") and parts.netloc else ""


def host_of(address: str) -> str:
    """Return the host of an address that ``web_address`` let pass, without "www."."""
    return (urlsplit(address).hostname or "").removeprefix("www.")


def make_environment(folder: Path, texts: Texts) -> Environment:
    """Return an environment that escapes everything, refuses unknown names, and speaks ``texts``.

    One environment per language: then a macro imported without context speaks it too.
    """
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        bytecode_cache=compiled_for("pages", texts.language),
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        texts.gettext, partial(texts.plural, None), newstyle=True, pgettext=texts.pgettext
    )
    environment.filters.update(
        day=texts.day,
        short_day=texts.short_day,
        number=texts.number,
        hour=texts.hour,
        long_day=texts.long_day,
        weekday=texts.weekday,
        join_words=texts.join,
        said=texts.said,
        labelled=texts.labelled,
        ended=texts.ended,
        web_address=web_address,
        host=host_of,
        category=with_name,
    )
    environment.globals.update(
        language=texts.language,
        direction=texts.direction,
        foreign=texts.foreign,
        between=texts.gap("。", ""),
    )
    # of one request (``Pages.answer``); partials and pages without one have none
    environment.globals.update(asked_language="", other_languages=())
    return environment


_FOR_STAFF = ("/admin/", "/mailbox/")
FIRST_WORDS = "New papers with your words in them. One mail a day."
"""The first heading of the sign-up page: a catalog that has it translates the pages too."""


class Pages:
    """Renders a page for a request: in the reader's language, with the site's name and links."""

    def __init__(
        self, site: PageSite, catalogs: Catalogs | None = None, folder: Path | None = None
    ) -> None:
        root = folder or resource_dir("templates")
        self.site = site
        self.links = Links(site.base_url)
        self.catalogs = catalogs or Catalogs.load(root / "locale")
        self.static = StaticFiles(root / "static", prefix=self.links.here.to("/static"))
        self._folder = root / "pages"
        # a page half in English must not call itself German: screen readers would misread it
        self._languages = [
            name
            for name in self.catalogs.languages
            if name == SOURCE or self.catalogs.texts(name).knows(FIRST_WORDS)
        ]
        self._environments: dict[str, Environment] = {}

    def place_of(self, request: Request) -> str:
        """Return the path without the one that the site lies under: "/manage/TOKEN"."""
        return str(request.url.path).removeprefix(self.links.here.base)

    def texts(self, request: Request) -> Texts:
        """Return the words of the reader's language; pages for the staff are in English."""
        if f"{self.place_of(request)}/".startswith(_FOR_STAFF):
            return self.catalogs.texts(SOURCE)
        return self.catalogs.texts(locale_of(request, self._languages))

    def mail_language(self, request: Request) -> str:
        """Return the language that this reader's mails would have: more are told than shown."""
        return locale_of(request, self.catalogs.languages)

    def links_of(self, request: Request) -> Links:
        """Return addresses for this page; where its own says ``?lang=``, they say it, too."""
        texts = self.texts(request)
        asked = request.query_params.get("lang") and is_open(self.place_of(request))
        return SpokenLinks(self.links.here.base, texts.language) if asked else self.links.here

    def other_languages(self, request: Request) -> list[tuple[str, str, str]]:
        """Return (language, its own name, address) of the same page in the others; none where a
        page is not to be had by its address alone, or speaks the language of its reader."""
        if request.method not in ("GET", "HEAD") or not is_open(self.place_of(request)):
            return []
        spoken = self.texts(request).language
        kept = [(name, text) for name, text in request.query_params.multi_items() if name != "lang"]
        return [
            (name, self.catalogs.texts(name).own_name, "?" + urlencode([*kept, ("lang", name)]))
            for name in self._languages
            if name != spoken
        ]

    def environment(self, texts: Texts) -> Environment:
        """Return the environment of a language, made once."""
        if texts.language not in self._environments:
            environment = make_environment(self._folder, texts)
            environment.globals.update(site=self.site, link=self.links.here, static=self.static.url)
            self._environments[texts.language] = environment
        return self._environments[texts.language]

    def render(self, name: str, context: Mapping[str, Any], texts: Texts) -> str:
        """Return the HTML of ``templates/pages/NAME``."""
        return self.environment(texts).get_template(name).render(context)

    def answer(
        self,
        request: Request,
        name: str,
        context: Mapping[str, Any] | None = None,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> HTMLResponse:
        """Render ``name`` for this request. The template also sees ``request``."""
        texts = self.texts(request)
        ours = {
            "request": request,
            "link": self.links_of(request),
            "asked_language": request.query_params.get("lang") and texts.language,
            "other_languages": self.other_languages(request),
        }
        html = self.render(name, ours | dict(context or {}), texts)
        answer = HTMLResponse(html, status_code=status, headers=dict(headers or {}))
        answer.headers.setdefault("Content-Language", texts.language)
        answer.headers.add_vary_header("Accept-Language")
        return answer

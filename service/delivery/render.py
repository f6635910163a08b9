"""From a digest or a notice to subject, text and HTML (Jinja2)."""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from jinja2 import TemplateError as JinjaError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from service.defaults import FIXED
from service.delivery import phrases, plain, template_check
from service.delivery.compiled import compiled_for
from service.delivery.frame import ReaderFrame, Rendered
from service.delivery.i18n import SOURCE, Catalogs, Texts
from service.delivery.message import wire_size
from service.delivery.notices import NOTICES
from service.delivery.site import Site
from service.delivery.template_files import Templates
from service.digest import budget
from service.digest.model import Digest, Marked
from service.errors import PaperpostError
from service.text.measure import columns

HTML_BUDGET = FIXED.html_budget
MESSAGE_BUDGET = 250_000
HEADERS = 6_000


class RenderError(PaperpostError):
    """One mail cannot be rendered; the others can."""


class Renderer:
    """All mails of one installation.

    template_dirs: folders with an ``email`` folder inside, the operator's own first, then ours;
    with one of the operator's, templates are rendered in Jinja's sandbox.
    styled: False leaves style.css away, and with it every change of lines.
    ``check`` reads them all; a command that mails nothing need not.
    """

    def __init__(
        self,
        template_dirs: Sequence[Path],
        catalogs: Catalogs,
        site: Site,
        *,
        html_budget: int = HTML_BUDGET,
        message_budget: int = MESSAGE_BUDGET,
        styled: bool = True,
    ) -> None:
        self.site = site
        self.catalogs = catalogs
        self.template_dirs = tuple(template_dirs)
        self.html_budget = html_budget
        self.message_budget = message_budget
        folders = [folder / "email" for folder in template_dirs]
        self._loader = Templates(folders, styled=styled)
        self._environments: dict[str, Environment] = {}

    def check(self) -> None:
        """Read every template: at the start of ``run`` and by ``doctor``.

        Raises TemplateError when one is broken (syntax, or a name that no mail has). Those of an
        operator are tried as well, by ``template_trial``.
        """
        template_check.refuse(template_check.Reading(self.environment("en")).faults())

    def environment(self, language: str) -> Environment:
        """Return what templates of one language are read with."""
        return self._environment(self.catalogs.texts(language))

    def fingerprint(self) -> str:
        """Return what tells these templates from others."""
        environment = self.environment(SOURCE)
        told = hashlib.sha256()
        for name in sorted(self._loader.list_templates()):
            told.update(f"{name}\0{self._loader.get_source(environment, name)[0]}\0".encode())
        return told.hexdigest()

    def fit(self, digest: Digest, reader: ReaderFrame) -> Digest:
        """Return the digest with full entries turned into lines and counts until it fits.

        ``paper_ids()`` stays the same. Compose stores this one, so that every later rendering
        shows what was mailed.
        """
        return self._fitted(digest, reader, public=False, test=False)[0]

    def render_digest(
        self, digest: Digest, reader: ReaderFrame, *, public: bool = False, test: bool = False
    ) -> Rendered:
        """Return the mail of one reader.

        public: for the page "view in browser": no address, no manage, unsubscribe or tune links,
        and as long as it is.
        test: says so in the subject. Raises RenderError: it does not fit, however shortened.
        """
        return self._fitted(digest, reader, public=public, test=test)[1]

    def render_notice(self, kind: str, data: Mapping[str, Any], locale: str = "en") -> Rendered:
        """Return one of the other mails; ``notices.NOTICES[kind]`` names the data it needs.

        Raises RenderError: unknown kind, or a value is missing.
        """
        wanted = NOTICES.get(kind)
        if wanted is None:
            raise RenderError(f"There is no mail called {kind!r}.", "kind")
        missing = sorted(wanted - data.keys())
        if missing:
            raise RenderError(f"The mail {kind!r} needs {', '.join(missing)}.", kind)
        return self._render(kind, self.catalogs.texts(locale), dict(data))

    def _fitted(
        self, digest: Digest, reader: ReaderFrame, *, public: bool, test: bool
    ) -> tuple[Digest, Rendered]:
        texts = self.catalogs.texts(reader.locale)
        if public:
            reader = replace(
                reader,
                manage_url="",
                unsubscribe_url="",
                tune_base="",
                view_url="",
                confirmed_on=None,
            )
            return digest, self._digest(digest, reader, texts, public, test)
        last: list[tuple[Digest, Rendered]] = []

        def fits(candidate: Digest) -> bool:
            done = self._digest(candidate, reader, texts, public, test)
            last[:] = [(candidate, done)]
            in_html = len(done.html.encode())
            return in_html <= self.html_budget and weight(done) <= self.message_budget

        fitted = budget.fit(digest, fits)
        if last[0][0] is not fitted and not fits(fitted):
            raise RenderError(
                "This digest does not fit into one mail.", "digest", "Shorten the note on top."
            )
        return last[0]

    def _digest(
        self, digest: Digest, reader: ReaderFrame, texts: Texts, public: bool, test: bool
    ) -> Rendered:
        values = {
            "digest": digest,
            "reader": reader,
            "public": public,
            "test": test,
            **sentences(digest, texts),
        }
        return self._render(name_of(digest), texts, values)

    def _render(self, name: str, texts: Texts, values: dict[str, Any]) -> Rendered:
        environment = self._environment(texts)
        values |= {"texts": texts, "lang": texts.language}
        values.setdefault("preheader", "")
        try:
            subject = plain.one_line(environment.get_template(f"{name}/subject.txt").render(values))
            values["subject"] = subject
            text = environment.get_template(f"{name}/body.txt").render(values)
            html = environment.get_template(f"{name}/body.html").render(values)
        except JinjaError as error:
            raise RenderError(f"The mail {name!r} cannot be rendered: {error}", name) from error
        return Rendered(
            subject,
            plain.one_line(str(values["preheader"])),
            _tidy(plain.body(text)),
            plain.body(html),
        )

    def _dressed(self, html: str) -> str:
        """Return an editor's letter (sanitised) with the rules of style.css, made once for all."""
        whole = f'<div class="letter" dir="auto">{html}</div>'
        return self._loader.dressed(whole) if self._loader.is_styled else whole

    def _environment(self, texts: Texts) -> Environment:
        found = self._environments.get(texts.language)
        if found is None:
            found = self._environments[texts.language] = self.new_environment(texts)
        return found

    def new_environment(
        self, texts: Texts, sort: Callable[[type[Environment]], type[Environment]] | None = None
    ) -> Environment:
        """Return an environment of its own. sort: makes another class of the usual one."""
        is_own = len(self.template_dirs) > 1
        kind: type[Environment] = ImmutableSandboxedEnvironment if is_own else Environment
        name = "own mails" if is_own else "mails"
        if sort is not None:
            kind, name = sort(kind), f"{name}, {sort.__name__}"
        made = kind(  # nosec B701: escapes by the kind of part; plain text has no markup
            loader=self._loader,
            undefined=StrictUndefined,
            autoescape=lambda name: bool(name) and str(name).endswith(".html"),
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            bytecode_cache=compiled_for(name, texts.language),
            extensions=["jinja2.ext.i18n"],
        )
        made.install_gettext_callables(  # type: ignore[attr-defined]
            texts.gettext,
            lambda one, many, n: texts.plural(None, one, many, n),
            newstyle=True,
            pgettext=texts.pgettext,
            npgettext=texts.plural,
        )
        base = self.site.base_url
        made.globals |= {"site": self.site, "texts": texts}
        made.filters |= {
            "number": texts.number,
            "day": lambda on: texts.day(on).replace(" ", plain.GLUE),
            "long_day": lambda on: texts.long_day(on).replace(" ", plain.GLUE),
            "labelled": texts.labelled,
            "ended": texts.ended,
            "wrap": plain.wrapped,
            "spread": plain.spread,
            "strung": plain.strung,
            "columns": columns,
            "lettered": plain.lettered,
            "one_line": plain.one_line,
            "safe_url": phrases.safe_url,
            "starred": _starred,
            "filler": _filler,
            "dressed": self._dressed,
            "section_name": lambda section: phrases.section_name(section, texts),
            "meta": lambda entry, digest: phrases.meta(entry, digest, texts),
            "told": lambda signal, digest: phrases.told(signal, digest, texts),
            "told_links": lambda signal: phrases.told_links(signal, texts),
            "reasons": lambda entry: phrases.reasons(entry, texts),
            "title_url": lambda paper: phrases.title_url(paper, base),
            "anchor": phrases.anchor,
            "more_url": phrases.more_url,
            "text_links": lambda entry, frame: phrases.text_links(entry, frame, texts),
            "subject_line": lambda digest, test: phrases.subject(digest, texts, test=test),
        }
        return made


def _filler(preheader: str) -> str:
    """Return what keeps mail programs from showing the mail's first words behind a short preheader:
    blanks and joiners up to its greatest length; nothing where there is no preheader."""
    return "\u00a0\u200c" * (phrases.PREHEADER_CHARS - len(preheader)) if preheader else ""


def weight(mail: Rendered) -> int:
    """Return the bytes of a whole mail on its way."""
    return wire_size(mail.text) + wire_size(mail.html) + HEADERS


def name_of(digest: Digest) -> str:
    """Return the folder of the digest's templates."""
    return "alert" if digest.kind == "alert" else "digest"


def sentences(digest: Digest, texts: Texts) -> dict[str, str]:
    """Return what templates are told of a digest in words, by name."""
    return {
        "headline": phrases.headline(digest, texts),
        "period": phrases.period(digest, texts),
        "late": phrases.late(digest, texts),
        "preheader": phrases.preheader(digest, texts),
    }


def _starred(marked: Marked, stars: bool = True) -> str:
    return "".join(f"*{text}*" if is_hit and stars else text for text, is_hit in marked.pieces())


def _tidy(text: str) -> str:
    """Return the text part without no-break and trailing spaces and runs of empty lines."""
    lines = "\n".join(line.rstrip() for line in text.replace(plain.GLUE, " ").split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n") + "\n"

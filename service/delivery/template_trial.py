"""An operator's templates, tried before anybody gets a mail of them.

What can be told by reading is told first (``template_check``). Then each kind of mail that one of
them has a part in is rendered from invented data, in every language, with all that a mail can have
and with the least: a name that is wrong is found where it stands, whatever branch it stands in.
Last, what comes out is looked at: links that no mail may lack, its size.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from service.delivery import override_folder, template_samples
from service.delivery.frame import Rendered
from service.delivery.notices import DIGESTS, NOTICES
from service.delivery.override_folder import Fault, Override
from service.delivery.render import Renderer, RenderError, weight
from service.delivery.template_check import PARTS, Reading
from service.delivery.template_files import inlined
from service.delivery.template_samples import Sample
from service.digest.budget import shown

_UNBOUNDED = 100_000_000
_TAG = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_UNSEEN = re.compile(r"\{#.*?#\}|<!--.*?-->|<style\b.*?</style>", re.DOTALL | re.IGNORECASE)
_ELEMENT = re.compile(r"<([a-z][a-z0-9]*)\b([^>]*)", re.IGNORECASE)
_DROPPED = {"script", "iframe", "form", "object", "embed", "link", "video", "audio", "input"}
_DARK = re.compile(r"@media[^{]*prefers-color-scheme:\s*dark[^{]*\{((?:[^{}]*\{[^{}]*\})*)")
_LINKS = {
    "digest": ("unsubscribe_url", "manage_url"),
    "alert": ("unsubscribe_url", "manage_url"),
    "quiet": ("unsubscribe_url", "manage_url"),
    "newsletter": ("unsubscribe_url", "manage_url"),
    "confirm": ("link", "never_link"),
    "already-subscribed": ("manage_url",),
    "manage-link": ("link",),
    "address-change": ("link",),
}
"""What a mail is for, or what the law and the mailbox providers ask of it."""


@dataclass(frozen=True, slots=True)
class Examined:
    """The operator's templates, and all that is wrong with them."""

    overrides: tuple[Override, ...]
    faults: tuple[Fault, ...]


def examine(renderer: Renderer) -> Examined:
    """Look at the operator's folder of a renderer; nothing when it has none."""
    own, ours = renderer.template_dirs[0], renderer.template_dirs[-1]
    if own == ours:
        return Examined((), ())
    found = override_folder.read(own, ours, renderer.html_budget)
    faults = list(found.faults)
    if found.overrides and not _refuses(faults):
        trial = _Trial(renderer, found.overrides)
        for step in (trial.read, trial.style, trial.render, trial.weigh):
            faults += step()
            if _refuses(faults):
                break
    return Examined(found.overrides, tuple(faults))


def _refuses(faults: Iterable[Fault]) -> bool:
    return any(fault.level == "fail" for fault in faults)


class _Trial:
    def __init__(self, renderer: Renderer, overrides: tuple[Override, ...]) -> None:
        self._renderer = renderer
        self._base = renderer.site.base_url
        self._paths = {override.name: override.path for override in overrides}
        self._overrides = overrides
        self._reading = Reading(self._unstyled(True).environment("en"), self._paths)

    def _unstyled(self, furnished: bool) -> Renderer:
        return Renderer(
            self._renderer.template_dirs,
            self._renderer.catalogs,
            template_samples.site(self._base, furnished=furnished),
            html_budget=_UNBOUNDED,
            message_budget=_UNBOUNDED,
            styled=False,
        )

    def read(self) -> Iterator[Fault]:
        """What reading alone tells."""
        yield from self._reading.faults()
        used = {name for kind in (*DIGESTS, *NOTICES) for name in self._reading.used_by(kind)}
        known = override_folder.names_of(self._renderer.template_dirs[-1])
        for override in self._overrides:
            if override.state == "added" and override.name not in used:
                yield override_folder.unused(override.path, override.name, known)

    def style(self) -> Iterator[Fault]:
        """What is lost or moved when the rules of style.css are written into the elements."""
        css = self._source("style.css")
        if path := self._paths.get("style.css"):
            yield from _unseen_in_the_dark(css, self._source("_frame.html"), path)
        for name, path in self._paths.items():
            if name.endswith(".html"):
                source = path.read_text("utf-8-sig")
                yield from _lost(source, inlined(source, css), path)
                yield from _unwelcome(source, path)

    def _source(self, name: str) -> str:
        path = self._paths.get(name)
        return (path or self._renderer.template_dirs[-1] / "email" / name).read_text("utf-8-sig")

    def render(self) -> Iterator[Fault]:
        """Every kind that the operator has a part in, in every language and every dress."""
        told: set[tuple[str, str]] = set()
        for furnished in (True, False):
            renderer = self._unstyled(furnished)
            for kind in self._touched():
                for fault in self._tried(renderer, kind):
                    same = (fault.where, fault.what.replace(repr(kind), ""))
                    if same not in told:
                        told.add(same)
                        yield fault

    def _touched(self) -> list[str]:
        own = {name for name in self._paths if not name.endswith(".css")}
        return [kind for kind in (*DIGESTS, *NOTICES) if self._reading.used_by(kind) & own]

    def _tried(self, renderer: Renderer, kind: str) -> Iterator[Fault]:
        for language in renderer.catalogs.languages:
            for sample in template_samples.samples(kind, self._base):
                try:
                    made = rendered(renderer, sample, language)
                except Exception as error:  # whatever an expression of a stranger may raise
                    yield self._of_error(error, sample)
                    return
                if sample.name == "furnished":
                    yield from self._of_parts(made, sample, renderer.site.postal)

    def _of_error(self, error: Exception, sample: Sample) -> Fault:
        cause = error.__cause__ if isinstance(error, RenderError) and error.__cause__ else error
        said = re.sub(r"'service\.[\w.]*?(\w+) object'", r"'\1'", f"{cause}".rstrip("."))
        if not isinstance(cause, RenderError) and type(cause).__module__ == "builtins":
            said = f"{type(cause).__name__}: {said}"
        own, ours = self._renderer.template_dirs[0], self._renderer.template_dirs[-1]
        where = _line(cause.__traceback__, own / override_folder.MAILS)
        if not where:  # ours asks for what theirs does not give
            at = _line(cause.__traceback__, ours / override_folder.MAILS)
            parts = [part for part in PARTS if Path(part).suffix in at] or PARTS
            where = self._first(sample.kind, parts)
            said += f", in our {Path(at).name}" if at else ""
        return Fault("fail", f"The mail {sample.kind!r} cannot be made: {said}.", where, "Mend it.")

    def _of_parts(self, made: Rendered, sample: Sample, postal: str) -> Iterator[Fault]:
        kind = sample.kind
        for text, part, called in (
            (made.subject, "subject.txt", "subject"),
            (made.text, "body.txt", "text"),
            (made.html, "body.html", "HTML"),
        ):
            if not text.strip():
                what = f"The {called} of {kind!r} is empty."
                yield Fault("fail", what, self._first(kind, [part]), "Say something in it.")
        for text, part in ((made.text, "body.txt"), (made.html, "body.html")):
            where = self._first(kind, [part])
            seen = _UNSEEN.sub("", text) if part == "body.html" else text
            for link in _LINKS.get(kind, ()):
                if _value(sample, link) not in seen:
                    name = link if sample.data is not None else f"reader.{link}"
                    what = f"The mail {kind!r} lacks the link {name}, which every reader needs."
                    yield Fault("fail", what, where, f"Put {{{{ {name} }}}} where it can be seen.")
            if postal and kind in ("digest", "alert") and postal not in text:
                what = f"The mail {kind!r} does not say the postal address, which some laws ask for"
                yield Fault("warn", f"{what}.", where, "Show {{ site.postal }}.")
            lost = sum(1 for title in _titles(sample) if title not in text)
            if lost:
                what = f"The mail {kind!r} leaves out {lost} papers of the sample, yet counts them"
                yield Fault("warn", f"{what} as sent.", where, "Show every entry and line.")

    def _first(self, kind: str, parts: Iterable[str]) -> str:
        """The operator's file that is nearest to a part of a mail, for what is nowhere in it."""
        for part in parts:
            for name in self._reading.made_of(f"{kind}/{part}"):
                if name in self._paths:
                    return f"{self._paths[name]}:1"
        return f"{kind}/{next(iter(parts))}:1"

    def weigh(self) -> Iterator[Fault]:
        """How large mails become, with style and with the words of this house."""
        renderer, limit = self._renderer, self._renderer.html_budget
        kinds = (*DIGESTS, *NOTICES) if "style.css" in self._paths else self._touched()
        for kind in kinds:
            where = self._largest(kind)
            step = "Shorten it."
            sample = next(template_samples.samples(kind, self._base))
            if sample.digest is None or sample.reader is None:
                made = rendered(renderer, sample, "en")
                size, most = len(made.html.encode()), renderer.message_budget
                if size > limit:
                    what = f"The mail {kind!r} has {size:,} bytes of HTML; it may have {limit:,}."
                    yield Fault("fail", what, where, step)
                elif (size := weight(made)) > most:
                    what = f"The mail {kind!r} has {size:,} bytes in all; it may have {most:,}."
                    yield Fault("fail", what, where, step)
                continue
            try:
                renderer.render_digest(template_samples.bare(kind), sample.reader)
            except RenderError:
                what = (
                    f"The mail {kind!r} has more than {limit:,} bytes of HTML with one paper,"
                    f" or {renderer.message_budget:,} in all."
                )
                yield Fault("fail", what, where, step)
                continue
            full = template_samples.largest(kind)
            fitted = renderer.fit(full, sample.reader)
            if fitted != full:
                in_full = sum(1 for _ in fitted.entries())
                what = (
                    f"Of 10 papers in full and 30 as lines, {in_full} and {shown(fitted) - in_full}"
                )
                yield Fault("warn", f"{what} fit into the mail {kind!r}.", where, step)

    def _largest(self, kind: str) -> str:
        """The largest file of the operator's in a mail, at its longest line."""
        names = [*self._reading.used_by(kind), "style.css"]
        own = [self._paths[name] for name in names if name in self._paths]
        path = max(own, key=lambda one: one.stat().st_size)
        lines = path.read_text("utf-8-sig").split("\n")
        return f"{path}:{max(range(len(lines)), key=lambda n: len(lines[n])) + 1}"


def rendered(renderer: Renderer, sample: Sample, language: str) -> Rendered:
    """One sample as a mail. Raises whatever its templates raise."""
    if sample.data is not None:
        return renderer.render_notice(sample.kind, sample.data, language)
    assert sample.digest is not None
    assert sample.reader is not None
    return renderer.render_digest(
        sample.digest,
        replace(sample.reader, locale=language),
        public=sample.public,
        test=sample.test,
    )


def _value(sample: Sample, link: str) -> str:
    values = sample.data if sample.data is not None else {link: getattr(sample.reader, link)}
    return str(values[link])


def _titles(sample: Sample) -> Iterator[str]:
    for section in sample.digest.sections if sample.digest else ():
        yield from (entry.title.text.rpartition(", ")[2] for entry in section.entries)
        yield from (line.title.text.rpartition(", ")[2] for line in section.lines)


def _line(traceback: TracebackType | None, folder: Path) -> str:
    """The innermost line of a folder's templates that an error passed."""
    found = ""
    while traceback is not None:
        path = Path(traceback.tb_frame.f_code.co_filename)
        if path.is_relative_to(folder):
            found = f"{path}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return found


def _at(source: str, position: int, path: Path) -> str:
    return f"{path}:{source.count(chr(10), 0, position) + 1}"


def _blanked(source: str) -> str:
    return _UNSEEN.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), source)


def _lost(source: str, styled: str, path: Path) -> Iterator[Fault]:
    """An element outside of its table vanishes; a tag between a table and its rows moves."""
    blank = _blanked(source)
    there = Counter(found[1].lower() for found in _ELEMENT.finditer(_blanked(styled)))
    for found in _ELEMENT.finditer(_TAG.sub(lambda tag: " " * len(tag[0]), blank)):
        name = found[1].lower()
        if not there[name]:
            what = f"This <{name}> stands where HTML knows none, and is lost."
            step = "Write the whole table into one file."
            yield Fault("fail", what, _at(source, found.start(), path), step)
            return
        there[name] -= 1
    after = iter([tag[0] for tag in _between(_blanked(styled))])
    for tag in _between(blank):
        if next(after, "") != tag[0]:
            what = "This stands between a table and its rows, where HTML moves it away."
            step = "Put it into a cell, or around the whole table."
            yield Fault("fail", what, _at(source, tag.start(), path), step)
            return


def _between(source: str) -> Iterator[re.Match[str]]:
    """The tags that stand between elements, not in their attributes (whose order is free)."""
    plain = _TAG.sub(lambda tag: " " * len(tag[0]), source)
    inside = [found.span() for found in re.finditer(r"<[^>]*>", plain)]
    ends = [end for _, end in inside]
    for tag in _TAG.finditer(source):
        at = bisect_right(ends, tag.start())
        if at == len(inside) or tag.start() < inside[at][0]:
            yield tag


def _unseen_in_the_dark(css: str, frame: str, path: Path) -> Iterator[Fault]:
    """Colours of letters that stay the same on the dark page."""
    css = re.sub(r"/\*.*?\*/", lambda found: re.sub(r"[^\n]", " ", found[0]), css, flags=re.DOTALL)
    dark = "".join(_DARK.findall(css) + _DARK.findall(frame))
    light = re.sub(r"@[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", lambda f: " " * len(f[0]), css)
    for rule in re.finditer(r"([^{}]+)\{([^{}]*)\}", light):
        colour = re.search(r"(?<![-\w])color\s*:", rule[2])
        for selector in filter(str.strip, rule[1].split(",") if colour else ()):
            names = re.findall(r"[.#]?[\w-]+", selector.split()[-1])
            if not any(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", dark) for name in names):
                what = f"The letters of {selector.strip()} keep this colour on a dark page."
                step = "Give them another in @media (prefers-color-scheme: dark), with !important."
                at = css.count("\n", 0, rule.start(2) + colour.start() if colour else 0) + 1
                yield Fault("warn", what, f"{path}:{at}", step)


def _unwelcome(source: str, path: Path) -> Iterator[Fault]:
    blank = _blanked(source)
    for found in _ELEMENT.finditer(blank):
        name, attributes, at = found[1].lower(), found[2], _at(source, found.start(), path)
        if name in _DROPPED:
            what = f"Mail programs leave <{name}> out, or take the mail for a fraud."
            yield Fault("warn", what, at, "Take it away.")
        if name == "img" and "alt=" not in attributes:
            what = "This picture has no alt text: most readers see that instead of it."
            yield Fault("warn", what, at, 'Say what it shows: alt="...".')
        if name == "img" and re.search(r"\bsrc\s*=.*\breader\b", attributes):
            what = "A picture with an address of its own for each reader tells who opened the mail."
            yield Fault("warn", what, at, "Name one address; we promise not to track.")

"""Templates in which what is repeated is not rendered but noted: each call of a macro for an item
of a loop over sections, papers, lines or signals (``{{ full(entry, digest, reader) }}``).

They are the templates that render a mail, ours or an operator's; only how Jinja compiles them
differs. Filters do their work later where they are given a reader's value.
"""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from jinja2 import Environment, nodes, pass_context
from jinja2.filters import FILTERS
from jinja2.runtime import Context
from jinja2.visitor import NodeTransformer

from service.delivery.holes import (
    CONFIRMED,
    CONFIRMED_DAY,
    HEADING,
    SCHEDULE,
    SUBJECT_LINE,
    WHY,
    HeldMarked,
    HeldText,
    Poison,
    Present,
    Spelled,
    Stub,
    Tape,
    Unfit,
    has_sign,
)
from service.delivery.i18n import Texts
from service.digest.model import Marked

_HOLD = "held_for_later"
_HARMLESS = frozenset(
    {"e", "escape", "string", "safe", "join", "select", "list", "default", "d", "labelled", "ended"}
)
"""Filters that treat a sign as they would treat the text in its place."""
_LATER = frozenset({"wrap", "spread", "filler", "one_line", "safe_url", "replace"})
"""Filters that make text of text; given a reader's value, they work for each mail."""
_MEASURED = re.compile(r"%(\(\w+\))?[-+ #0-9.*]")


_escape: Callable[[str], str] = FILTERS["escape"]


def escaped(text: str) -> str:
    """Return text as templates write it into HTML; what they call safe as it is."""
    return str(_escape(text))


class _Holder(NodeTransformer):
    """Turns ``macro(item, ...)`` for the item of a loop into a call that may be left for later."""

    def __init__(self) -> None:
        self._items: frozenset[str] = frozenset()

    def visit_For(self, node: nodes.For) -> nodes.For:
        outside = self._items
        if isinstance(node.target, nodes.Name):
            self._items = outside | {node.target.name}
        self.generic_visit(node)
        self._items = outside
        return node

    def visit_Output(self, node: nodes.Output) -> nodes.Output:
        node.nodes = [self._held(child) for child in node.nodes]
        return node

    def _held(self, child: nodes.Expr) -> nodes.Expr:
        if not isinstance(child, nodes.Call) or not child.args:
            return child
        item = child.args[0]
        if not isinstance(item, nodes.Name) or item.name not in self._items:
            return child
        hold = nodes.Name(_HOLD, "load", lineno=child.lineno)
        given = [child.node, *child.args]
        made = nodes.Call(hold, given, child.kwargs, child.dyn_args, child.dyn_kwargs)
        made.set_lineno(child.lineno)
        made.set_environment(child.environment)  # type: ignore[arg-type]
        return made


def holding(kind: type[Environment]) -> type[Environment]:
    """Return the sort of environment that compiles templates so."""

    class Holding(kind):  # type: ignore[misc, valid-type]
        def compile(self, source: Any, name: Any = None, filename: Any = None, **given: Any) -> Any:
            tree = self.parse(source, name, filename) if isinstance(source, str) else source
            return super().compile(_Holder().visit(tree), name, filename, **given)

    return Holding


class HeldTexts:
    """The language, to a template; the days and the hour of a mail are the reader's."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts

    def __getattr__(self, name: str) -> Any:
        return getattr(self._texts, name)

    def schedule(self, weekdays: Any, hour: Any, zone: Any) -> str:
        if all(isinstance(value, Poison) for value in (weekdays, hour, zone)):
            return SCHEDULE
        raise Unfit("A template says another hour than the reader's.")

    def tongue(self, text: Any) -> str:
        return text.tongue if isinstance(text, HeldText) else self._texts.tongue(text)


def hold_filters(environment: Environment, texts: Texts, tape: Callable[[], Tape]) -> None:
    """Let the filters of an environment leave for later what needs the reader.

    tape: gives the notes of the rendering that is under way.
    """
    held = HeldTexts(texts)
    filters = {name: _guarded(name, work) for name, work in environment.filters.items()}
    for name in _LATER & filters.keys():
        filters[name] = _deferred(environment.filters[name], tape)
    day, long_day = environment.filters["day"], environment.filters["long_day"]
    starred, reasons = environment.filters["starred"], environment.filters["reasons"]
    section_name = environment.filters["section_name"]
    filters |= {
        "day": _sign_or(CONFIRMED_DAY, day),
        "long_day": _sign_or(CONFIRMED, long_day),
        "starred": _starred_or(starred),
        "reasons": _why_or(reasons),
        "section_name": _heading_or(section_name),
        "subject_line": _subject_line,
    }
    environment.filters = filters
    environment.globals |= {
        "texts": held,
        _HOLD: _held_with(tape),
    }


def _held_with(tape: Callable[[], Tape]) -> Callable[..., Any]:
    @pass_context
    def hold(context: Context, macro: Any, item: Any, *given: Any, **named: Any) -> Any:
        if isinstance(item, Stub):
            return tape().hold(macro, item, *given, **named)
        return context.call(macro, item, *given, **named)

    return hold


def _starred_or(starred: Callable[..., str]) -> Callable[..., str]:
    def held(text: Marked, stars: bool = True) -> str:
        if not isinstance(text, HeldMarked):
            return starred(text, stars)
        return text.starred if stars else str(text.text)

    return held


def _heading_or(section_name: Callable[[Any], str]) -> Callable[[Any], str]:
    def held(section: Any) -> str:
        return HEADING if isinstance(section.name, Poison) else section_name(section)

    return held


def _subject_line(digest: object, test: object = False) -> str:
    return SUBJECT_LINE


def _sign_or(sign: str, work: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda value: sign if isinstance(value, Present) else work(value)


def _why_or(reasons: Callable[[Any], str]) -> Callable[[Any], str]:
    def held(entry: Any) -> str:
        return WHY if isinstance(entry.reasons, Present) else reasons(entry)

    return held


def _deferred(work: Callable[..., str], tape: Callable[[], Tape]) -> Callable[..., str]:
    @wraps(work)
    def later(*given: Any, **named: Any) -> str:
        given = tuple([str(value) if isinstance(value, HeldText) else value for value in given])
        if any(isinstance(value, str) and has_sign(value) for value in given):
            return tape().do_later(work, *given, **named)
        return work(*given, **named)

    return later


def _guarded(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that refuses signs, unless it treats them as it would treat a text."""
    if name in _HARMLESS:
        return work

    @wraps(work)
    def guarded(*given: Any, **named: Any) -> Any:
        signs = [v for v in (*given, *named.values()) if _is_open(v)]
        if signs and (name != "format" or _MEASURED.search(str(given[0])) or signs[0] is given[0]):
            raise Unfit(f"The filter {name!r} is given a reader's value.", name)
        return work(*given, **named)

    return guarded


def _is_open(value: Any) -> bool:
    """Say whether a value writes a sign."""
    return isinstance(value, Spelled) or (isinstance(value, str) and has_sign(value))

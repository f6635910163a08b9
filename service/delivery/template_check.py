"""Whether the templates of mails can be used: read, with all their parts, asking for what their
mail has."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jinja2 import Environment, TemplateNotFound, TemplateSyntaxError, nodes
from jinja2.meta import find_undeclared_variables

from service.delivery.notices import DIGESTS, NOTICES
from service.errors import PaperpostError

PARTS = ("subject.txt", "body.txt", "body.html")
_FRAME = frozenset({"lang", "subject", "preheader"})
_DIGEST = frozenset({"digest", "reader", "public", "test", "headline", "period", "late"})


class TemplateError(PaperpostError):
    """A template is broken; ``where`` is "file:line"."""


@dataclass(frozen=True, slots=True)
class _Outline:
    """asked: the names that a template takes from its mail, and their lines · parts: templates."""

    asked: Mapping[str, int]
    parts: tuple[str, ...]


def check_all(environment: Environment) -> None:
    """Compile every template. Raises TemplateError when one is broken (syntax, or a name that no
    mail has)."""
    seen: dict[str, _Outline] = {}
    for kind in (*DIGESTS, *NOTICES):
        known = _FRAME | environment.globals.keys() | NOTICES.get(kind, _DIGEST)
        for part in PARTS:
            _check(environment, f"{kind}/{part}", known, seen)


def _check(
    environment: Environment, name: str, known: frozenset[str], seen: dict[str, _Outline]
) -> None:
    """Compile one template and those it uses; refuse names that its mail does not have."""
    for used in _with_its_parts(environment, name, seen):
        for unknown, line in seen[used].asked.items():
            if unknown not in known:
                raise TemplateError(
                    f"The mail {name.partition('/')[0]!r} has no {unknown!r}.",
                    f"{used}:{line}",
                    "Mend or remove it.",
                )


def _with_its_parts(
    environment: Environment, name: str, seen: dict[str, _Outline]
) -> Iterator[str]:
    """The names of a template and of all that it uses; each is read once."""
    try:
        if name not in seen:
            seen[name] = _outline(environment, name)
    except TemplateNotFound as error:
        raise TemplateError("This template is missing.", str(error.name)) from error
    except TemplateSyntaxError as error:
        raise TemplateError(
            f"This template cannot be read: {error.message}.", f"{name}:{error.lineno}"
        ) from error
    yield name
    for part in seen[name].parts:
        yield from _with_its_parts(environment, part, seen)


def _outline(environment: Environment, name: str) -> _Outline:
    source, path, _ = environment.loader.get_source(environment, name)  # type: ignore[union-attr]
    tree = environment.parse(source, name, path)
    environment.get_template(name)
    uses = tree.find_all((nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport))
    used = [getattr(node, "template", None) for node in uses]
    parts = [str(part.value) for part in used if isinstance(part, nodes.Const)]
    imported = {node.target for node in tree.find_all(nodes.Import)}
    lines: dict[str, int] = {}
    for node in tree.find_all(nodes.Name):
        lines[node.name] = min(node.lineno, lines.get(node.name, node.lineno))
    asked = sorted(find_undeclared_variables(tree) - imported)
    return _Outline({unknown: lines[unknown] for unknown in asked}, tuple(parts))

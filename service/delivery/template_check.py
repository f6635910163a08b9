"""What can be told of templates of mails without rendering one: whether they can be read, with all
their parts, and ask for what there is. Lines are those of the files as they were written.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from jinja2 import Environment, TemplateNotFound, TemplateSyntaxError, nodes
from jinja2.meta import find_undeclared_variables

from service.delivery.frame import ReaderFrame
from service.delivery.notices import DIGESTS, NOTICES
from service.delivery.override_folder import Fault
from service.delivery.site import Site
from service.digest.model import Digest

PARTS = ("subject.txt", "body.txt", "body.html")
MINE = "Mend or remove it."
_FRAMES = "Extend one that it does not stand for, as ours do: _digest.html, _frame.html."
_FRAME = frozenset({"lang", "subject", "preheader"})
DIGEST = frozenset({"digest", "reader", "public", "test", "headline", "period", "late"})
_OUR_SAFE = ("newsletter/body.html", "html")
"""The body of a newsletter was sanitised before it came."""
_PARTS_OF = {
    name: frozenset(part for part in dir(kind) if not part.startswith("_"))
    for name, kind in (("digest", Digest), ("reader", ReaderFrame), ("site", Site))
}


@dataclass(slots=True, eq=False)
class _Outline:
    """What one template asks for, each with its line.

    uses: templates · calls: macros of imported ones · blocks: those that stand in no other.
    """

    name: str
    asked: dict[str, int] = field(default_factory=dict)
    uses: list[tuple[str, int]] = field(default_factory=list)
    calls: list[tuple[str, str, int]] = field(default_factory=list)
    parent: str = ""
    blocks: dict[str, int] = field(default_factory=dict)
    all_blocks: set[str] = field(default_factory=set)
    macros: set[str] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)


_READ: dict[tuple[str, str, bool], _Outline] = {}


class Reading:
    """All templates of an environment, each read once. own: the files of an operator by name; a
    fault that one of them makes in a template of ours is told as theirs."""

    def __init__(self, environment: Environment, own: Mapping[str, object] | None = None) -> None:
        self._environment = environment
        self._own = own or {}
        self._outlines: dict[str, _Outline] = {}

    def used_by(self, kind: str) -> set[str]:
        """Every template that a mail is made of (those that can be read)."""
        return {name for part in PARTS for name in self.made_of(f"{kind}/{part}")}

    def made_of(self, name: str) -> list[str]:
        """A template and all that it uses, the nearest first."""
        return [outline.name for outline in self._all_of(name, [])]

    def faults(self) -> list[Fault]:
        """Everything that is wrong, each fault once, in the order of the mails."""
        found: dict[tuple[str, str], Fault] = {}
        for kind in (*DIGESTS, *NOTICES):
            known = _FRAME | self._environment.globals.keys() | NOTICES.get(kind, DIGEST)
            for part in PARTS:
                for fault in self._faults_of(f"{kind}/{part}", known):
                    found.setdefault((fault.where, fault.what.replace(repr(kind), "")), fault)
        return list(found.values())

    def _faults_of(self, name: str, known: Collection[str]) -> Iterator[Fault]:
        broken: list[Fault] = []
        outlines = {outline.name: outline for outline in self._all_of(name, broken)}
        yield from broken
        for outline in outlines.values():
            yield from outline.faults
            for unknown, line in outline.asked.items():
                if unknown not in known:
                    what = f"The mail {name.partition('/')[0]!r} has no {unknown!r}."
                    yield Fault("fail", what, self._at(outline.name, line), _near(unknown, known))
            yield from self._missing_macros(outline, outlines)
            yield from self._lost_blocks(outline, outlines)

    def _missing_macros(
        self, outline: _Outline, outlines: Mapping[str, _Outline]
    ) -> Iterator[Fault]:
        for target, macro, line in outline.calls:
            there = outlines.get(target)
            if there is not None and macro not in there.macros:
                what = f"{target} has no macro {macro!r}."
                where, step = self._at(outline.name, line), _near(macro, there.macros)
                if target in self._own and outline.name not in self._own:
                    what = f"This template has no macro {macro!r}, which our {where} calls."
                    where = self._at(target, 1)
                yield Fault("fail", what, where, step)

    def _lost_blocks(self, outline: _Outline, outlines: Mapping[str, _Outline]) -> Iterator[Fault]:
        """Blocks that no parent has a place for: Jinja leaves them out without a word."""
        above: list[_Outline] = []
        parent = outlines.get(outline.parent)
        while parent is not None and parent not in above:
            above.append(parent)
            parent = outlines.get(parent.parent)
        if outline in above:
            if outline.name in self._own:
                where = self._at(outline.name, dict(outline.uses)[outline.parent])
                yield Fault("fail", "This template extends itself.", where, _FRAMES)
            return
        there = {block for parent in above for block in parent.all_blocks}
        for block, line in outline.blocks.items() if above else ():
            if block in there:
                continue
            where, step = self._at(outline.name, line), _near(block, there)
            what = f"The block {block!r} is never shown: {outline.parent} has none of that name."
            theirs = [parent.name for parent in above if parent.name in self._own]
            if theirs and outline.name not in self._own:
                what = f"This template has no block {block!r}, in which templates of ours write."
                where = self._at(theirs[0], 1)
            yield Fault("fail", what, where, step)

    def _all_of(self, name: str, broken: list[Fault]) -> Iterator[_Outline]:
        """A template and all that it uses; what cannot be read is told in ``broken``."""
        waiting: list[tuple[str, str]] = [(name, "")]
        seen: set[str] = set()
        while waiting:
            at, asked_at = waiting.pop(0)
            if at in seen:
                continue
            seen.add(at)
            try:
                outline = self._outlines.get(at) or self._outline(at)
            except TemplateNotFound:
                what = f"The template {at!r} is missing."
                known = self._environment.list_templates()
                broken.append(Fault("fail", what, asked_at or at, _near(at, known)))
                continue
            except TemplateSyntaxError as error:
                what = f"This template cannot be read: {str(error.message).rstrip('.')}."
                broken.append(Fault("fail", what, self._at(at, error.lineno), MINE))
                continue
            except (ArithmeticError, MemoryError, RecursionError, SyntaxError, ValueError) as error:
                # More brackets, loops or digits within each other than Python takes.
                what = f"This template cannot be read: {type(error).__name__}: {error}."
                broken.append(Fault("fail", what, self._at(at, 1), MINE))
                continue
            self._outlines[at] = outline
            yield outline
            waiting += [(used, self._at(at, line)) for used, line in outline.uses]

    def _at(self, name: str, line: int) -> str:
        return f"{self._own.get(name, name)}:{line}"

    def _outline(self, name: str) -> _Outline:
        """Read one template; ours, which stay as they are, once for the life of the process."""
        environment = self._environment
        assert environment.loader is not None
        source, path, _ = environment.loader.get_source(environment, name)
        if name in self._own:
            return self._outlined(name, source, path)
        key = (name, source, environment.sandboxed)
        if key not in _READ:
            _READ[key] = self._outlined(name, source, path)
        return _READ[key]

    def _outlined(self, name: str, source: str, path: str | None) -> _Outline:
        environment = self._environment
        tree = environment.parse(source, name, path)
        made = _Outline(name)
        made.faults += self._strange_words(tree, name)
        if made.faults:
            return made
        environment.compile(source, name, path)
        lines: dict[str, int] = {}
        stored = {n.name for n in tree.find_all(nodes.Name) if n.ctx == "store"}
        for used in tree.find_all(nodes.Name):
            lines[used.name] = min(used.lineno, lines.get(used.name, used.lineno))
        imported = {n.target: _constant(n.template) for n in tree.find_all(nodes.Import)}
        asked = sorted(find_undeclared_variables(tree) - imported.keys())
        made.asked = {unknown: lines[unknown] for unknown in asked}
        for node in tree.find_all((nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)):
            if target := _constant(node.template):  # type: ignore[attr-defined]
                made.uses.append((target, node.lineno))
        made.calls = list(_calls(tree, imported))
        made.macros = {macro.name for macro in tree.find_all(nodes.Macro)} | set(_assigned(tree))
        made.all_blocks = {block.name for block in tree.find_all(nodes.Block)}
        extends = tree.find(nodes.Extends)
        if extends is not None:
            made.parent = _constant(extends.template)
            made.blocks = dict(_outer_blocks(tree))
            made.faults += self._outside_blocks(tree, name)
        made.faults += self._missing_parts(tree, name, stored)
        if name.endswith(".html") and name in self._own:
            made.faults += self._unescaped(tree, name)
        return made

    def _strange_words(self, tree: nodes.Template, name: str) -> Iterator[Fault]:
        """Filters and tests that do not exist (Jinja looks inside ``if`` only when it renders)."""
        for asked, there, word in (
            (tree.find_all(nodes.Filter), self._environment.filters, "filter"),
            (tree.find_all(nodes.Test), self._environment.tests, "test"),
        ):
            for node in asked:
                if node.name not in there:
                    what = f"There is no {word} {node.name!r}."
                    yield Fault("fail", what, self._at(name, node.lineno), _near(node.name, there))

    def _outside_blocks(self, tree: nodes.Template, name: str) -> Iterator[Fault]:
        for node in tree.body:
            if isinstance(node, nodes.Output):
                for piece in node.nodes:
                    if not (isinstance(piece, nodes.TemplateData) and not piece.data.strip()):
                        what = "This stands outside of every block, where no mail shows it."
                        step = "Move it into a block."
                        yield Fault("fail", what, self._at(name, _begins(piece)), step)
                        return

    def _missing_parts(
        self, tree: nodes.Template, name: str, stored: Collection[str]
    ) -> Iterator[Fault]:
        for node in tree.find_all(nodes.Getattr):
            whole = node.node
            if not isinstance(whole, nodes.Name) or whole.name in stored:
                continue
            there = _PARTS_OF.get(whole.name)
            if there is not None and node.attr not in there:
                what = f"{whole.name!r} has no {node.attr!r}."
                yield Fault("fail", what, self._at(name, node.lineno), _near(node.attr, there))

    def _unescaped(self, tree: nodes.Template, name: str) -> Iterator[Fault]:
        what = "Markup in a title or a name would become markup of the mail here"
        for node in tree.find_all(nodes.Filter):
            inner = node.node
            while isinstance(inner, nodes.Filter):
                inner = inner.node
            is_ours = isinstance(inner, nodes.Name) and (name, inner.name) == _OUR_SAFE
            if node.name == "safe" and not is_ours:
                at = self._at(name, node.lineno)
                yield Fault("warn", f"{what}: the filter safe.", at, "Take the filter away.")
        for switched in tree.find_all((nodes.EvalContextModifier, nodes.ScopedEvalContextModifier)):
            if any(option.key == "autoescape" for option in switched.options):
                at = self._at(name, switched.lineno)
                yield Fault("warn", f"{what}: autoescape is switched.", at, "Take it away.")


def refuse(faults: list[Fault]) -> None:
    """Raise TemplateError for the first fault that a start does not pass."""
    for fault in faults:
        if fault.level == "fail":
            raise fault.error()


def frames(environment: Environment) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield each template that others build upon, its blocks, and its macros as they are called."""
    assert environment.loader is not None
    for name in environment.list_templates():
        if not name.startswith("_"):
            continue
        tree = environment.parse(environment.loader.get_source(environment, name)[0])
        macros = [
            f"{macro.name}({', '.join(argument.name for argument in macro.args)})"
            for macro in tree.find_all(nodes.Macro)
        ]
        yield name, [block.name for block in tree.find_all(nodes.Block)], macros


def _constant(template: nodes.Expr) -> str:
    return str(template.value) if isinstance(template, nodes.Const) else ""


def _calls(tree: nodes.Template, imported: Mapping[str, str]) -> Iterator[tuple[str, str, int]]:
    for node in tree.find_all(nodes.Getattr):
        if isinstance(node.node, nodes.Name) and imported.get(node.node.name):
            yield imported[node.node.name], node.attr, node.lineno
    for taken in tree.find_all(nodes.FromImport):
        for name in taken.names:
            macro = name if isinstance(name, str) else name[0]
            yield _constant(taken.template), macro, taken.lineno


def _assigned(tree: nodes.Template) -> Iterator[str]:
    """What an importer may ask for beside macros; variables of loops are none of it."""
    for node in tree.find_all((nodes.Assign, nodes.AssignBlock)):
        target = node.target  # type: ignore[attr-defined]
        names = [target] if isinstance(target, nodes.Name) else target.find_all(nodes.Name)
        yield from (name.name for name in names)


def _outer_blocks(node: nodes.Node) -> Iterator[tuple[str, int]]:
    for child in node.iter_child_nodes():
        if isinstance(child, nodes.Block):
            yield child.name, child.lineno
        else:
            yield from _outer_blocks(child)


def _begins(piece: nodes.Expr) -> int:
    """The line of the first sign that can be seen."""
    if isinstance(piece, nodes.TemplateData):
        return piece.lineno + piece.data[: -len(piece.data.lstrip()) or None].count("\n")
    return piece.lineno


def _near(word: str, known: Collection[str]) -> str:
    near = get_close_matches(word, known, n=1, cutoff=0.6)
    return f"Did you mean {near[0]}?" if near else MINE

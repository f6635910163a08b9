"""The templates of mails as they lie in folders, read once; CSS is written into their elements.

css-inline works on what is plain HTML: before, Jinja's tags are taken out, and then they go back to
their places. So a mail costs no inlining. (Tags therefore stand where text or an attribute's value
may stand, never between a table and its rows.)
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from css_inline import CSSInliner
from jinja2 import BaseLoader, Environment, TemplateNotFound

STYLE = "style.css"
_ENDINGS = (".html", ".txt", ".css")
_LEADING_COMMENT = re.compile(r"\A\s*\{#.*?#\}\s*", re.DOTALL)
_TAG = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.DOTALL)


class Templates(BaseLoader):
    """What lay in the folders when this was made; a file that is changed later waits for the next
    start, where it is tried. Of several files of one name the first folder's counts."""

    def __init__(self, folders: Sequence[Path], *, styled: bool) -> None:
        """styled: HTML templates get the rules of style.css as style attributes (colours of the
        dark are in _frame.html). A file that cannot be read is left out: whoever tries an
        operator's templates tells of it."""
        self._styled = styled
        self._files: dict[str, tuple[str, str]] = {}
        for folder in reversed(folders):
            self._files |= dict(_read(folder))

    @property
    def is_styled(self) -> bool:
        """Whether rules are written into the elements."""
        return self._styled

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        """Return a template's text and the file it is from. Raises TemplateNotFound."""
        del environment
        if template not in self._files:
            raise TemplateNotFound(template)
        source, path = self._files[template]
        if self._styled and template.endswith(".html"):
            source = self.dressed(source)
        return source, path, lambda: True

    def list_templates(self) -> list[str]:
        """Every name, in order."""
        return sorted(self._files)

    def dressed(self, html: str) -> str:
        """HTML with the rules of style.css in it; made once for the same text."""
        return _inlined_once(html, self._files[STYLE][0])


def _read(folder: Path) -> Iterator[tuple[str, tuple[str, str]]]:
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        is_hidden = any(part.startswith(".") for part in name.parts)
        if path.suffix in _ENDINGS and not is_hidden and path.is_file():
            try:
                yield name.as_posix(), (path.read_text("utf-8-sig"), str(path))
            except (OSError, UnicodeDecodeError):
                continue


@lru_cache(maxsize=256)
def _inlined_once(source: str, css: str) -> str:
    return inlined(source, css)


def inlined(source: str, css: str) -> str:
    """Return an HTML template with ``css`` in style attributes; at-rules stay in the head.

    A comment on top is left out: before a doctype it would be text of the page.
    """
    source = _LEADING_COMMENT.sub("", source)
    tags: list[str] = []

    def hide(found: re.Match[str]) -> str:
        tags.append(found[0])
        return f"\ue000{len(tags) - 1}\ue001"

    hidden = _TAG.sub(hide, source)
    inliner = CSSInliner(
        extra_css=css, keep_style_tags=False, keep_at_rules=True, load_remote_stylesheets=False
    )
    if "<html" in hidden:
        result = inliner.inline(hidden)
    else:
        result = inliner.inline_fragment(hidden, css)

    def shown(found: re.Match[str]) -> str:
        number = int(found[1])
        return tags[number] if number < len(tags) else found[0]  # a sign of theirs, not of ours

    return re.sub("\ue000(\\d+)\ue001", shown, result)

"""The forms of a page as a script without a browser sees them."""

import urllib.error
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin


@dataclass
class PlainForm:
    """fields: what is sent without pressing a button by name · buttons: attributes of each."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    buttons: list[dict[str, str | None]] = field(default_factory=list)
    options_without_value: int = 0


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[PlainForm] = []
        self._form: PlainForm | None = None
        self._name = ""
        self._chosen: list[tuple[bool, str]] = []
        self._text: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = dict(attrs)
        if tag == "form":
            self._form = PlainForm(at.get("action") or "", (at.get("method") or "get").lower())
            self.forms.append(self._form)
        form = self._form
        if form is None:
            return
        name, kind = at.get("name") or "", at.get("type") or "text"
        if tag in ("input", "select", "textarea") and name:
            form.types[name] = kind if tag == "input" else tag
        if tag == "input" and name and (kind not in ("checkbox", "radio") or "checked" in at):
            form.fields[name] = at.get("value") or ""
        elif tag == "select":
            self._name, self._chosen = name, []
        elif tag == "textarea":
            self._name, self._text = name, []
        elif tag == "option":
            form.options_without_value += "value" not in at
            self._chosen.append(("selected" in at, at.get("value") or ""))
        elif tag == "button":
            form.buttons.append(at)

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if self._form is None:
            return
        if tag == "form":
            self._form = None
        elif tag == "select" and self._chosen:
            marked = [value for is_marked, value in self._chosen if is_marked]
            self._form.fields[self._name] = (marked or [self._chosen[0][1]])[0]
        elif tag == "textarea" and self._text is not None:
            self._form.fields[self._name] = "".join(self._text).removeprefix("\n")
            self._text = None


def forms_of(html: str) -> list[PlainForm]:
    """Every form of a page, in order."""
    reader = _Reader()
    reader.feed(html)
    return reader.forms


def fetch(address: str, data: dict[str, str] | None = None) -> tuple[int, str]:
    """GET, or POST as a form: (status, text). No cookie, no header of a browser."""
    body = urlencode(data).encode() if data is not None else None
    try:
        with urllib.request.urlopen(urllib.request.Request(address, data=body)) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def press(page: str, form: PlainForm, at: str = "", **typed: str) -> tuple[int, str]:
    """Send a form of the page at address ``page``; ``at`` overrides its action (formaction)."""
    return fetch(urljoin(page, at or form.action), {**form.fields, **typed})

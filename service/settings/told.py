"""The deployment's settings as a person may see them: secrets masked, and where each comes from."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from pydantic import SecretStr

from service.settings.fields import PREFIX, Settings

ENVIRONMENT, FILE, STARTED, DEFAULT = "environment", ".env", "the command", "default"
_MASK = "…"
_LINE = re.compile(rf"^\s*(?:export\s+)?({PREFIX}\w+)\s*=", re.IGNORECASE | re.MULTILINE)
_SECRET_WORD = re.compile(r"pass|secret|key|token", re.IGNORECASE)


def told(
    settings: Settings, environment: Mapping[str, str] = os.environ, file: Path = Path(".env")
) -> list[dict[str, str]]:
    """Every setting of the deployment, in the order of docs/settings.md: name (PAPERPOST_...),
    value with its secrets masked ("" = not set), source (of the words above), about."""
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    written = {found.upper() for found in _LINE.findall(text)}
    given = {name.upper() for name in environment}
    made = []
    for field, about in Settings.model_fields.items():
        name = f"{PREFIX}{field.upper()}"
        if name in given:  # it goes before the file
            source = ENVIRONMENT
        elif name in written:
            source = FILE
        else:
            source = STARTED if field in settings.model_fields_set else DEFAULT
        value = masked(getattr(settings, field))
        described = about.description or ""
        made.append({"name": name, "value": value, "source": source, "about": described})
    return made


def masked(value: Any) -> str:
    """A value without what opens anything: of a secret that is an address its host stays."""
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        plain = value.get_secret_value()
        if not plain:
            return ""
        return _without_password(plain) if _is_address(plain) else "set, not shown"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return _without_password(text) if _is_address(text) else text


def _is_address(text: str) -> bool:
    return "://" in text or text == "mailbox:"


def _without_password(text: str) -> str:
    """An address without password, and without values of parameters that are called like one."""
    try:
        parts = urlsplit(text)
        user, has_user = parts.username or "", "@" in parts.netloc
    except ValueError:
        return "set, not shown"
    host = parts.netloc.rpartition("@")[2]
    if has_user:
        hidden = f":{_MASK}" if parts.password is not None else ""
        host = f"{user}{hidden}@{host}"
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    query = "&".join(
        f"{quote(name)}={_MASK if _SECRET_WORD.search(name) else quote(one, safe='/:@')}"
        for name, one in pairs
    )
    if not parts.netloc:  # sqlite:///..., mailbox:
        return text if not query else f"{text.partition('?')[0]}?{query}"
    return urlunsplit((parts.scheme, host, parts.path, query, ""))

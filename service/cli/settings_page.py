"""docs/settings.md, made from the two tables in code; a test compares file and tables."""

from service.defaults import Defaults, fixed_table, table
from service.flows.setting_choices import told
from service.settings import PREFIX, Settings

_HEAD = """# Settings

Made by `paperpost settings list --markdown > docs/settings.md`; do not edit by hand.

## Deployment: the environment or `.env`

| variable | default | meaning |
| --- | --- | --- |
"""
_TASTE = """
## Taste: rows of the database

`paperpost settings set NAME VALUE`, or the admin's settings page. \
`default` as the value takes it back.

| name | default | meaning |
| --- | --- | --- |
"""
_FIXED = """
## Fixed: rules that the code obeys

No setting changes these; `settings list` prints them, too.

| name | value | meaning |
| --- | --- | --- |
"""


def _cell(text: object) -> str:
    return str(text).replace("|", "\\|")


def markdown() -> str:
    """The whole page."""
    lines = [_HEAD]
    for name, field in Settings.model_fields.items():
        default = field.default
        shown = default.get_secret_value() if hasattr(default, "get_secret_value") else default
        value = "" if shown is None or shown == "" else f"`{_cell(shown)}`"
        lines.append(f"| `{PREFIX}{name.upper()}` | {value} | {_cell(field.description)} |\n")
    lines.append(_TASTE)
    for row in table(Defaults()):
        value = f"`{_cell(row['default'])}`" if row["default"] != "" else ""
        lines.append(f"| `{row['name']}` | {value} | {_cell(told(row['name'], row['about']))} |\n")
    lines.append(_FIXED)
    lines += [
        f"| `{row['name']}` | `{_cell(row['value'])}` | {_cell(row['about'])} |\n"
        for row in fixed_table()
    ]
    return "".join(lines)

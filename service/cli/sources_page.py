"""docs/sources.md, made from what the adapters declare; a test compares the two."""

from typing import Any

from service.flows.source_kinds import list_kinds

_HEAD = """# Sources

Made by `paperpost sources kinds --markdown > docs/sources.md`; do not edit by hand.

A source is added by `paperpost sources add KIND WHAT`, or on the admin's page *Sources, Add
sources*, which first shows what would come in (on the command line: `paperpost sources test KIND
WHAT`).
WHAT is the value of the first parameter, or pairs like `"category=cs.CL take=new"`.
How to write a new kind: CONTRIBUTING.md.

| kind | what it is | its past |
| --- | --- | --- |
"""


def _cell(text: object) -> str:
    return str(text).replace("|", "\\|")


def markdown() -> str:
    """The whole page."""
    kinds = list_kinds()
    lines = [_HEAD]
    lines += [
        f"| [`{row['kind']}`](#{row['kind']}) | {_cell(row['about'] or row['title'])} | "
        f"{'can be asked for' if row['past'] else 'none'} |\n"
        for row in kinds
    ]
    lines += [_section(row) for row in kinds]
    return "".join(lines)


def _section(row: dict[str, Any]) -> str:
    lines = [f"\n## {row['kind']}\n\n{row['title']}. {row['about']}".rstrip() + "\n\n"]
    if row["parameters"]:
        lines.append("| parameter | meaning | example | needed |\n| --- | --- | --- | --- |\n")
    for one in row["parameters"]:
        choices = "; ".join(f"`{c['value']}` {c['words']}" for c in one["choices"])
        meaning = ". ".join(
            part.rstrip(".") for part in (one["label"], choices, one["hint"]) if part
        )
        need = "yes" if one["required"] else f"no, else `{one['default']}`"
        if not one["required"] and not one["default"]:
            need = "no"
        lines.append(
            f"| `{one['name']}` | {_cell(meaning)} | `{_cell(one['example'])}` | {need} |\n"
        )
    if row["parameters"]:
        lines.append("\n")
    lines.append(f"    paperpost {row['example']}\n\n")
    votes = "; its papers have votes" if row["votes"] else ""
    lines.append(f"- Days: {row['days']}{votes}.\n- Pace: {row['politeness']}.\n")
    if row["past"]:
        lines.append("- Past: its last days come in as known papers when it is added.\n")
    else:
        lines.append("- Past: none; it begins with what its first answer holds.\n")
    return "".join(lines)

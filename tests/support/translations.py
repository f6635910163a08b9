"""`make messages`: every translation brought up to date with the texts, and what is missing named.

Each templates/locale/LANGUAGE.po is written anew: the places of its messages as they are now, new
ones added empty, those that no reader meets any more taken out, all in the order of the places.
A new language: `make messages ARGS=fr`. Ends with 1 while anything is missing or wrong.
"""

import sys
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po
from support.messages import TEMPLATES, catalogue, faults_of, for_readers

FOLDER = TEMPLATES / "locale"
WIDTH = 100


def read(path: Path) -> Catalog:
    """A language as it stands; an empty one where there is no file yet."""
    if not path.exists():
        made = Catalog(locale=path.stem, project="Paperpost", fuzzy=False)
        made.header_comment = f"# {made.locale.english_name if made.locale else path.stem}."
        return made
    with path.open("rb") as file:
        return read_po(file, locale=path.stem)


def brought_up_to_date(old: Catalog) -> Catalog:
    """The same language with what readers meet now, in the order of the places."""
    made = Catalog(
        locale=old.locale, project="Paperpost", fuzzy=False, header_comment=old.header_comment
    )
    for message in sorted(for_readers(), key=_place):
        if not message.id:
            continue
        ids = message.id if isinstance(message.id, tuple | list) else (message.id,)
        own = old.get(ids[0], message.context)
        kept = own is not None and own.id == message.id
        made.add(
            message.id,
            own.string if own is not None and kept else None,
            locations=[(place, None) for place in sorted({one[0] for one in message.locations})],
            user_comments=own.user_comments if own is not None else (),
            context=message.context,
        )
    return made


def _place(message: Message) -> tuple[str, int]:
    place, line = message.locations[0] if message.locations else ("", 0)
    return place, int(line or 0)


def write(catalog: Catalog, path: Path) -> None:
    """Like a person would: no dates, no names of programs, no line numbers (they always change)."""
    with path.open("wb") as file:
        write_po(file, catalog, width=WIDTH, omit_header=False, include_lineno=False)
    _, begins, text = path.read_text("utf-8").partition('msgid ""\n')
    head, gap, rest = (begins + text).partition("\n\n")
    dull = ("POT-Creation", "PO-Revision", "Last-Translator", "Language-Team", "Generated-By",
            "Report-Msgid", "Project-Id")  # fmt: skip
    lines = [line for line in head.split("\n") if not line.startswith(tuple(f'"{d}' for d in dull))]
    comment = catalog.header_comment.rstrip("\n") + "\n"
    path.write_text(comment + "\n".join(lines) + gap + rest.rstrip("\n") + "\n", "utf-8")


def main(languages: list[str]) -> int:
    """Bring the named languages up to date, else all there are; returns how the command ends."""
    wrong = 0
    total = len(for_readers())
    print(f"{len(catalogue())} messages, {total} of them for readers")
    for path in [FOLDER / f"{name}.po" for name in languages] or sorted(FOLDER.glob("*.po")):
        made = brought_up_to_date(read(path))
        write(made, path)
        faults = faults_of(made)
        wrong += len(faults)
        print(f"{path.stem}: {total - len(faults)} of {total} are good")
        for fault in faults:
            print(f"  {fault}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

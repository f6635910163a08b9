"""Interests of readers."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli import printing
from service.cli.opening import runtime
from service.cli.paper_commands import Json, read_email

if TYPE_CHECKING:
    from service.flows.interests import InterestChange, Wanted
    from service.flows.runtime import Runtime
    from service.store.tables import ProfileRow

interests_app = typer.Typer(help="What readers ask for.", no_args_is_help=True)

Query = Annotated[str, typer.Option(help="A query")]
Keywords = Annotated[str, typer.Option(help="Plain keywords")]
People = Annotated[
    str, typer.Option(help="Names as papers print them, and org:NAME; semicolons between them")
]
Trending = Annotated[bool, typer.Option("--trending", help="The most-voted papers")]
Cadence = Annotated[str, typer.Option(help="instant, daily or weekly")]
Weekday = Annotated[str, typer.Option(help="mon to sun, for a weekly one")]
Cap = Annotated[str | None, typer.Option(help='Papers in full at most, 1 to 40; "" for all')]
Threshold = Annotated[
    str | None, typer.Option(help='Least score of a paper; "" for every match (match --explain)')
]
Own = Annotated[
    str | None,
    typer.Option(
        "--without-own",
        help='Leave out papers of this name; "me" for the reader\'s, "" for nobody\'s',
    ),
]
News = Annotated[
    bool | None,
    typer.Option(
        "--late-news/--no-late-news",
        help="Later news of papers that came: code, a journal, votes, withdrawn",
    ),
]
Named = Annotated[str, typer.Argument(metavar="NAME", help="As list shows it")]
Votes = Annotated[str | None, typer.Option(help='Votes that are late news; "" for the usual')]


_OF_WORDS = frozenset(("cap", "threshold", "signals", "votes"))
"""What can be chosen only for an interest with words or people."""


def register(app: typer.Typer) -> None:
    """Hang this part's commands into the program."""
    app.add_typer(interests_app, name="interests")


@interests_app.command("list")
def list_(email: str, as_json: Json = False) -> None:
    """A reader's interests, with all that was chosen for them."""
    from service.flows.staff_interests import chosen_line, list_interests

    address = read_email(email)
    with runtime() as rt:
        rows = list_interests(rt, address.key)
    if as_json:
        printing.as_json(rows)
        return
    in_line = [
        {
            "name": printing.cut(row["name"], 20),
            "kind": row["kind"],
            "text": printing.cut("; ".join(row["text"].split("\n")), 28),
            "cadence": row["cadence"],
            "chosen": printing.cut(chosen_line(row), 30),
        }
        for row in rows
    ]
    columns = ["name", "kind", "text", "cadence", "chosen"]
    printing.table(in_line, columns, "No interest.")


@interests_app.command("add")
def add(
    email: str,
    profile: Query = "",
    keywords: Keywords = "",
    people: People = "",
    trending: Trending = False,
    name: Annotated[str, typer.Option(help="As it is called; else of its first words")] = "",
    cadence: Cadence = "",
    weekday: Weekday = "",
    cap: Cap = None,
    threshold: Threshold = None,
    own: Own = None,
    news: News = None,
    votes: Votes = None,
    as_json: Json = False,
) -> None:
    """Add an interest to those of a reader."""
    from service.flows.interests import InterestChange
    from service.flows.staff_interests import add_by_hand

    address = read_email(email)
    wanted = _wanted(profile, keywords, people, trending)
    if wanted is None:
        raise typer.BadParameter(
            "One interest is needed.\n  next:  give --profile QUERY, --keywords LIST, "
            "--people NAMES or --trending"
        )
    choices = _read_choices(cadence, weekday, cap, threshold, own, news, votes)
    if trending and choices.values.keys() & _OF_WORDS:
        raise typer.BadParameter(
            "The most-voted papers stand by votes: they have no cap, least score or later news.\n"
            "  next:  add words or people for these"
        )
    with runtime() as rt:
        change = choices.named(rt, address.key).on(InterestChange(wanted=wanted, name=name))
        made = add_by_hand(rt, address.key, change, by="cli")
    printing.told(made, f"Added {made['name']}.", wants_json=as_json)


@interests_app.command("set")
def set_(
    email: str,
    interest: Named,
    profile: Query = "",
    keywords: Keywords = "",
    people: People = "",
    name: Annotated[str, typer.Option(help="Another name")] = "",
    cadence: Cadence = "",
    weekday: Weekday = "",
    cap: Cap = None,
    threshold: Threshold = None,
    own: Own = None,
    news: News = None,
    votes: Votes = None,
    as_json: Json = False,
) -> None:
    """Change an interest; what is not named stays."""
    from service.flows.interests import change_of
    from service.flows.staff_interests import change_by_hand

    address = read_email(email)
    wanted = _wanted(profile, keywords, people, False)
    choices = _read_choices(cadence, weekday, cap, threshold, own, news, votes)
    with runtime() as rt:
        named = choices.named(rt, address.key)

        def changed(row: "ProfileRow") -> "InterestChange":
            was = change_of(row, wanted)
            return named.on(replace(was, name=name or was.name))

        made = change_by_hand(rt, address.key, interest, changed, by="cli")
    printing.told(made, f"Changed {made['name']}.", wants_json=as_json)


@interests_app.command("pause")
def pause(email: str, interest: Named, as_json: Json = False) -> None:
    """Let an interest rest."""
    _pause(email, interest, paused=True, as_json=as_json)


@interests_app.command("resume")
def resume(email: str, interest: Named, as_json: Json = False) -> None:
    """Take an interest up again; what came meanwhile is not dug up."""
    _pause(email, interest, paused=False, as_json=as_json)


def _pause(email: str, interest: str, *, paused: bool, as_json: bool) -> None:
    from service.flows.staff_interests import change_by_hand

    address = read_email(email)
    with runtime() as rt:
        change_by_hand(rt, address.key, interest, paused=paused, by="cli")
    line = f"{interest} rests." if paused else f"{interest} comes again."
    printing.told({"name": interest, "paused": paused}, line, wants_json=as_json)


@interests_app.command("remove")
def remove(email: str, interest: Named, as_json: Json = False) -> None:
    """Remove an interest; the last one stays."""
    from service.flows.staff_interests import remove_by_hand

    address = read_email(email)
    with runtime() as rt:
        remove_by_hand(rt, address.key, interest, by="cli")
    printing.told({"name": interest, "removed": True}, f"Removed {interest}.", wants_json=as_json)


def _wanted(profile: str, keywords: str, people: str, trending: bool) -> "Wanted | None":
    """What was typed, None for nothing; two of them are misuse."""
    from service.flows.interests import read_kind

    typed = {
        "query": ("--profile", profile.strip()),
        "keywords": ("--keywords", keywords.strip()),
        "follow": ("--people", people.strip()),
        "trending": ("--trending", "trending" if trending else ""),
    }
    given = [(kind, *one) for kind, one in typed.items() if one[1]]
    if len(given) > 1:
        raise typer.BadParameter(
            "This is more than one interest.\n  next:  give one of "
            + ", ".join(option for _, option, _ in given)
        )
    for kind, option, text in given:
        with printing.argument(option):
            return read_kind(kind, text)
    return None


@dataclass(frozen=True, slots=True)
class _Choices:
    """What was named on the command line. values: fields of an InterestChange · by_name: the papers
    to be left out are the reader's own, whose name is not looked up yet."""

    values: dict[str, Any]
    by_name: bool = False

    def named(self, rt: "Runtime", email_key: str) -> "_Choices":
        """With the reader's name looked up. Raises PaperpostError: there is none."""
        if not self.by_name:
            return self
        from service.flows.interests import read_own
        from service.flows.staff_interests import reader_name

        return _Choices({**self.values, "own": read_own("", reader_name(rt, email_key))})

    def on(self, change: "InterestChange") -> "InterestChange":
        """The change with them. Raises InterestError: a number of votes that nothing asks for."""
        from service.errors import Sentence
        from service.flows.interests import InterestError

        made = replace(change, **self.values)
        if self.values.get("votes") and not made.signals:
            what = Sentence("This interest tells no later news.")
            raise InterestError(what, "--votes", Sentence("Add --late-news."))
        return made


def _read_choices(
    cadence: str,
    weekday: str,
    cap: str | None,
    threshold: str | None,
    own: str | None,
    news: bool | None,
    votes: str | None,
) -> _Choices:
    """Read without the reader, before anything is opened: misuse ends with 2."""
    from service.flows.interests import read_cap, read_own, read_threshold, read_votes
    from service.subscribers import model
    from service.subscribers.cadence import read_weekdays

    made: dict[str, Any] = {} if news is None else {"signals": news}
    if cadence:
        known = [one.value for one in model.Cadence]
        made["cadence"] = model.Cadence(printing.one_of(cadence, known, "--cadence"))
    if weekday:
        with printing.argument("--weekday"):
            made["weekday"] = min(read_weekdays([weekday]))
    own = own.strip() if own is not None else None
    for field, option, text, read in (
        ("cap", "--cap", cap, read_cap),
        ("threshold", "--threshold", threshold, read_threshold),
        ("votes", "--votes", votes, read_votes),
        ("own", "--without-own", own, lambda name: read_own(name) if name else ""),
    ):
        if text is not None and (field, text) != ("own", "me"):
            with printing.argument(option):
                made[field] = read(text)
    return _Choices(made, by_name=own == "me")

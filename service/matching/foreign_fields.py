"""Fields, tags, dates, links and codes of other search engines, each with our form. Pure."""

import difflib
import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from service.errors import Sentence
from service.matching.blots import Found, group_field, mask, replaced, taken_out, tidied
from service.matching.categories import code_of
from service.matching.document import identifier
from service.matching.query import QueryError
from service.matching.terms import FIELDS, FIGURES

OWN_FIELDS = frozenset((*FIELDS, *FIGURES)) - {"all"}
FOREIGN_FIELDS = {
    **dict.fromkeys(("intitle", "docti", "titre"), "ti:"),
    **dict.fromkeys(("inauthor", "auth", "aut", "first_author", "autor", "firstauthor"), "au:"),
    **dict.fromkeys(("inabstract", "ab", "abstr", "summary"), "abs:"),
    **dict.fromkeys(("subject", "arxiv_class", "primarycategory", "class", "categories"), "cat:"),
    **dict.fromkeys(("arxiv", "doi", "pmid", "identifier", "arxivid", "id_list"), "id:"),
    **dict.fromkeys(("journal", "pub", "bibstem", "so", "venue"), "source:"),
    **dict.fromkeys(("affiliation", "aff", "inst", "institution"), "org:"),
    **dict.fromkeys(("tiab", "full", "intext", "body", "keyword", "key", "keywords", "text"), ""),
}
"""Fields of other search engines, and what they are here ("" = none is needed)."""

_FIELDS_SURELY = frozenset(
    ("intitle", "inauthor", "inabstract", "tiab", "arxiv", "doi", "pmid", "id_list", "all", "docti")
)
"""Names that nobody writes before a colon for another reason."""

_UNKNOWN_HERE = frozenset(
    (
        *("co", "jr", "rn", "comment", "site", "filetype", "related", "cites", "property", "orcid"),
        *("database", "bibcode", "citations", "references", "lang", "language", "doctype", "grant"),
    )
)
"""Fields of others that ask for what papers do not hold here: they can only go."""

_TAGS = {
    **dict.fromkeys(("ti", "title"), "ti:"),
    **dict.fromkeys(("tiab", "title/abstract", "tw", "text word", "text words", "all"), ""),
    **dict.fromkeys(("all fields", "ot", "other term", "nm", "keyword"), ""),
    **dict.fromkeys(("mesh", "mh", "mesh terms", "mesh term", "majr", "mesh major topic"), ""),
    **dict.fromkeys(("mesh:noexp", "mh:noexp", "mesh terms:noexp", "sh", "mesh subheading"), ""),
    **dict.fromkeys(("ab", "abstract"), "abs:"),
    **dict.fromkeys(("au", "author", "fau", "1au", "lastau", "full author name"), "au:"),
    **dict.fromkeys(("author - first", "author - last", "first author name", "auth"), "au:"),
    **dict.fromkeys(("ad", "affiliation"), "org:"),
    **dict.fromkeys(("ta", "journal", "jour", "jt"), "source:"),
    **dict.fromkeys(("pmid", "uid", "aid", "doi", "lid", "location id"), "id:"),
}
"""PubMed's tags behind a word, and our fields before it."""

_FILTERS = frozenset(
    ("pt", "ptyp", "la", "lang", "language", "filter", "sb", "si", "publication type", "species")
)
"""Tags of PubMed that choose kinds of papers: they go with what stands before them."""

_DATES = (
    r"(?:submitted|lastupdated|publication|pub|entry|entrez|create|modification|p|e|cr)?date?s?"
)
_DATED = re.compile(
    rf"(?<![^\s(-])(?:(?:{_DATES}|year|py|after|before|since|until|from)\s*[:=]\s*)"
    r"(?:[\[{][^\]}]*[\]}]|\d[\d/.-]*(?:\s*(?:-|TO|\.\.)\s*\d[\d/.-]*)?)",
    re.I,
)
_RANGE = re.compile(r"(?<![^\s(:-])(?:\w+\s*:\s*)?[\[{][^\[\]{}]{1,40}\s+TO\s+[^\[\]{}]{1,40}[\]}]")
_TAGGED = re.compile(r"(?<![^\s()\"\[\]])([^\s()\"\[\]]+|\([^()]*\))\s*\[([^\]\"]*)\]")
_TAGGED_INITIALS = re.compile(
    r"(?<![^\s(])([^\W\d_][\w'-]+ [A-Z]{1,3})\s*\[((?:f|1|last)?au(?:thor)?[^\]]*)\]", re.I
)
_TAGGED_NEAR = re.compile(r"(?:tiab|ti|ad|title/abstract|title|affiliation):~(\d{1,2})", re.I)
_DATE_TAG = re.compile(r"(?:dp|dcom|edat|mhda|crdt|pdat|lr|date\b.*|pubdate|.*\bdate)", re.I)
_DATE_SPAN = re.compile(
    r"(?<![^\s()\[\]])[^\s()\[\]:]{1,40}\s*(?:\[[^\[\]]*\]\s*)?"
    r":\s*[^\s()\[\]:]{1,40}\s*\[[^\[\]]*\]"
)
_NAMED = re.compile(r"(?<![^\s(=-])([A-Za-z][A-Za-z_.-]*):(?!/)")
_LED = re.compile(r"(?<![^\s(-])([A-Za-z]+):\s*$")
_LINK = re.compile(r"(?<![^\s(-])(?:https?://|www\.|arxiv\.org/|doi\.org/)\S+", re.I)
_PAPER = re.compile(
    r"(?<![^\s(])(?:arxiv:\s*)?(\d{4}\.\d{4,5}(?:v\d+)?|10\.\d{4,9}/[^\s()\"]+)(?![^\s)])", re.I
)
_BARE_CODE = re.compile(r"(?<![^\s(-])([A-Za-z-]{2,8}\.[A-Za-z-]{2,8})(?![^\s)])")
_FUNCTIONS = re.compile(
    r"(?<![^\s(-])(TITLE-ABS-KEY(?:-AUTH)?|TITLE-ABS|TITLE|ABS|AUTHKEY|KEY|ALL|AUTH|AUTHOR-NAME|"
    r"SRCTITLE|AFFIL|TS|TI|AB|AU|AF|SO|ALL|AK)(\s*=\s*|(?=\())",
)
_FUNCTION_FIELDS = {
    "TITLE": "ti:",
    "TI": "ti:",
    "ABS": "abs:",
    "AB": "abs:",
    "AUTH": "au:",
    "AUTHOR-NAME": "au:",
    "AU": "au:",
    "AFFIL": "org:",
    "AF": "org:",
    "SRCTITLE": "source:",
    "SO": "source:",
}
_OVID = re.compile(
    r"(?<![^\s(])([^\s()\"]+?|\([^()]*\))\.((?:ti|ab|tw|mp|kw|kf|hw|sh|au|jn|jw|pt|yr|lg|af|ot|nm)"
    r"(?:,[a-z]{2})*)\.(?![^\s)])"
)
_HEADING = re.compile(r"(?<![^\s(])(?:exp\s+)?([A-Za-z][\w-]*)/(?![^\s)])")
_OVID_FIELDS = {"ti": "ti:", "ab": "abs:", "au": "au:", "jn": "source:", "jw": "source:"}
_ALL_IN_TITLE = re.compile(r"\ballin(title|text|author)\s*:\s*", re.I)
_ALL_FIELDS = {"title": "ti:", "text": "", "author": "au:"}


def refusal(
    what: Sentence,
    suggestion: str,
    next_step: Sentence | None = None,
    *,
    expected: Sentence | None = None,
) -> QueryError:
    """An error at the place that ``what`` names; the suggestion is the whole text in our form."""
    return QueryError(what, expected=expected, suggestion=tidied(suggestion), next_step=next_step)


def no_field(name: str, position: int) -> Sentence:
    """Said of what stands where a field would."""
    return Sentence(
        "There is no field '%(field)s' (character %(position)s).", field=name, position=position
    )


def others_form(sign: str, position: int) -> Sentence:
    """Said of what another engine would have understood."""
    return Sentence(
        "%(sign)s at character %(position)s is another engine's form.",
        sign=sign,
        position=position,
    )


def is_paper(item: str) -> bool:
    """Is this nothing but the name of a paper (an arXiv id, a DOI)?"""
    return _PAPER.fullmatch(item.strip()) is not None


def _links(text: str, masked: str) -> None:
    found = _LINK.search(masked)
    if found is None:
        return
    link = text[found.start() : found.end()]
    parts = urlsplit(link)
    asked = parse_qs(parts.query).get("search_query") or parse_qs(parts.query).get("q")
    paper = re.search(r"(\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7}|10\.\d{4,9}/\S+)", parts.path)
    meant = asked[0] if asked else f"id:{paper[1]}" if paper else ""
    raise refusal(
        Sentence(
            "The link at character %(position)s is no word of a paper.", position=found.start() + 1
        ),
        text[: found.start()] + meant + text[found.end() :] if meant else "",
        Sentence("Did you mean: %(meant)s?", meant=meant)
        if meant
        else Sentence("Write the words that a paper should hold."),
    )


def _papers(text: str, masked: str) -> None:
    found = next((x for x in _PAPER.finditer(masked) if not _is_in_field(masked, x.start())), None)
    if found is not None:
        meant = f"id:{identifier(found[1])}"
        raise refusal(
            Sentence(
                "%(word)s at character %(position)s is the name of a paper, not a word.",
                word=found[0],
                position=found.start() + 1,
            ),
            text[: found.start()] + meant + text[found.end() :],
            Sentence("Did you mean: %(meant)s?", meant=meant),
        )


def _is_in_field(masked: str, at: int) -> bool:
    """Behind a field of ours (``cat: cs.LG``), or in the brackets of one?"""
    led = _LED.search(masked, 0, at)
    return bool(led and led[1].lower() in OWN_FIELDS) or bool(group_field(masked, at))


def _codes(text: str, masked: str) -> None:
    for found in _BARE_CODE.finditer(masked):
        code = code_of(found[1])
        if code and not _is_in_field(masked, found.start()):
            raise refusal(
                Sentence(
                    "%(word)s at character %(position)s is a category, not a word.",
                    word=found[1],
                    position=found.start() + 1,
                ),
                f"{text[: found.start()]}cat:{code}{text[found.end() :]}",
                Sentence("Did you mean: %(meant)s?", meant=f"cat:{code}"),
            )


def _functions(text: str, masked: str) -> None:
    found = _FUNCTIONS.search(masked)
    if found is None:
        return
    ours = _FUNCTION_FIELDS.get(found[1], "")
    raise refusal(
        others_form(found[0].strip(), found.start() + 1),
        replaced(text, _FUNCTIONS, lambda one: _FUNCTION_FIELDS.get(one[1], "")),
        Sentence("Here it is: %(meant)s.", meant=ours)
        if ours
        else Sentence("Leave it out: words need none."),
    )


def _all_in(text: str, masked: str) -> None:
    found = _ALL_IN_TITLE.search(masked)
    if found is None:
        return
    field = _ALL_FIELDS[found[1].lower()]
    rest = text[found.end() :].strip()
    meant = f"{field}({rest})" if field and " " in rest else f"{field}{rest}"
    raise refusal(
        no_field(found[0].strip(), found.start() + 1),
        text[: found.start()] + meant,
        Sentence("Here it is: %(meant)s.", meant=meant),
    )


def _ovid(text: str, masked: str) -> None:
    found = _OVID.search(masked)
    if found is None:
        found = _HEADING.search(masked)
        if found is not None:
            raise refusal(
                others_form(found[0], found.start() + 1),
                replaced(text, _HEADING, lambda one: one[1]),
                Sentence("Leave it out; fields are written before the word, like ti:word."),
            )
        return

    def ours(one: Found) -> str:
        fields = {_OVID_FIELDS.get(name, "") for name in one[2].split(",")}
        return (fields.pop() if len(fields) == 1 else "") + one[1]

    raise refusal(
        others_form(f".{found[2]}.", found.end(1) + 1),
        replaced(text, _OVID, ours),
        Sentence("Leave it out; fields are written before the word, like ti:word."),
    )


def _dates(text: str, masked: str) -> None:
    """``submittedDate:[a TO b]``, ``year:2020-2023``, ``2020:2024[dp]``."""
    for pattern in (_DATED, _RANGE, _DATE_SPAN):
        found = pattern.search(masked)
        if found is None or (pattern is _DATE_SPAN and not _has_date_tag(text, found)):
            continue
        raise refusal(
            Sentence(
                "%(dates)s at character %(position)s: dates are no part of a query.",
                dates=text[found.start() : found.end()],
                position=found.start() + 1,
            ),
            taken_out(text, found.start(), found.end()),
            Sentence("Leave it out: interests meet papers as they come out."),
        )


def _has_date_tag(text: str, found: re.Match[str]) -> bool:
    tags = re.findall(r"\[([^\]]*)\]", text[found.start() : found.end()])
    return any(_DATE_TAG.fullmatch(tag.strip()) for tag in tags)


def _tags(text: str, masked: str) -> None:
    """PubMed's ``x[tiab]``."""
    typed, text = text, _TAGGED_INITIALS.sub(r'"\1" [\2]', text)
    masked = mask(text)
    found = _TAGGED.search(masked)
    if found is None:
        return
    tag = text[found.start(2) : found.end(2)].strip()
    position = typed.index("[", found.start(1)) + 1
    word = text[found.start(1) : found.end(1)]
    lower = tag.lower()
    if lower in _TAGS or _TAGGED_NEAR.fullmatch(lower):
        meant = _untagged(Found(text, found))
        raise refusal(
            others_form(f"[{tag}]", position),
            replaced(text, _TAGGED, _untagged),
            Sentence("Here it is: %(meant)s.", meant=meant),
        )
    is_date = bool(_DATE_TAG.fullmatch(lower))
    left = text[: found.start()] + word + text[found.end() :]
    raise refusal(
        Sentence(
            "%(tag)s at character %(position)s is not known here.",
            tag=f"[{tag}]",
            position=position,
        ),
        taken_out(text, found.start(), found.end()) if is_date or lower in _FILTERS else left,
        Sentence("Leave it out: interests meet papers as they come out.")
        if is_date
        else Sentence("Leave it out; fields are written before the word, like ti:word."),
    )


def _untagged(one: Found) -> str:
    """Our form of a word with a tag that is known, any other as it was typed."""
    lower = one[2].strip().lower()
    near = _TAGGED_NEAR.fullmatch(lower)
    if near:
        phrase = one[1].strip('"')
        return f'"{phrase}"~{max(int(near[1]), len(phrase.split()) - 1)}'
    return f"{_TAGS[lower]}{one[1]}" if lower in _TAGS else one[0]


def _names(text: str, masked: str) -> None:
    """A word with a colon that is no field of ours."""
    for found in _NAMED.finditer(masked):
        name = found[1]
        lower = name.lower()
        follows = masked[found.end() : found.end() + 1]
        if lower in OWN_FIELDS or (lower == "all" and follows.strip()):
            continue
        if not follows.strip() and not _is_slip(lower):
            continue  # "CLIP: a survey": the colon of a sentence
        ours = "" if lower == "all" else FOREIGN_FIELDS.get(lower)
        if ours is None and lower not in _UNKNOWN_HERE:
            close = difflib.get_close_matches(lower, sorted(OWN_FIELDS), n=1)
            ours = f"{close[0]}:" if close else None
        rest = text[found.end() :]
        value = re.match(r'\s*("[^"]*"|[^\s()"]*)', rest)
        end = found.end() + (value.end() if value else 0)
        if ours is not None:
            meant = text[: found.start()] + ours + rest
        elif lower in _UNKNOWN_HERE:
            meant = taken_out(text, found.start(), end)
        else:
            whole = text[found.start() : end].replace('"', " ")
            meant = text[: found.start()] + f'"{" ".join(whole.split())}"' + text[end:]
        raise refusal(
            no_field(f"{name}:", found.start() + 1),
            meant,
            _advice(ours),
            expected=Sentence("a field, or the whole in quotes"),
        )


def _is_slip(name: str) -> bool:
    """Is a name before a colon and a blank meant as a field all the same ("titel: graph")?"""
    near = difflib.get_close_matches(name, sorted(OWN_FIELDS), n=1, cutoff=0.8)
    return name in _FIELDS_SURELY or (bool(near) and len(name) > 4)


def _advice(ours: str | None) -> Sentence:
    """About an unknown field: ours in its place, "" when none is needed, None when unknown."""
    if ours is None:
        return Sentence(
            "Fields are: %(fields)s",
            fields="ti: abs: au: cat: source: org: id: votes: comments: authors:",
        )
    if ours:
        return Sentence("Did you mean: %(meant)s?", meant=ours)
    return Sentence("Leave it out: words need none.")


Rule = tuple[str, Callable[[str, str], None]]
"""Signs of which one must be there, "" = always; and what looks at text and blotted text."""

LINKS: tuple[Rule, ...] = (("/", _links), (".", _papers))
FORMS: tuple[Rule, ...] = (
    (":", _all_in),
    ("=(", _functions),
    ("[{:=", _dates),
    ("[", _tags),
    ("./", _ovid),
)
NAMES: tuple[Rule, ...] = ((":", _names), (".", _codes))

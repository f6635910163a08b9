"""The categories that are known by code, and what a code that is not known probably means. Pure.

arXiv's own list (https://arxiv.org/category_taxonomy, read in November 2026), its archives, and
what else the stored papers were seen to carry. Other sources have subjects in words; those are
compared word by word and never refused unless one that is known is very near.
"""

import difflib
from collections.abc import Iterable

from service.errors import Sentence
from service.matching.query import QueryError

# fmt: off
_SUBJECTS = {
    "astro-ph": "CO EP GA HE IM SR",
    "cond-mat": "dis-nn mes-hall mtrl-sci other quant-gas soft stat-mech str-el supr-con",
    "cs": "AI AR CC CE CG CL CR CV CY DB DC DL DM DS ET FL GL GR GT HC IR IT LG LO MA MM MS NA "
          "NE NI OH OS PF PL RO SC SD SE SI SY",
    "econ": "EM GN TH",
    "eess": "AS IV SP SY",
    "math": "AC AG AP AT CA CO CT CV DG DS FA GM GN GR GT HO IT KT LO MG MP NA NT OA OC PR QA RA "
            "RT SG SP ST",
    "nlin": "AO CD CG PS SI",
    "physics": "acc-ph ao-ph app-ph atm-clus atom-ph bio-ph chem-ph class-ph comp-ph data-an "
               "ed-ph flu-dyn gen-ph geo-ph hist-ph ins-det med-ph optics plasm-ph pop-ph soc-ph "
               "space-ph",
    "q-bio": "BM CB GN MN NC OT PE QM SC TO",
    "q-fin": "CP EC GN MF PM PR RM ST TR",
    "stat": "AP CO ME ML OT TH",
}
# fmt: on
_WHOLE = "gr-qc hep-ex hep-lat hep-ph hep-th math-ph nucl-ex nucl-th quant-ph"

CODES = {
    code.lower(): code
    for code in (
        *(
            f"{archive}.{subject}"
            for archive in _SUBJECTS
            for subject in _SUBJECTS[archive].split()
        ),
        *_WHOLE.split(),
        *_SUBJECTS,
    )
}
"""Every code of arXiv by its lower-case form, as arXiv writes it."""

_seen: dict[str, str] = {}
_MOST_SEEN = 1_000


def know(categories: Iterable[str]) -> None:
    """Take in categories of stored papers: they are known from now on, in this process."""
    for category in categories:
        lower = category.strip().lower()
        if lower and len(_seen) < _MOST_SEEN:
            _seen.setdefault(lower, category.strip())


def code_of(word: str) -> str:
    """The code with a dot that ``word`` is, whatever its case; "" when it is none."""
    return CODES.get(word.lower(), "") if "." in word else ""


def check_category(text: str, code: str, position: int, *, prefix: bool) -> None:
    """Refuse a code of arXiv's that does not exist, and a subject that is nearly a known one.

    text: as typed; code: in lower case without the star. Raises QueryError whose suggestion is
    what ``cat:`` should be followed by.
    """
    known = {**_seen, **CODES}
    if prefix:
        if any(one.startswith(code) for one in known):
            return
    elif code in known or any(one.startswith(code + ".") for one in known) or _is_part(code):
        return
    near = _nearest(code, known)
    archive = code.partition(".")[0]
    if not near and not ("." in code and archive in _SUBJECTS):
        return
    meant = near or archive
    raise QueryError(
        Sentence(
            "There is no category %(category)s (character %(position)s).",
            category=text,
            position=position,
        ),
        expected=Sentence("a category like cs.LG, cs.* or cs"),
        next_step=Sentence("Did you mean: %(meant)s?", meant=f"cat:{quoted(meant)}"),
        suggestion=quoted(meant),
    )


def quoted(category: str) -> str:
    """A category as it stands behind ``cat:``."""
    return f'"{category}"' if not category.replace("-", "").replace(".", "").isalnum() else category


def _is_part(code: str) -> bool:
    """Are these words of a subject that a stored paper has ("neuroscience")?"""
    words = set(code.split())
    return "." not in code and any(words <= set(one.split()) for one in _seen)


def _nearest(code: str, known: dict[str, str]) -> str:
    """The known category that was probably meant, as it is written; "" when none is near."""
    archive, dot, subject = code.partition(".")
    if not dot:
        glued = [one for one in CODES if "." in one and one.replace(".", "") == code]
        found = glued or [one for one in CODES if one.partition(".")[2] == code]
        found = found or difflib.get_close_matches(code, known, n=1, cutoff=0.85)
        return known[found[0]] if found else ""
    if archive in _SUBJECTS:
        among = [one.partition(".")[2] for one in CODES if one.startswith(archive + ".")]
        same = [one for one in among if one.startswith(subject) or subject.startswith(one)]
        elsewhere = [one for one in CODES if one.partition(".")[2] == subject]
        if same and subject:
            return CODES[f"{archive}.{same[0]}"]
        if elsewhere and subject:
            return CODES[elsewhere[0]]
        found = difflib.get_close_matches(subject, among, n=1, cutoff=0.5)
        return CODES[f"{archive}.{found[0]}"] if found else ""
    found = difflib.get_close_matches(code, known, n=1, cutoff=0.75)
    return known[found[0]] if found else ""

"""When two papers are the same: identifiers out of anything, aliases in order of trust. Pure."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from service.papers.model import SCHEMES, Alias, Scheme
from service.text.clean import safe_link

_ARXIV_NEW = r"\d{2}(?:0[1-9]|1[0-2])\.\d{4,5}"
_ARCHIVES = (
    "acc-phys adap-org alg-geom ao-sci astro-ph atom-ph bayes-an chao-dyn chem-ph cmp-lg comp-gas "
    "cond-mat cs dg-ga funct-an gr-qc hep-ex hep-lat hep-ph hep-th math math-ph mtrl-th nlin "
    "nucl-ex nucl-th patt-sol physics plasm-ph q-alg q-bio quant-ph solv-int supr-con"
)
"""The archives that gave out ids before April 2007; the list is closed."""

_ARXIV_OLD = (
    rf"(?:{'|'.join(_ARCHIVES.split())})(?:\.[A-Za-z]{{2}})?/\d{{2}}(?:0[1-9]|1[0-2])\d{{3}}"
)
_ARXIV_ID = rf"(?P<id>{_ARXIV_NEW}|{_ARXIV_OLD})(?P<version>v\d{{1,3}})?(?=$|[^\w]|\.pdf)"
_ARXIV_BARE = re.compile(_ARXIV_ID, re.IGNORECASE)
_ARXIV_NAMED = re.compile(
    r"\b(?:arxiv[:.]|arxiv\.org[:/](?:[a-z]+/)?|huggingface\.co/papers/|alphaxiv\.org/[a-z]+/)"
    rf"\s*{_ARXIV_ID}",
    re.IGNORECASE,
)
_DOI = re.compile(
    r"10\.\d{4,9}/(?:[^\s\"<>{}|\\^`，。；、\u0000-\u001f]|<\d+:[^<>\s]{1,30}>)+", re.IGNORECASE
)
_DOI_TAIL = re.compile(
    r"/(?:full|abstract|abs|pdf|epdf|html|meta|summary|references|figures)(?:/.*)?$|\.full(?:\..*)?$"
)
_SILVERCHAIR = re.compile(r"^(10\.\d{4,9}/[^/]+)/\d{5,}(?:/.*)?$")
_PREPRINT_VERSION = re.compile(r"^(10\.(?:1101|64898)/.+?)v\d{1,3}(?:\..*)?$")
_BIORXIV_SHORT = re.compile(r"(?:bio|med)rxiv\.org/cgi/.*?/(\d{4}\.\d\d\.\d\d\.\d{6,})(?:v\d+)?")
_ARXIV_DOI = re.compile(r"^10\.48550/arxiv\.", re.IGNORECASE)
_PMID = re.compile(
    r"\b(?:pmid:\s*|pubmed:\s*|pubmed\.ncbi\.nlm\.nih\.gov/|ncbi\.nlm\.nih\.gov/pubmed/)"
    r"(\d{4,9})(?=$|[/?#\s])",
    re.IGNORECASE,
)
_TRACKING_NAMES = (
    "af campaign_id cmpid dgcid fbclid fc ff from gclid igshid mc_cid mc_eid mkt_tok msclkid ncid "
    "ref_src rft_dat rsc_ga rss wt.mc_id yclid _ga _hsenc _hsmi"
)
_TRACKING = frozenset(_TRACKING_NAMES.split())
_TRACKING_START = ("utm_", "mtm_", "pk_", "hsa_")
_RESOLVER = re.compile(r"https://(?:dx\.)?doi\.org/")
_SESSION = re.compile(r";(?:jsessionid|phpsessid)=[^/?#]*", re.IGNORECASE)
_WORLDWIDE = re.compile(r"^(?:https?://|tag:|urn:|oai:|doi:|10\.\d{4,9}/)|^[0-9a-f-]{24,}$", re.I)


def arxiv_id(text: str, *, bare: bool = True) -> str | None:
    """Return the arXiv id in ``text`` without its version, or None.

    Read are the bare id, ``arXiv:2511.01234v2 [cs.CL]``, ``oai:arXiv.org:...``, abs, pdf and html
    addresses, the DOI ``10.48550/arXiv...``, Hugging Face's paper pages and the ids before 2007
    (``math.GT/0309136`` -> ``math/0309136``). https://info.arxiv.org/help/arxiv_identifier.html
    bare: whether an id that does not say whose it is counts; other sites number their items alike.
    """
    text = text.strip()[:500]
    match = (_ARXIV_BARE.match(text) if bare else None) or _ARXIV_NAMED.search(text)
    if match is None:
        return None
    found = match["id"]
    if "/" not in found:
        digits = found.partition(".")[2]
        return found if len(digits) == (5 if found[:4] >= "1501" else 4) else None
    archive, number = found.split("/")
    return f"{archive.partition('.')[0].lower()}/{number}"


def arxiv_version(text: str) -> int:
    """Return which version of an arXiv paper a name is of (``2511.01234v2`` is 2), 0 when it does
    not say."""
    text = text.strip()[:500]
    match = _ARXIV_BARE.match(text) or _ARXIV_NAMED.search(text)
    return int(match["version"][1:]) if match and match["version"] else 0


_ARCHIVE = re.compile(
    r"10\.(48550/|1101/\d|64898/|21203/rs|20944/preprints|2139/ssrn|26434/chemrxiv|31219/|31234/|"
    r"36227/techrxiv|5281/zenodo)",
    re.IGNORECASE,
)


def is_journal(doi: str) -> bool:
    """Whether a DOI is no archive's own: those of arXiv, bioRxiv, medRxiv and others that take
    papers before any journal has them."""
    return doi.startswith("10.") and not _ARCHIVE.match(doi)


def doi(text: str) -> str | None:
    """Return the DOI in ``text`` in lower case, or None.

    Read are ``doi:10...``, resolver addresses and publishers' addresses that hold one; tracking
    parts, ``/full``, the closing punctuation of a sentence and the version of a bioRxiv or medRxiv
    preprint are cut off. arXiv's own DOIs count as arXiv ids. Case: DOI Handbook, section 2.4.
    """
    text = unquote(text.strip()[:1000])
    short = _BIORXIV_SHORT.search(text)
    if short:
        return f"10.1101/{short[1]}"
    match = _DOI.search(text)
    if match is None:
        return None
    found = match[0]
    if "://" in text[: match.start()]:
        found = re.split(r"[?#]|;jsessionid", found, maxsplit=1)[0]
        found = _DOI_TAIL.sub("", found)
        if silver := _SILVERCHAIR.match(found):
            found = silver[1]
    found = _unpunctuated(found).lower()
    if preprint := _PREPRINT_VERSION.match(found):
        found = preprint[1]
    if found.endswith("/") or _ARXIV_DOI.match(found):
        return None
    return found


def _unpunctuated(found: str) -> str:
    """Cut the punctuation of the sentence around; keep brackets that belong together."""
    while found and (
        found[-1] in ".,;:'\"*]>"
        or (found[-1] == ")" and found.count(")") > found.count("("))
        or found.endswith("/)")
    ):
        found = found[:-1]
    return found


def pmid(text: str) -> str | None:
    """Return the PubMed number in ``text`` that says it is one (``pubmed:34929406``,
    ``PMID: 34929406``, an address of PubMed), or None."""
    match = _PMID.search(text.strip()[:500])
    return match[1].lstrip("0") or None if match else None


def without_tracking(url: str) -> str:
    """Return a safe link without the parts that only tell where the reader came from."""
    url = safe_link(url)
    if not url:
        return ""
    parts = urlsplit(url)
    kept = [pair for pair in parts.query.split("&") if pair and not _tracks(pair, parts.netloc)]
    return urlunsplit(
        (parts.scheme, parts.netloc, _SESSION.sub("", parts.path), "&".join(kept), parts.fragment)
    )


def _tracks(pair: str, host: str) -> bool:
    name = unquote(pair.partition("=")[0]).lower()
    if host.endswith("pubmed.ncbi.nlm.nih.gov") and name == "v":
        return True
    return name in _TRACKING or name.startswith(_TRACKING_START)


def canonical_link(url: str) -> str | None:
    """Return ``url`` in the one form used as a name: https, lower-case host, no tracking, no
    fragment, parameters in order, no closing slash; None when it is no web address."""
    url = without_tracking(url)
    if not url:
        return None
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    if parts.port not in (None, 80, 443):
        host = f"{host}:{parts.port}"
    query = urlencode(sorted(parse_qsl(parts.query, keep_blank_values=True)))
    path = parts.path.rstrip("/")
    if not path and not query:
        return None
    return urlunsplit(("https", host, path, query, ""))


def fingerprint(title: str, first_author: str) -> str | None:
    """Return a name made of title and first author's surname, for papers that have no other.

    Case, accents, punctuation and white space do not count. None where the title is too short to
    tell papers apart ("Editorial"); a paper without an author needs a longer one.
    """
    words = plain_words(title)
    surname = _surname(first_author)
    wide = sum(ord(char) > 0x2E80 for char in words)
    letters, wide_needed = (20, 8) if surname else (40, 12)
    if wide < wide_needed and (len(words) < letters or words.count(" ") < 2):
        return None
    return hashlib.sha256(f"{words}\n{surname}".encode()).hexdigest()[:32]


def plain_words(text: str) -> str:
    """The words of a title as compared: no case, accents or punctuation."""
    text = unicodedata.normalize("NFKD", text).casefold()
    text = "".join(char for char in text if not unicodedata.combining(char))
    return " ".join(re.findall(r"[^\W_]+", text))


def _surname(name: str) -> str:
    """The last word of "First Last", what stands before the comma of "Last, First"."""
    before, comma, _ = name.partition(",")
    words = plain_words(before if comma else name).split()
    if not words:
        return ""
    if words[-1] in ("jr", "sr", "ii", "iii") and len(words) > 1:
        words.pop()
    return words[-1]


def aliases(
    *names: str,
    said: str = "",
    hf: str = "",
    guid: str = "",
    feed: str = "",
    link: str = "",
    title: str = "",
    authors: Sequence[str] = (),
) -> tuple[Alias, ...]:
    """Return every name of a paper, most trusted first (the order of ``SCHEMES``).

    names: texts in which an arXiv id, a DOI or a PubMed number may stand, the best first; of each
        scheme the first one found is taken. Only ``hf`` may hold an arXiv id without "arXiv":
        a feed's own ``2012.12345`` is no arXiv id.
    said: like names, but trusted less than guid and link (found in the description).
    hf: Hugging Face's id, a name of its own only where it is no arXiv id.
    guid, feed: the item's own name and the feed's home; a guid that is not unique in the world
        (``"1234"``) is named together with its feed. link: an absolute address.
    """
    found: dict[Scheme, list[str]] = {scheme: [] for scheme in SCHEMES}
    for text in (*names, hf, guid, link, said):
        if not text:
            continue
        arxiv = arxiv_id(text, bare=text == hf)
        for scheme, value in (("arxiv", arxiv), ("doi", doi(text))):
            if value:
                found[scheme].append(value)  # type: ignore[index]
        if number := None if arxiv else pmid(text):
            found["pmid"].append(number)
    if hf and not arxiv_id(hf):
        found["hf"].append(hf.strip())
    if guid and not arxiv_id(guid, bare=False):
        found["guid"].append(_guid(guid, feed or link))
    address = canonical_link(link)
    if address and not arxiv_id(link) and not _RESOLVER.match(address):
        found["link"].append(address)
    mark = fingerprint(title, authors[0] if authors else "")
    if mark:
        found["fingerprint"].append(mark)
    return _ordered(
        Alias(scheme, value) for scheme in SCHEMES for value in found[scheme][:1] if value
    )


def _guid(guid: str, feed: str) -> str:
    guid = guid.strip()
    if guid.lower().startswith(("http://", "https://")):
        guid = canonical_link(guid) or guid
    elif not _WORLDWIDE.match(guid):
        guid = f"{urlsplit(feed).netloc.lower() or feed}:{guid}"
    if len(guid) > 500:
        guid = hashlib.sha256(guid.encode()).hexdigest()
    return guid


def _ordered(names: Iterable[Alias]) -> tuple[Alias, ...]:
    unique = dict.fromkeys(names)
    return tuple(sorted(unique, key=lambda alias: SCHEMES.index(alias.scheme)))


def merged(old: Sequence[Alias], new: Sequence[Alias]) -> tuple[Alias, ...]:
    """Return the names of both, most trusted first, known ones before new ones."""
    return _ordered((*old, *new))


PROOF: tuple[Scheme, ...] = ("arxiv", "doi", "pmid")
"""Names that a paper has one of, in the world: two different ones are two papers."""


def is_same(one: Sequence[Alias], other: Sequence[Alias]) -> bool:
    """Say whether two lists of names belong to one paper.

    The most trusted scheme that both have decides when it is an arXiv id, a DOI or a PubMed
    number: two different ones are two papers, whatever else agrees. Of the weaker names one in
    common is enough.
    """
    return _bond(one, other) is not None


def _bond(one: Sequence[Alias], other: Sequence[Alias]) -> Scheme | None:
    """The scheme of the name that makes two lists one paper."""
    for scheme in SCHEMES:
        here, there = _values(one, scheme), _values(other, scheme)
        if here & there:
            return scheme
        if here and there and scheme in PROOF:
            return None
    return None


def _values(names: Sequence[Alias], scheme: Scheme) -> set[str]:
    return {alias.value for alias in names if alias.scheme == scheme}


def belonging(names: Sequence[Alias], stored: Mapping[int, Sequence[Alias]]) -> list[int]:
    """Return which of the stored papers is the one with these names, the oldest (smallest id)
    first; the others are its twins, found only now.

    stored: papers with a name in common, by id. Where two of them cannot be one paper (another
    arXiv id; or another DOI or PubMed number, and only a weak name says they are one) the one with
    the better name in common is chosen.
    """
    bonds = {i: bond for i, known in stored.items() if (bond := _bond(names, known)) is not None}
    chosen: list[int] = []
    for paper_id in sorted(bonds, key=lambda i: (SCHEMES.index(bonds[i]), i)):
        is_proven = bonds[paper_id] in PROOF
        if not any(_parted(stored[paper_id], stored[i], is_proven) for i in chosen):
            chosen.append(paper_id)
    return sorted(chosen)


def _parted(one: Sequence[Alias], other: Sequence[Alias], is_proven: bool) -> bool:
    """Whether two stored papers stay two, although one sighting names both."""
    for scheme in PROOF[:1] if is_proven else PROOF:
        here, there = _values(one, scheme), _values(other, scheme)
        if here and there and not here & there:
            return True
    return False

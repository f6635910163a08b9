"""Measures making the bytes of a digest: put together from kept pieces (``Press.mail``) against
rendered whole by Jinja2 and written by EmailMessage (``Renderer.render_digest``, ``build``).

Run from the checkout: ``python -m bench.mail_speed``; the result is ``results/mail_speed.json``.
Digests of 5, 20 and 50 captured papers with short abstracts, links and a name for each reader.

- ``shared``: 100 profiles whose papers were mailed before; each mail another reader, with links of
  their own. What sending a day's digests is like.
- ``own``: no two readers have the same marks or reasons; the papers were mailed before.
- ``cold``: nothing was mailed before: the first mail of a day, over and over.

Times are processor time of one mail in microseconds, medians of ``ROUNDS`` rounds in which both
ways take turns. ``times`` is the slow way divided by the fast. Before anything is measured, both
mails of some readers are parsed and compared. The budget is lifted, so that 50 papers stay in full.
"""

import gc
import random
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from bench.captured.papers import RESULTS, hf_items
from bench.measured.process import Figures, keep, machine, measured_apart, report, timed
from service.delivery.frame import ReaderFrame
from service.delivery.heads import Heads
from service.delivery.i18n import Catalogs
from service.delivery.message import build
from service.delivery.press import Press
from service.delivery.render import Renderer
from service.delivery.site import Site
from service.digest import excerpt
from service.digest.model import Digest, Entry, Marked, Reason, Section
from service.resources import resource_dir
from service.text.tex import to_unicode

BASE = "https://papers.example.org"
ON = date(2026, 11, 20)
SIZES = (5, 20, 50)
ROUNDS = 5
PROFILES = 100
FAST, SLOW = 100, 8
"""Mails of one round."""

Mail = tuple[Digest, ReaderFrame, Heads]


def renderer() -> Renderer:
    """Ours as it is in use, with a frame as an institute would have it."""
    templates = resource_dir("templates")
    site = Site(
        name="Paperpost",
        org="Example University Library",
        contact="papers@example.org",
        postal="1 Example Street",
        base_url=BASE,
        privacy_url=f"{BASE}/privacy",
        sender="papers@example.org",
    )
    return Renderer(
        [templates],
        Catalogs.load(templates / "locale"),
        site,
        html_budget=1_000_000,
        message_budget=2_000_000,
    )


def paper(number: int, item: dict[str, Any]) -> Entry:
    """A captured paper as a digest shows it, without marks."""
    row = item["paper"]
    authors = [author["name"] for author in row.get("authors", ()) if not author.get("hidden")]
    handle = row["id"]
    code = row.get("githubRepo") or ""
    return Entry(
        paper_id=number,
        scheme="arxiv",
        value=handle,
        title=excerpt.title(to_unicode(row["title"]), ()),
        abstract=excerpt.short(to_unicode(row.get("summary") or ""), (), 420),
        authors=tuple(authors[:3]),
        author_count=len(authors),
        dated_on=date(2026, 11, 19),
        place="Hugging Face",
        votes=row.get("upvotes"),
        comments=item.get("numComments"),
        links={
            "abs": f"https://arxiv.org/abs/{handle}",
            "pdf": f"https://arxiv.org/pdf/{handle}",
            "discuss": f"https://huggingface.co/papers/{handle}",
            **({"code": code} if code else {}),
        },
    )


def with_marks(entry: Entry, chance: random.Random) -> Entry:
    """The paper with words of it marked that this reader would have asked for."""

    def marked(text: str, most: int) -> Marked:
        ends = [at for at, char in enumerate(text) if char == " "]
        chosen = sorted(chance.sample(ends, min(len(ends), most)))
        spans = [(at + 1, min(at + 1 + chance.randrange(4, 12), len(text))) for at in chosen]
        return Marked(text, excerpt.merged(spans, len(text)))

    title, abstract = marked(entry.title.text, 1), marked(entry.abstract.text, 3)
    terms = [text for part in (title, abstract) for text, is_hit in part.pieces() if is_hit][:2]
    reasons = tuple(Reason(term, "abstract") for term in terms)
    return replace(entry, title=title, abstract=abstract, reasons=reasons)


def digest_of(entries: Sequence[Entry], number: int) -> Digest:
    """Three interests of one reader."""
    third = -(-len(entries) // 3)
    parts = [entries[:third], entries[third : 2 * third], entries[2 * third :]]
    sections = [
        Section(
            kind="interest",
            name=f"Interest {number % 40} of {at}",
            profile_id=number * 3 + at,
            total=len(part),
            entries=tuple(part),
        )
        for at, part in enumerate(parts)
        if part
    ]
    return Digest(
        kind="daily",
        on=ON,
        checked=446,
        matched=len(entries),
        sections=tuple(sections),
        interests=3,
    )


def letter(digest: Digest, number: int) -> Mail:
    """The same digest for one more reader."""
    chance = random.Random(number)  # nosec B311

    def token() -> str:
        return f"{chance.getrandbits(132):022x}"[-22:]

    own, leave = token(), f"{BASE}/u/{token()}"
    reader = ReaderFrame(
        manage_url=f"{BASE}/manage/{token()}.{token()}",
        unsubscribe_url=leave,
        view_url=f"{BASE}/d/{own}",
        tune_base=f"{BASE}/tune/{own}",
        papers_url=f"{BASE}/papers/{ON}",
        confirmed_on=date(2026, 1 + number % 11, 1 + number % 28),
        hour=number % 24,
        zone=("Europe/Zurich", "America/New_York", "Asia/Tokyo")[number % 3],
    )
    heads = Heads(
        sender="papers@example.org",
        sender_name="Paperpost",
        recipient=f"reader{number}@example.org",
        message_id=f"<{token()}@example.org>",
        date=datetime(2026, 11, 20, 8, number % 60, tzinfo=UTC),
        list_id="<papers.example.org>",
        unsubscribe_url=leave,
        help_url=f"{BASE}/about",
        feedback_id="1:digest:paperpost",
    )
    return digest, reader, heads


class Work:
    """Papers and readers of digests of one size."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.papers = [paper(n, item) for n, item in enumerate(hf_items())][:600]
        self.profiles = [self.own(number) for number in range(PROFILES)]

    def own(self, number: int) -> Digest:
        """A digest whose marks nobody else has."""
        chance = random.Random(f"{self.size}:{number}")  # nosec B311
        chosen = chance.sample(self.papers, self.size)
        return digest_of([with_marks(entry, chance) for entry in chosen], number)

    def shared(self, round_: int, count: int) -> list[Mail]:
        """Readers of the profiles, new ones in each round."""
        first = 10_000 + round_ * count
        return [letter(self.profiles[n % PROFILES], first + n) for n in range(count)]

    def alone(self, round_: int, count: int) -> list[Mail]:
        """Readers whose marks nobody else has, new ones in each round."""
        first = 1_000_000 + round_ * count
        return [letter(self.own(first + n), first + n) for n in range(count)]


def read(raw: bytes) -> list[Any]:
    """All headers and parts."""
    mail = message_from_bytes(raw, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    headers = [(name, str(value)) for name, value in mail.items()]
    return [headers, [part.get_content() for part in mail.iter_parts()]]


def measure(size: int) -> Figures:
    """All workloads of one size, in this process."""
    made, work = renderer(), Work(size)
    press = Press(made)

    def whole(mail: Mail) -> bytes:
        digest, reader, heads = mail
        return build(made.render_digest(digest, reader), **heads.fields())

    for mail in work.alone(99, 25) + work.shared(99, PROFILES):
        press.printed(mail[0], mail[1])  # never the slow way
        if int(mail[2].recipient[6:-12]) % 4 == 0:
            assert read(press.mail(*mail)) == read(whole(mail))
    chance = random.Random(0)  # nosec B311
    for n in range(0, 600, 5):  # every paper once with a short number, once with a long one
        few = [with_marks(entry, chance) for entry in work.papers[n : n + 5]]
        press.mail(*letter(digest_of(few, n), 7))
        press.mail(*letter(digest_of([*work.papers[:9], *few], n), 7))

    def rounds(mails: Callable[[int, int], list[Mail]]) -> Figures:
        fast, slow = [], []
        for at in range(ROUNDS):
            many, few = mails(at, FAST), mails(at + ROUNDS, SLOW)
            gc.collect()
            gc.freeze()  # the digests of a round stand for ones that come and go one by one
            fast.append(timed(lambda m=many: [press.mail(*mail) for mail in m]) / FAST)
            slow.append(timed(lambda m=few: [whole(mail) for mail in m]) / SLOW)
            gc.unfreeze()
        return told(statistics.median(fast), statistics.median(slow))

    figures = {"shared": rounds(work.shared), "own": rounds(work.alone)}
    figures["kept_bytes"] = press.memory
    first = work.shared(0, ROUNDS)
    cold = []
    for mail in first:
        new = Press(made)
        new.mail(*letter(digest_of([], 1), 1))  # its templates are compiled
        cold.append(timed(lambda n=new, m=mail: n.mail(*m)))
    slow = [timed(lambda m=mail: whole(m)) for mail in first]
    figures["cold"] = told(statistics.median(cold), statistics.median(slow))
    figures["message_bytes"] = len(press.mail(*first[0]))
    figures["whole_bytes"] = len(whole(first[0]))
    return figures


def told(fast: float, slow: float) -> Figures:
    """Microseconds of one mail, and how many times faster."""
    return {
        "fast_us": round(fast * 1e6),
        "slow_us": round(slow * 1e6),
        "times": round(slow / fast, 1),
    }


def main() -> None:
    """Every size in a process of its own."""
    result: Figures = {"machine": machine()}
    result["date"] = datetime.now(UTC).date().isoformat()  # noqa: TID251
    result["command"] = "python -m bench.mail_speed"
    for size in SIZES:
        result[f"{size} papers"] = figures = measured_apart("bench.mail_speed", str(size))
        print(size, figures)
        keep(RESULTS / "mail_speed.json", result)


if __name__ == "__main__":
    if sys.argv[1:2] == ["one"]:
        report(lambda: measure(int(sys.argv[2])))
    else:
        main()

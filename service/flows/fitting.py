"""What is frozen is what the mail shows: a digest that is too large is made smaller before."""

from collections.abc import Sequence

from service.delivery.render import RenderError
from service.digest.model import Digest
from service.digest.size import guessed
from service.flows.letter import frame_of_row
from service.flows.runtime import Runtime
from service.flows.worked import Decision, Worked
from service.store.tables import DeliveryRow, SubscriberRow

ROOMY = 0.9
"""A mail of so much of what it may weigh at most: with no reader's name of a zone, numbers and days
in it is it too large."""

LEARNED = 20
"""So many mails of a language and format tell what the next ones weigh."""

MARGIN = 1.15
"""The next ones may weigh so much more than the heaviest of those, for the same texts."""


def fitted(
    rt: Runtime,
    row: DeliveryRow,
    reader: SubscriberRow,
    worked: Worked,
    decision: Decision,
    digest: Digest,
    profiles: Sequence[int | None],
) -> Digest:
    """The digest of a decision with as many papers in full as its mail holds; every paper stays in
    it. profiles: the numbers of the reader's interests, section by section.

    One with room to spare is looked at once for all readers of a language and format, and not
    rendered where those before it tell that it has. One that cannot be rendered is returned as it
    is: sending says what is wrong with it, and fits what is rendered there anyway.
    """
    form = reader.locale, reader.format
    if form in decision.roomy:
        return digest
    size, shares = guessed(digest), worked.shares.setdefault(form, [])
    if len(shares) >= LEARNED and size * max(shares) * MARGIN <= ROOMY:
        decision.roomy.add(form)
        return digest
    frame = frame_of_row(rt, row, reader, digest)
    try:
        html, whole = rt.press.sizes(digest, frame, profiles)
        renderer = rt.press.renderer
        share = max(html / renderer.html_budget, whole / renderer.message_budget)
        if len(shares) < LEARNED:
            shares.append(share / size)
        if share <= ROOMY:
            decision.roomy.add(form)
            return digest
        return rt.press.fit(digest, frame, profiles)
    except RenderError:
        return digest
    except Exception as error:
        rt.log("fit_failed", delivery=row.id, error=type(error).__name__)
        return digest

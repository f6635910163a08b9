"""What is frozen is what the mail shows: a digest that is too large is made smaller before."""

from collections.abc import Sequence

from service.delivery.render import RenderError
from service.digest.model import Digest
from service.flows.letter import frame_of_row
from service.flows.runtime import Runtime
from service.flows.worked import Decision
from service.store.tables import DeliveryRow, SubscriberRow

ROOMY = 0.9
"""A mail of so much of what it may weigh at most: with no reader's name of a zone, numbers and days
in it is it too large."""


def fitted(
    rt: Runtime,
    row: DeliveryRow,
    reader: SubscriberRow,
    decision: Decision,
    digest: Digest,
    profiles: Sequence[int | None],
) -> Digest:
    """The digest of a decision with as many papers in full as its mail holds; every paper stays in
    it. profiles: the numbers of the reader's interests, section by section.

    One with room to spare is looked at once for all readers of a language and format. One that
    cannot be rendered is returned as it is: sending says what is wrong with it.
    """
    form = reader.locale, reader.format
    if form in decision.roomy:
        return digest
    frame = frame_of_row(rt, row, reader, digest)
    try:
        html, whole = rt.press.sizes(digest, frame, profiles)
        renderer = rt.press.renderer
        if html <= ROOMY * renderer.html_budget and whole <= ROOMY * renderer.message_budget:
            decision.roomy.add(form)
            return digest
        return rt.press.fit(digest, frame, profiles)
    except RenderError:
        return digest
    except Exception as error:
        rt.log("fit_failed", delivery=row.id, error=type(error).__name__)
        return digest

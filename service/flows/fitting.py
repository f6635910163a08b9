"""What is frozen is what the mail shows: a digest that is too large is made smaller before."""

from service.delivery.render import RenderError
from service.digest.model import Digest
from service.flows.letter import frame_of_row
from service.flows.runtime import Runtime
from service.store.tables import DeliveryRow, SubscriberRow


def fitted(rt: Runtime, row: DeliveryRow, reader: SubscriberRow, digest: Digest) -> Digest:
    """The digest with as many papers in full as its mail holds; every paper stays in it.

    One that cannot be rendered is returned as it is: sending says what is wrong with it.
    """
    frame = frame_of_row(rt, row, reader, digest)
    try:
        return rt.press.fit(digest, frame)
    except RenderError:
        return digest
    except Exception as error:
        rt.log("fit_failed", delivery=row.id, error=type(error).__name__)
        return digest

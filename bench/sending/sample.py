"""The mail of a house that is nearest to the mean size, as it goes over the wire."""

import sys
from pathlib import Path

from bench.measured.process import Figures, report
from bench.sending import house
from service.flows.letter import bytes_of
from service.store.deliveries import list_deliveries
from service.store.editions import get_edition
from service.store.subscribers import get_subscriber_row

MANY = 200


def sample(folder: Path, into: Path, database: str) -> Figures:
    with house.house(folder, database=database) as made:
        rt = made.runtime

        def mails(session: object) -> list[bytes]:
            rows = [r for r in list_deliveries(session, limit=MANY) if r.state == "ready"]  # type: ignore[arg-type]
            return [
                bytes_of(
                    rt,
                    row,
                    get_edition(session, id=row.edition_id),  # type: ignore[arg-type]
                    get_subscriber_row(session, id=row.subscriber_id),  # type: ignore[arg-type]
                )
                for row in rows
            ]

        made_mails = rt.db.read(mails)
    mean = sum(map(len, made_mails)) / len(made_mails)
    best = min(made_mails, key=lambda mail: abs(len(mail) - mean))
    into.write_bytes(best)
    return {"bytes": len(best), "mean": round(mean)}


if __name__ == "__main__":
    report(lambda: sample(Path(sys.argv[1]), Path(sys.argv[2]), "".join(sys.argv[3:])))

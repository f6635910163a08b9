"""Topics: an operator's saved searches, by name."""

from sqlmodel import Session, col, select

from service.store.house_tables import TopicRow


def get_topic(session: Session, name: str) -> TopicRow | None:
    """One topic."""
    return session.exec(select(TopicRow).where(TopicRow.name == name)).first()


def list_topics(session: Session) -> list[TopicRow]:
    """Every topic, by title."""
    rows = session.exec(select(TopicRow).order_by(col(TopicRow.id))).all()
    return sorted(rows, key=lambda row: (row.title.casefold(), row.name))

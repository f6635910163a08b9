"""Who runs a flow, and where: implementations of the port that flows declare."""

from service.engine.embedded import Embedded, Stats

__all__ = ["Embedded", "Stats"]

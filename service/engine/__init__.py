"""Who runs a flow, and where: implementations of the port that flows declare."""

from service.engine.embedded import Embedded

__all__ = ["Embedded"]

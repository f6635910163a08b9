"""``/metrics`` in Prometheus' text form: to whoever holds the token, or to this machine alone."""

import hmac
from collections.abc import Iterator
from ipaddress import ip_address

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from service.flows.metrics import Family, Figures
from service.web.door import Door

_NO_STORE = {"Cache-Control": "no-store"}
_PASSED_ON = ("x-forwarded-for", "forwarded", "via", "x-real-ip")


def add_routes(routes: APIRouter, door: Door, token: str) -> None:
    """Add ``/metrics``. token: "" = this machine alone may ask."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_House(Figures(door.rt)))

    @routes.get("/metrics")
    def metrics(request: Request) -> Response:
        if token and not _holds(request, token):
            heads = {**_NO_STORE, "WWW-Authenticate": 'Bearer realm="metrics"'}
            says = "/metrics: the token is missing or another.\nSend Authorization: Bearer TOKEN.\n"
            return PlainTextResponse(says, 401, heads)
        if not token and not _is_here(request):
            says = (
                "/metrics answers this machine alone.\n"
                "Set PAPERPOST_METRICS_TOKEN to ask from elsewhere.\n"
            )
            return PlainTextResponse(says, 403, _NO_STORE)
        return Response(generate_latest(registry), 200, _NO_STORE, CONTENT_TYPE_LATEST)


class _House(Collector):
    """What ``Figures`` reads, anew at every question."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def describe(self) -> list[Metric]:
        """Nothing is read before somebody asks."""
        return []

    def collect(self) -> Iterator[Metric]:
        return map(_written, self._figures.read())


def _written(family: Family) -> Metric:
    kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    made = kind(family.name, family.about, labels=family.labels)
    for labels, value in family.values.items():
        made.add_metric(labels, value)
    return made


def _holds(request: Request, token: str) -> bool:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(
        given.strip().encode(), token.encode()
    )


def _is_here(request: Request) -> bool:
    """Whether somebody on this machine asks, with no proxy between."""
    if any(name in request.headers for name in _PASSED_ON):
        return False
    try:
        return request.client is not None and ip_address(request.client.host).is_loopback
    except ValueError:
        return False

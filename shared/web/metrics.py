"""GET /metrics in the text format of Prometheus; the one door to prometheus_client. For people or programs of one role.

There is no open door and none by loopback: behind a proxy on the same machine every caller comes from there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from flask import Blueprint, Flask, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from shared.web.context import requires

ROLE = "metrics"
PATH = "/metrics"
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60)
"""A page is good below 0.1 s; a long poll lasts up to 25 s."""


@dataclass(frozen=True)
class Measure:
    """One figure at one moment. Names end in their unit; a counter's in _total."""

    name: str
    help: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


Measures = Callable[[], Iterable[Measure]]
Family = CounterMetricFamily | GaugeMetricFamily


class Measured(Collector):
    """Asks for the measures whenever the figures are read."""

    def __init__(self, measures: Measures) -> None:
        self._measures = measures

    def collect(self) -> Iterator[Family]:
        """All measures, those of one name together."""
        families: dict[str, Family] = {}
        for measure in self._measures():
            names = sorted(measure.labels)
            if measure.name not in families:
                kind = CounterMetricFamily if measure.name.endswith("_total") else GaugeMetricFamily
                families[measure.name] = kind(measure.name, measure.help, labels=names)
            families[measure.name].add_metric([measure.labels[name] for name in names], measure.value)
        yield from families.values()


def make_metrics(measures: Measures) -> tuple[Blueprint, Callable[[Flask], None]]:
    """The page, and what installs the timing of requests in an app."""
    registry = CollectorRegistry()
    registry.register(Measured(measures))
    durations = Histogram(
        "strandline_request_seconds",
        "Time to answer a request, by room of the web face and class of status.",
        ["room", "method", "status"],
        buckets=BUCKETS_S,
        registry=registry,
    )
    page = Blueprint("metrics", __name__)

    @page.get(PATH)
    @requires(ROLE)
    def metrics() -> Response:
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    def begin() -> None:
        g.began_s = time.monotonic()

    def finish(answer: Response) -> Response:
        if "began_s" in g:
            labels = (request.blueprint or "none", request.method, f"{answer.status_code // 100}xx")
            durations.labels(*labels).observe(time.monotonic() - g.began_s)
        return answer

    def install(app: Flask) -> None:
        app.before_request_funcs.setdefault(None, []).insert(0, begin)
        app.after_request(finish)

    return page, install

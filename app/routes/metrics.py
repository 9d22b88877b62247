"""``/metrics``: figures of the running server, as Prometheus and whatever speaks its language ask for them.

Counts are of this process from its start on (`cache.counts`); lengths of queues, memory and the device are as they are
when somebody asks. No figure names a pair, a person or a folder.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from flask import Flask, Response, current_app, request
from prometheus_client import CONTENT_TYPE_LATEST, Counter, ProcessCollector, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cache.counts import COUNTED
from cache.services.services import Services, services_of
from fusion.device import resolve_device

ANSWERS = Counter(
    "fusevis_answers",
    "Answers to requests, by what was asked for and status.",
    ["endpoint", "status"],
    registry=COUNTED,
)


class Moment(Collector):
    """The services as they are at this moment, and what was counted until now.

    Parameters
    ----------
    services : Services
        Of the server.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterator[Metric]:
        """Yield all figures."""
        yield from COUNTED.collect()
        # Resident memory, descriptors and processor time of this process, by the names that they have everywhere.
        yield from ProcessCollector(registry=None).collect()
        queues = GaugeMetricFamily(
            "fusevis_queue_length", "What is computed or waits just now, by queue.", labels=["queue"]
        )
        for name, length in self._services.under_way().items():
            queues.add_metric([name], length)
        yield queues
        memory = "Bytes of results that are kept in memory, among those of the process."
        yield GaugeMetricFamily("fusevis_store_memory_bytes", memory, self._services.store.memory_bytes)
        ready = self._services.ready()
        yield GaugeMetricFamily("fusevis_ready", "1 where /readyz says so, else 0.", int(ready.ready))
        yield from _device_figures(self._services.device)


def _device_figures(name: str) -> Iterator[Metric]:
    device = resolve_device(name)
    kind = GaugeMetricFamily("fusevis_device", "1 for the device that computes.", labels=["device"])
    kind.add_metric([str(device)], 1)
    yield kind
    if device.type == "cuda":
        told = "Bytes of the device's memory that this process has, and of those the ones in use."
        memory = GaugeMetricFamily("fusevis_device_memory_bytes", told, labels=["kind"])
        memory.add_metric(["reserved"], torch.cuda.memory_reserved(device))
        memory.add_metric(["allocated"], torch.cuda.memory_allocated(device))
        yield memory


def register(server: Flask) -> None:
    """Answer with the figures at ``/metrics``, and count answers; who may ask is as at any other address."""
    server.add_url_rule("/metrics", "metrics", metrics)
    server.after_request(count)


def count(answer: Response) -> Response:
    """Count an answer, refusals too."""
    ANSWERS.labels(request.endpoint or "none", str(answer.status_code)).inc()
    return answer


def metrics() -> Response:
    """Answer with all figures."""
    figures = generate_latest(Moment(services_of(current_app)))
    return Response(figures, content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})

"""Counts of what the services do, for whoever runs the server (``/metrics``): of this process, from its start on.

They are Prometheus's own, safe for many threads, at a microsecond or so each. What is so at one moment, as the length
of a queue, is asked when somebody wants to know (`cache.services.services.Services.under_way`).
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

COUNTED = CollectorRegistry()
"""All of these; not the library's own, which other parts of a process may use too."""

HOVERS = Histogram(
    "fusevis_hover_seconds",
    "Seconds from the question for a Jacobian window to its numbers, waiting included, by where they came from: "
    "atlas, kept, or computed by chain, window, numbers or whole image.",
    ["path"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=COUNTED,
)
READS = Counter(
    "fusevis_store_reads",
    "Questions to the store of results, by where the answer was: memory, kept (files or Redis), nowhere.",
    ["found"],
    registry=COUNTED,
)
COMPUTED = Counter("fusevis_store_computed", "Results that were computed for the store.", registry=COUNTED)
UNITS = Counter(
    "fusevis_units",
    "Units of long work that were finished here or taken from others.",
    ["kind"],
    registry=COUNTED,
)
REFUSED = Counter(
    "fusevis_refused",
    "Requests refused for a moment because too many waited, by queue.",
    ["queue"],
    registry=COUNTED,
)

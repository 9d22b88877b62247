"""The golden vectors of colours, worked out here from the definition, with fifty digits and none of the house's code.

``python -m tests.unit.test_golden_colours`` writes ``tests/golden/colours.json`` anew.
"""

from __future__ import annotations

import itertools
import json
import math
from decimal import Decimal, getcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fusion.colours import NEAR_POLE, Limits, Scale, gradient_colours, grays, hatch

GOLDEN = Path(__file__).parents[1] / "golden" / "colours.json"
getcontext().prec = 50

# Viridis as ten colours, and ColorBrewer's RdBu as eleven, from blue to red: as they were published.
VIRIDIS = "440154 482878 3e4989 31688e 26828e 1f9e89 35b779 6ece58 b5de2b fde725"
BLUE_TO_RED = "053061 2166ac 4393c3 92c5de d1e5f0 f7f7f7 fddbc7 f4a582 d6604d b2182b 67001f"
SCALES = ("paper", "signed", "robust")
GAMMAS = ("0.1", "0.3", "0.5", "1", "2")
VALUES = {
    "1": ("-1.5", "-1", "-0.37", "-0.002", "0", "0.0007", "0.02", "0.2", "0.51", "0.73", "0.999", "1", "4"),
    "1.26": ("-0.63", "0.04", "0.3", "1.11", "1.26"),
}
ARRAYS: tuple[tuple[float, ...], ...] = (
    (0.5, -3.0, 1.0, 0.0, 2.0),
    (0.5, math.nan, -3.0, 1.0, math.inf, -math.inf, 0.0, 2.0),
    (-0.5, -0.25),
    (0.0, 0.0, 0.0),
    (math.nan, math.inf),
    tuple(k / 8 for k in range(101)),
)
GRAYS = (("0", "1", "0.25"), ("0", "1", "-2"), ("0", "1", "7"), ("-0.5", "1.5", "0.52"), ("0", "2", "0.4"))


def palette(scale: str) -> list[tuple[int, ...]]:
    text = BLUE_TO_RED if scale == "signed" else VIRIDIS
    return [tuple(bytes.fromhex(colour)) for colour in text.split()]


def colour(scale: str, gamma: Decimal, end: Decimal, value: Decimal) -> list[int]:
    """Colour of the place min(|v| / end, 1)^gamma, on the signed scale to both sides of the middle; halves go up."""
    bent = min(abs(value) / end, Decimal(1)) ** gamma if value else Decimal(0)
    place = (1 + bent.copy_sign(value)) / 2 if scale == "signed" else bent if value > 0 else Decimal(0)
    colours = palette(scale)
    at = place * (len(colours) - 1)
    low = min(int(at), len(colours) - 2)
    exact = [a + (at - low) * (b - a) for a, b in zip(colours[low], colours[low + 1], strict=True)]
    return [int(part + Decimal("0.5")) for part in exact]


def ends(values: tuple[float, ...]) -> dict[str, float]:
    """Ends of the scales: the maximum, the largest magnitude, and the 99th percentile of magnitudes, between two."""
    finite = [value for value in values if math.isfinite(value)]
    sizes = sorted(map(abs, finite))
    at = Decimal("0.99") * (len(sizes) - 1)
    low = int(at) if sizes else 0
    near = [Decimal(size) for size in sizes[low : low + 2]]
    robust = near[0] + (at - low) * (near[1] - near[0]) if len(near) > 1 else near[0] if near else Decimal(0)
    found = {
        "paper": max(finite, default=0.0),
        "signed": sizes[-1] if sizes else 0.0,
        "robust": float(robust),
    }
    return {scale: end if end > 0 else 1.0 for scale, end in found.items()}


def shade(low: Decimal, high: Decimal, value: Decimal) -> int:
    return int(255 * (min(max(value, low), high) - low) / (high - low) + Decimal("0.5"))


OUTSIDE = "b2b6bd"


def vectors() -> dict[str, list[dict[str, Any]]]:
    gradients = [
        {"scale": scale, "gamma": float(gamma), "end": float(end), "value": float(value),
         "rgb": colour(scale, Decimal(gamma), Decimal(end), Decimal(value))}
        for scale, gamma, (end, values) in itertools.product(SCALES, GAMMAS, VALUES.items())
        for value in values
    ]  # fmt: skip
    text = {math.inf: "Infinity", -math.inf: "-Infinity"}
    return {
        "gradients": gradients,
        "limits": [
            {"values": ["NaN" if math.isnan(one) else text.get(one, one) for one in values], "ends": ends(values)}
            for values in ARRAYS
        ],
        "gray": [
            {"low": float(low), "high": float(high), "value": float(value),
             "shade": shade(Decimal(low), Decimal(high), Decimal(value))}
            for low, high, value in GRAYS
        ],
        "outside": [{"rgb": list(bytes.fromhex(OUTSIDE))}],
        "pole": [{"rgb": [255, 0, 255]}],
        "air": [{"row": row, "col": col, "rgb": HATCHING[stripe]} for row, col, stripe in HATCHED],
    }  # fmt: skip


HATCHING = ([52, 55, 60], [112, 116, 122])
HATCHED = [
    (0, 0, 1),
    (0, 1, 1),
    (0, 2, 0),
    (0, 5, 0),
    (0, 6, 1),
    (1, 0, 1),
    (1, 1, 0),
    (4, 1, 0),
    (5, 1, 1),
    (2, 10, 1),
]
"""Rows and columns, with 1 where there is a stripe: two of six pixels along a row, one further left in the next."""


def test_air_is_hatched_in_the_golden_colours() -> None:
    found = hatch((6, 11))
    for one in json.loads(GOLDEN.read_text(encoding="utf-8"))["air"]:
        assert found[one["row"], one["col"]].tolist() == one["rgb"], one


def test_the_file_has_what_the_definition_gives() -> None:
    assert json.loads(GOLDEN.read_text(encoding="utf-8")) == vectors()


@pytest.mark.parametrize("scale", SCALES)
def test_gradients_have_the_golden_colours(scale: str) -> None:
    for one in json.loads(GOLDEN.read_text(encoding="utf-8"))["gradients"]:
        if one["scale"] != scale:
            continue
        image = np.array([[one["value"]]])
        assert gradient_colours(image, Scale(scale), one["end"], one["gamma"]).tolist() == [[one["rgb"]]], one


def test_limits_end_where_the_golden_ones_do() -> None:
    for one in json.loads(GOLDEN.read_text(encoding="utf-8"))["limits"]:
        limits = Limits.of(np.array([float(value) for value in one["values"]]))
        assert {scale.value: limits.end(scale) for scale in Scale} == pytest.approx(one["ends"])


def test_grays_are_the_golden_ones() -> None:
    for one in json.loads(GOLDEN.read_text(encoding="utf-8"))["gray"]:
        assert grays(np.array([[one["value"]]]), one["low"], one["high"]).tolist() == [[one["shade"]]], one


def test_what_is_not_reached_has_a_colour_that_no_scale_has() -> None:
    (one,) = json.loads(GOLDEN.read_text(encoding="utf-8"))["outside"]
    image = np.array([[0.0, 0.5], [0.0, 0.0]])
    for scale in Scale:
        found = gradient_colours(image, scale, 1.0, 1.0, (slice(0, 1), slice(0, 2)))
        assert found[1].tolist() == [one["rgb"]] * 2
        np.testing.assert_array_equal(found[0], gradient_colours(image, scale, 1.0, 1.0)[0])
        ramp = gradient_colours(np.linspace(-1, 1, 4097)[None], scale, 1.0, 1.0).astype(int)
        assert np.abs(ramp - one["rgb"]).max(axis=-1).min() > 20


def test_marks_of_poles_have_the_golden_colour() -> None:
    assert json.loads(GOLDEN.read_text(encoding="utf-8"))["pole"] == [{"rgb": list(NEAR_POLE)}]


if __name__ == "__main__":
    parts = (
        f'  "{name}": [\n' + ",\n".join(f"    {json.dumps(one)}" for one in found) + "\n  ]"
        for name, found in vectors().items()
    )
    GOLDEN.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")

"""What Python and JavaScript work out each by itself is the same: addresses, parts of pictures, Plotly's colours."""

from __future__ import annotations

import itertools
from urllib.parse import urlencode

import numpy as np
import pytest

from app.figures.parts import bent_colours
from app.link.earlier import VERSION
from app.link.view_state import ExploreState
from callbacks.link import resolve_area
from fusion.colours import Scale
from tests.unit.node import said_by_node

SIZES = [(48, 60), (1, 1), (3, 700), (700, 3), (256, 256)]
MOST_WRITES = 100
"""Of what may be written into an address in 10 seconds, Safari permits the least."""


def test_addresses_are_written_the_same() -> None:
    texts = ["plain", "a b", "hirn α/β", "~tilde*star!", "(x)'\"", "50%&=+#?", "a,b", "c:\\d", "–€😀"]
    links = [{"pair": text, "method": text[::-1], "gamma1": "0.35"} for text in texts]
    numbers = [0.1, 0.30000000000000004, 1.0, 1.15, 2.0]
    written, decimals = said_by_node(
        """async (module, [links, numbers]) => {
            const [{ write }, { decimal }] = [await module("core/tracked"), await module("core/kinds")];
            return [links.map((parts) => write(parts)), numbers.map(decimal)];
        }""",
        [links, numbers],
    )
    assert written == ["?" + urlencode(dict(sorted(parts.items())), safe=",") for parts in links]
    assert decimals == [str(number) for number in numbers]


def parts_of(generator: np.random.Generator, height: int, width: int) -> list[list[float]]:
    """Return parts as zooming and moving may leave them: tiny, huge, far away, and at edges and halves of tenths."""
    count = 1500
    sides = 10.0 ** generator.uniform(-4, 6, (count, 2))
    middles = (
        generator.uniform(-1, 2, (count, 2)) * [height, width] * generator.choice([1, 1, 1, 100], (count, 1))
    )
    random = np.concatenate([middles - sides / 2, middles + sides / 2], axis=1)
    edges = [-0.5, -0.55, -0.46, -0.45, 0, 0.05, 0.1, 1, 1.05, 9e9, -9e9]
    edges += [height - 0.5, height - 0.55, width - 0.45]
    chosen = np.sort(generator.choice(edges, (count, 2, 2)), axis=1).reshape(count, 4)
    return [
        part for part in np.concatenate([random, chosen]).tolist() if part[0] < part[2] and part[1] < part[3]
    ]


@pytest.mark.parametrize("shape", SIZES)
def test_every_part_that_a_page_writes_is_read(shape: tuple[int, int]) -> None:
    parts = parts_of(np.random.default_rng(), *shape)
    written = said_by_node(
        """async (module, [parts, height, width, v]) => {
            const [{ linked }, { write }] = [await module("explore/toolbar"), await module("core/tracked")];
            const { decimal } = await module("core/kinds");
            return parts.map((part) => {
                const found = linked(part, { height, width });
                return found && write({ area: found.map(decimal).join(), v });
            });
        }""",
        [parts, *shape, str(VERSION)],
    )
    assert len({query for query in written if query}) > 50
    for part, query in zip(parts, written, strict=True):
        if query is None:
            continue
        state, notices = ExploreState.from_query(query)
        assert notices == [] and state.to_query() == query, (part, query)
        assert resolve_area(state.area, shape) == (state.area, []), (part, query)
        top, left, bottom, right = state.area or (0, 0, 0, 0)
        if part[2] - part[0] > 1.2 and part[3] - part[1] > 1.2 and max(map(abs, part)) < min(shape):
            np.testing.assert_allclose([top, left, bottom, right], part, atol=0.051, err_msg=query)


def test_plotly_gets_the_same_colours() -> None:
    asked = list(itertools.product(Scale, (0.1, 0.3, 0.5, 1.0, 2.0)))
    answers = said_by_node(
        """async (module, asked) => {
            const { bent } = await module("painter/colours");
            return asked.map(([scale, gamma]) => bent(scale, gamma));
        }""",
        [[scale.value, gamma] for scale, gamma in asked],
    )
    for (scale, gamma), theirs in zip(asked, answers, strict=True):
        ours = bent_colours(scale, gamma)
        assert [colour for _, colour in ours] == [colour for _, colour in theirs], (scale, gamma)
        np.testing.assert_allclose([at for at, _ in ours], [at for at, _ in theirs], atol=1e-12)


def test_the_address_is_written_at_a_pace_that_browsers_permit() -> None:
    pause = said_by_node("async (module) => (await module('core/address')).PAUSE_MILLISECONDS", None)
    assert 10_000 / MOST_WRITES <= pause <= 150

"""The example of a network of one's own: it trains, and is a method."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import fusion
from fusion.methods.packed.bringing import from_file

FOLDER = Path(__file__).parents[2] / "examples" / "bring-your-own"


def test_the_example_trains_and_is_a_method_on_the_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    names = {"network", "train"}
    try:
        network: Any = from_file(f"{FOLDER}/network.py:make_network")
        before = torch.cat([weight.detach().flatten().clone() for weight in network.parameters()])
        trained: Any = from_file(f"{FOLDER}/train.py:train")
        loss = trained.function(network, 0.0)
    finally:
        for name in names:
            sys.modules.pop(name, None)
    after = torch.cat([weight.detach().flatten() for weight in network.parameters()])
    assert 0 < loss < 1 and not torch.equal(before, after)
    method = fusion.Method.from_module(network, "dense", "Dense block")
    assert method.support_radius == (3, 3)
    pair = fusion.Pair.from_arrays(*torch.rand(2, 12, 13).numpy())
    assert fusion.jacobian(method, pair, (5, 6)).path == "chain"

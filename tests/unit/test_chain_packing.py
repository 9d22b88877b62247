"""Convolutions with weights laid out beforehand: the same numbers, or torch's own way."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor

import fusion
from fusion.saliency.chain import steps
from fusion.saliency.chain.chain import Chain
from fusion.saliency.chain.steps import PackedConvolution, TransposedConvolution, packed_convolution
from fusion.saliency.chain.windows import chain_of
from tests.unit.reference import notable_pixels, random_pair, relative_error

with_onednn = pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="this torch has no oneDNN")
CPU = torch.device("cpu")


@pytest.fixture
def weight() -> Tensor:
    torch.manual_seed(2)
    return torch.randn(24, 20, 3, 3)


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let convolutions take laid-out weights however small they are."""
    monkeypatch.setattr(steps, "LEAST_MULTIPLICATIONS", 0)


@with_onednn
@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("kernel", [(3, 3), (5, 3), (1, 7)])
@pytest.mark.parametrize("window", [(1, 1), (7, 9), (22, 5)])
@pytest.mark.parametrize(
    ("cut", "dilation"), [(False, (1, 1)), (True, (1, 1)), (False, (2, 3)), (True, (2, 1))]
)
def test_it_is_the_same_convolution(
    kernel: tuple[int, int], window: tuple[int, int], cut: bool, dilation: tuple[int, int]
) -> None:
    weight, values = torch.randn(6, 5, *kernel), torch.randn(1, *window, 6).permute(0, 3, 1, 2)
    padding = (dilation[0] * (kernel[0] // 2), dilation[1] * (kernel[1] // 2)) if cut else (0, 0)
    packed = packed_convolution(weight, window, padding, dilation)
    assert packed is not None
    expected = F.conv_transpose2d(values.double(), weight.double(), None, 1, padding, 0, 1, dilation)
    found = packed(values)
    assert relative_error(found.numpy(), expected.numpy()) <= 1e-6
    # Also of the middle of a larger window, which lies in memory with gaps.
    around = F.pad(values, (2, 2, 1, 1)).contiguous(memory_format=torch.channels_last)
    assert torch.equal(packed(around[:, :, 1:-1, 2:-2]), found)


@with_onednn
@pytest.mark.parametrize("id", ["funfusean", "masknet", "deepfuse", "deep_pedestrian"])
def test_large_layers_of_single_windows_are_packed_and_batches_are_not(
    id: str, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    method, pair = fusion.load_method(id, "cpu"), random_pair(rng, (40, 41))
    chain = chain_of(method, torch.float32)
    assert chain is not None
    count = sum(
        isinstance(step, TransposedConvolution) and step.packed is not None for step in chain.windows.steps
    )
    assert count > 2
    calls: list[int] = []
    right = PackedConvolution.__call__

    def counted(packed: PackedConvolution, values: Tensor) -> Tensor:
        calls.append(len(values))
        return right(packed, values)

    monkeypatch.setattr(PackedConvolution, "__call__", counted)
    pixels = notable_pixels(rng, pair.shape, 3)
    together = fusion.jacobians(method, pair, pixels)
    assert calls == []
    alone = [fusion.jacobian(method, pair, pixel) for pixel in pixels]
    assert calls == [1] * count * len(pixels)
    for one, other in zip(alone, together, strict=True):
        assert relative_error(one.dense(), other.dense()) <= 1e-4


@pytest.mark.usefixtures("always")
def test_only_single_precision_on_a_processor(weight: Tensor) -> None:
    assert packed_convolution(weight.double(), (9, 9), (0, 0), (1, 1)) is None
    assert packed_convolution(weight.to("meta"), (9, 9), (0, 0), (1, 1)) is None


def test_small_convolutions_are_left_to_torch(weight: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    work = 11 * 11 * weight.numel()
    monkeypatch.setattr(steps, "LEAST_MULTIPLICATIONS", work + 1)
    assert packed_convolution(weight, (9, 9), (0, 0), (1, 1)) is None


@pytest.mark.usefixtures("always")
def test_a_torch_without_it_computes_in_its_own_way(
    weight: Tensor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def missing(*arguments: Any) -> Tensor:
        raise RuntimeError("no such operator")

    with monkeypatch.context() as patch, caplog.at_level(logging.INFO):
        patch.setattr(PackedConvolution, "__call__", missing)
        assert packed_convolution(weight, (9, 9), (0, 0), (1, 1)) is None
    if torch.backends.mkldnn.is_available():
        assert "no such operator" in caplog.text
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert packed_convolution(weight, (9, 9), (0, 0), (1, 1)) is None
    network = fusion.load_method("deepfuse", "cpu").network_as(torch.float32)
    chain = Chain(network, torch.float32, CPU)
    assert all(step.packed is None for step in chain.windows.steps if isinstance(step, TransposedConvolution))


@with_onednn
@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("wrong", [1.001, float("nan")])
def test_another_result_is_refused_loudly(
    wrong: float, weight: Tensor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    right = PackedConvolution.__call__
    monkeypatch.setattr(PackedConvolution, "__call__", lambda packed, values: right(packed, values) * wrong)
    assert packed_convolution(weight, (9, 9), (0, 0), (1, 1)) is None
    assert "not used" in caplog.text

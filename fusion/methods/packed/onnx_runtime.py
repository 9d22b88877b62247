"""A network from an ONNX file held against ONNX Runtime, where that is installed: the same numbers or refused."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import torch

from fusion.errors import PackedMethodError
from fusion.methods.adapting import Adaptation
from fusion.methods.packed.onnx_graph import OnnxNetwork

logger = logging.getLogger(__name__)

TOLERANCE = 1e-4
"""Of the largest value: both compute in float32, and add up in another order."""
SIDES = (24, 48)
"""Pixels along a side of the images on which both are compared."""


def check_against_runtime(path: Path, network: OnnxNetwork, adaptation: Adaptation) -> float | None:
    """Run a file by ONNX Runtime and by our own reader on the same noise.

    Parameters
    ----------
    path : Path
        The file.
    network : OnnxNetwork
        What our own reader has made of it, in float32.
    adaptation : Adaptation
        Its channels and range are the noise's.

    Returns
    -------
    float or None
        The largest difference, of the largest value; ``None`` where ONNX Runtime is not installed or does not run it.

    Raises
    ------
    PackedMethodError
        If the difference is more than `TOLERANCE`.
    """
    try:
        import onnxruntime
    except ImportError:
        return None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = torch.get_num_threads(), 4
    found = []
    for side in SIDES:
        try:
            session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
            found.append(_difference(session, network, adaptation, side))
        except Exception as error:  # noqa: BLE001 - its own kinds of error have no class in common
            # What it cannot run may be read here; noise of a size that a graph does not take is no fault.
            logger.info("%s was not compared with ONNX Runtime at %d: %s", path, side, error)
    if not found:
        return None
    if not max(found) <= TOLERANCE:
        raise PackedMethodError(
            f"{path}: read here, the network differs from ONNX Runtime by {max(found):.1g} of the largest value. "
            "Please report which operators it has; pack it from Python meanwhile."
        )
    return max(found)


@torch.no_grad()
def _difference(session: Any, network: OnnxNetwork, adaptation: Adaptation, side: int) -> float:
    """Return the largest difference of all results on noise, of the largest value."""
    low, high = adaptation.value_range
    shape = network.rules.example(adaptation.channels if len(network.images) == 2 else 2, side)
    noise = torch.Generator().manual_seed(side)
    images = [torch.rand(shape, generator=noise) * (high - low) + low for _ in network.images]
    inputs = {
        entry.name: "float64" if "double" in entry.type else "float32" for entry in session.get_inputs()
    }
    given = {
        name: image.numpy().astype(inputs[name]) for name, image in zip(network.images, images, strict=True)
    }
    wanted = [torch.from_numpy(result).float() for result in session.run(None, given)]
    result = network(*images)
    found = result if isinstance(result, tuple) else (result,)
    return max(
        float((one - other).abs().max()) / (float(other.abs().max()) or 1.0)
        for one, other in zip(found, wanted, strict=True)
    )

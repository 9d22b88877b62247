"""The answer of a fused picture to a necrotic core that is dim on PET instead of dead.

A method may show a dead core dark beside its rim and yet show dim tissue darker still. That is no small change, which a
derivative would tell of: both pictures are fused.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray

from fusion.methods.base import Method
from fusion.network import apply_network, images_tensor, torch_dtype
from fusion.pair import Pair
from fusion.saliency.window import Box
from fusion.statistics.guidance import NAN
from fusion.statistics.regions import Region
from fusion.statistics.requirements import CORE, RIM, SMALLEST_CONTRAST

DIM = 0.5
"""How far a dim core is on the way from the dead core to the rim."""


def core_response(method: Method, pair: Pair, regions: Iterable[Region], dtype: str = "float32") -> float:
    """Return how much brighter the fused core is where the core is dim on x2, by how much brighter x2 is.

    Parameters
    ----------
    method : Method
        The fusion method.
    pair : Pair
        The two input images.
    regions : iterable of Region
        Those named ``core`` and ``rim`` are used, of the pair's size.
    dtype : {"float32", "float64"}
        The precision of the fused images.

    Returns
    -------
    float
        (⟨f(x1, x2 + d)⟩ − ⟨f(x1, x2)⟩) / d over the core, where d is half of x2's contrast between rim and core,
        added inside the core alone and not clipped; dimensionless, below 0 where dead tissue is shown brighter than
        dim tissue. NaN without such regions, or where x2 shows no dark core.

    Raises
    ------
    RegionError
        If a region belongs to images of another size.
    NetworkError
        If the network cannot be run on these images.
    """
    found = {region.name: region for region in regions if region.name in (CORE, RIM) and region.size}
    for region in found.values():
        region.require_shape(pair.shape)
    if len(found) < 2:
        return NAN
    core, rim = found[CORE].mask, found[RIM].mask
    x2 = pair.images[1].astype(np.float64)
    contrast = float(x2[rim].mean() - x2[core].mean())
    if contrast < SMALLEST_CONTRAST:
        return NAN
    return _mean_answer(method, pair, core, DIM * contrast, dtype)


@torch.no_grad()
def _mean_answer(method: Method, pair: Pair, core: NDArray[np.bool_], step: float, dtype: str) -> float:
    images = images_tensor(pair, torch_dtype(dtype), method.device)
    network = method.network_as(images.dtype)
    crop = _crop_around(method, core)
    inside = torch.tensor(core[crop.rows(), crop.columns()], device=images.device)
    dead = images[None, :, crop.rows(), crop.columns()]
    dim = dead.clone()
    dim[0, 1, inside] += step
    change = apply_network(network, dim)[0] - apply_network(network, dead)[0]
    return float(change[inside].double().mean()) / step


def _crop_around(method: Method, mask: NDArray[np.bool_]) -> Box:
    """Return what must be read for the fused pixels of a mask to be exact."""
    height, width = mask.shape
    locality = method.locality_at((height, width))
    if locality.radius is None:
        return Box(0, 0, height, width)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    margin = locality.radius
    grown = Box(
        max(int(rows[0]) - margin, 0),
        max(int(columns[0]) - margin, 0),
        min(int(rows[-1]) + 1 + margin, height),
        min(int(columns[-1]) + 1 + margin, width),
    )
    return locality.crop(grown, (height, width))

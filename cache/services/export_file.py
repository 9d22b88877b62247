"""The ``.npz`` file of a comparison, and what an exported file says of itself."""

from __future__ import annotations

import io
import json
import platform
from importlib import metadata

import numpy as np

from cache.services.export_view import ExportView
from cache.store.numerics import numerics_id
from fusion.output_files import GRADIENT_UNITS, INTENSITY_UNITS


def arrays_file(view: ExportView, link: str) -> bytes:
    """Return a view as a ``.npz`` file, to be read with ``numpy.load(file, allow_pickle=False)``.

    Parameters
    ----------
    view : ExportView
        What to write.
    link : str
        The link that reopens it.

    Returns
    -------
    bytes
        Arrays ``inputs`` (2, H, W), ``methods`` (M,), ``fused`` (M, H, W), ``guidance`` (M, 2, H, W), ``guidance_rgb``
        (M, H, W, 3), ``jacobian_a`` and perhaps ``jacobian_b`` (M, 2, H, W), perhaps ``regions`` (R, H, W), and
        ``metadata``, a text of JSON with units, pixels, ids, versions and the link.
    """
    methods = view.methods
    arrays: dict[str, np.ndarray] = {
        "inputs": view.inputs,
        "methods": np.array([one.scene.method_id for one in methods]),
        "fused": np.stack([one.fused for one in methods]),
        "guidance": np.stack([one.guidance for one in methods]),
        "guidance_rgb": np.stack([one.rgb for one in methods]),
    }
    for name in view.pixels:
        arrays[f"jacobian_{name}"] = np.stack([one.jacobians[name] for one in methods])
    if view.regions:
        arrays["regions"] = np.stack(list(view.regions.values()))
    arrays["metadata"] = np.array(json.dumps(described(view, link), ensure_ascii=False, indent=2))
    stream = io.BytesIO()
    np.savez_compressed(stream, allow_pickle=False, **arrays)
    return stream.getvalue()


def described(view: ExportView, link: str) -> dict[str, object]:
    """Return what an exported file says of itself, as JSON can hold it."""
    first = view.methods[0].scene
    return {
        "format": "fusevis view",
        "version": 1,
        "link": link,
        "pair": {
            "id": first.pair_id,
            "address": first.pair_address,
            "title": first.pair_title,
            "modalities": list(first.modalities),
            "simulated": first.simulated,
            "shape": [first.height, first.width],
        },
        "methods": [
            {
                "id": one.scene.method_id,
                "title": one.scene.method_title,
                "weights_sha256": one.scene.weights_id,
                "support_radius": one.scene.support_radius,
                "device": one.scene.device,
                "note": one.scene.method_note,
            }
            for one in view.methods
        ],
        "pixels": {name: list(at) for name, at in view.pixels.items()},
        "regions": list(view.regions),
        "regions_replaced": list(view.replaced),
        "units": {
            "inputs": "dimensionless: intensity min-max scaled to [0, 1]",
            "fused": INTENSITY_UNITS,
            "guidance": GRADIENT_UNITS,
            "guidance_rgb": "dimensionless: 0 to 1, each band min-max scaled by itself",
            **{f"jacobian_{name}": GRADIENT_UNITS for name in view.pixels},
        },
        "versions": {
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in ("numpy", "torch")},
            "numerics": numerics_id(),
        },
    }

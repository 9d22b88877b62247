"""The explained region of a view as a part of the HTML file: pictures and numbers."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from PIL import Image

from cache.services.export_readings import ImageSums
from cache.services.exports import ExportArrays
from fusion import Reach
from fusion.colours import Limits, Scale, gradient_colours


def explanation_part(view: ExportArrays, gamma: float) -> dict[str, Any] | None:
    """Return what the template shows of an explained region; ``None`` where the view explains none.

    Parameters
    ----------
    view : ExportArrays
        The arrays.
    gamma : float
        Of Jacobian images.
    """
    found = view.explanation
    if found is None:
        return None
    modalities = view.methods[0].scene.modalities
    methods = []
    for one, images, numbers in zip(view.methods, found.jacobians, found.numbers(), strict=False):
        end = Limits.of(images).end(Scale.SIGNED)
        methods.append(
            {
                "title": one.scene.method_title,
                "end": f"{end:.3g}",
                "pictures": [
                    {
                        "source": _png(gradient_colours(image, Scale.SIGNED, end, gamma)),
                        "words": f"Derivative with respect to {name}.",
                    }
                    for name, image in zip(modalities, images, strict=True)
                ],
                "rows": [_row(name, number) for name, number in zip(modalities, numbers, strict=True)],
            }
        )
    return {"sentence": found.asked.sentence(modalities), "problem": found.problem, "methods": methods}


def reach_levels(found: Reach | None) -> tuple[str, str]:
    """Return the shorter reach of each input, in gray levels; dashes where none was looked for."""
    if found is None:
        return "–", "–"
    first, second = map(min, zip(found.own_pixel, found.whole_support, strict=True))
    return str(first), str(second)


def _row(name: str, number: ImageSums) -> dict[str, str]:
    negative = "–" if number.negative is None else f"{100 * number.negative:.1f} %"
    return {
        "input": name,
        "signed": f"{number.signed:.4g}",
        "total": f"{number.total:.4g}",
        "negative": negative,
    }


def _png(colours: np.ndarray) -> str:
    stream = io.BytesIO()
    Image.fromarray(colours).save(stream, "PNG")
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"

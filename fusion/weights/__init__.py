"""The trained weights that ship: ``<method id>.safetensors`` with a model card ``<method id>.json`` beside it.

Weights that shipped before stay in the folder ``earlier``, as ``<method id>@<first 8 digits of their sha256>``, so that
links of then show for ever what they showed.
"""

from __future__ import annotations

import hashlib
import json
from glob import escape
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import nn

from fusion.errors import WeightsError

FOLDER = Path(__file__).parent
EARLIER_SIGN = "@"
"""Stands in an id between the method and the first digits of its earlier weights."""
EARLIER_DIGITS = 8


def weights_path(id: str, folder: Path = FOLDER) -> Path:
    """Return where the weights of a method are, or would be."""
    return (folder / "earlier" if EARLIER_SIGN in id else folder) / f"{id}.safetensors"


def card_path(id: str) -> Path:
    """Return where the model card of a method is, or would be."""
    return weights_path(id).with_suffix(".json")


def earlier_ids(id: str) -> tuple[str, ...]:
    """Return the ids under which earlier weights of a method can be loaded, as ``deepfuse@97c8cc58``."""
    digits = "[0-9a-f]" * EARLIER_DIGITS
    found = weights_path(f"{id}{EARLIER_SIGN}").parent.glob(f"{escape(id)}{EARLIER_SIGN}{digits}.safetensors")
    return tuple(sorted(path.stem for path in found))


def newest_id(id: str) -> str:
    """Return the id of a method with its newest weights: what stands before the sign of earlier ones."""
    return id.partition(EARLIER_SIGN)[0]


def load_weights(network: nn.Module, id: str, path: Path | None = None) -> str:
    """Fill a network with the weights of a safetensors file.

    Parameters
    ----------
    network : torch.nn.Module
        Filled in place.
    id : str
        The method's id, for messages and for the path.
    path : Path, optional
        Another file than the one that ships.

    Returns
    -------
    str
        sha256 of the file, 64 hexadecimal digits.

    Raises
    ------
    WeightsError
        If the file is missing, damaged (not the one that the model card beside it is of) or made for another network.
    """
    path = path or weights_path(id)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsError(
            f"{path}: the weights of {id} cannot be read ({error.strerror}). "
            f"Train them with: python -m fusion train {id}"
        ) from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != _digest_of_card(path.with_suffix(".json"), digest):
        raise WeightsError(f"{path}: the weights of {id} are damaged: their model card is of others.")
    try:
        network.load_state_dict(load(content))
    except (SafetensorError, RuntimeError, ValueError, KeyError) as error:
        raise WeightsError(f"{path}: these are not weights of {id}: {error}") from error
    return digest


def _digest_of_card(path: Path, otherwise: str) -> str:
    """Return the sha256 of the weights that a model card describes; `otherwise` where it says nothing."""
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return otherwise
    return str(card.get("sha256", otherwise)) if isinstance(card, dict) else otherwise


def save_weights(network: nn.Module, id: str, card: dict[str, Any], folder: Path = FOLDER) -> str:
    """Write a network's weights and their model card, and return the sha256 of the weights."""
    folder.mkdir(parents=True, exist_ok=True)
    content = save(
        {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    )
    digest = hashlib.sha256(content).hexdigest()
    (folder / f"{id}.safetensors").write_bytes(content)
    text = json.dumps({"method": id, "sha256": digest, **card}, indent=2, ensure_ascii=False)
    (folder / f"{id}.json").write_text(text + "\n", encoding="utf-8")
    return digest


def read_card(id: str) -> dict[str, Any]:
    """Return the model card of a method, empty where it has none."""
    path = card_path(id)
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

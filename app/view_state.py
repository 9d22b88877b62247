"""What a link to the explore page carries."""

from __future__ import annotations

from typing import ClassVar

from app.linked_state import VERSION, LinkedState, Name

__all__ = ["VERSION", "ViewState"]


class ViewState(LinkedState):
    """The state of the explore page that a link reopens.

    Attributes
    ----------
    pair : str or None
        A pair's address: a sample's slug, a file id, or a prefix of a content id. ``None``: the first view.
    method : str
        A method's id.
    pixel : tuple of int or None
        The pinned principal pixel (row, col), 0-based; ``None``: not pinned.
    gamma1, gamma2 : float
        Gamma of the Jacobian images and of the guidance images, 0.1 to 2 (paper, section 3.2.5).
    """

    EXPECTED: ClassVar[dict[str, str]] = {
        **LinkedState.EXPECTED,
        "method": "a method's id is a short name without control characters",
    }

    method: Name = "funfusean"

"""What the columns of the compare page, and the pictures of an export, are called in menus."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from app.ids import CompareColumn, InputColumn, ZoomColumn

COLUMN_LABELS: Mapping[StrEnum, str] = {
    CompareColumn.FUSED: "Fused",
    CompareColumn.GUIDANCE_MRI: "Guidance x1 (MRI)",
    CompareColumn.GUIDANCE_PET: "Guidance x2 (PET)",
    CompareColumn.GUIDANCE_RGB: "Guidance RGB",
    CompareColumn.JACOBIAN_MRI: "Jacobian x1 (MRI), whole",
    CompareColumn.JACOBIAN_PET: "Jacobian x2 (PET), whole",
    CompareColumn.JACOBIAN_MRI_ZOOM: "Jacobian x1 (MRI), zoom",
    CompareColumn.JACOBIAN_PET_ZOOM: "Jacobian x2 (PET), zoom",
    CompareColumn.SCATTER: "Scatterplot",
}
ZOOM_LABELS: Mapping[StrEnum, str] = {
    ZoomColumn.FUSED: "Fused, zoom",
    ZoomColumn.GUIDANCE_MRI: "Guidance x1 (MRI), zoom",
    ZoomColumn.GUIDANCE_PET: "Guidance x2 (PET), zoom",
    ZoomColumn.GUIDANCE_RGB: "Guidance RGB, zoom",
}
INPUT_LABELS: Mapping[StrEnum, str] = {
    InputColumn.MRI: "x1 (MRI)",
    InputColumn.PET: "x2 (PET)",
    InputColumn.MRI_ZOOM: "x1 (MRI), zoom",
    InputColumn.PET_ZOOM: "x2 (PET), zoom",
}

"""Every component id of the page."""

from __future__ import annotations

from enum import StrEnum

from fusion.saliency.maps import MapKind


class Id(StrEnum):
    """Component ids; the panels' are relied on from outside."""

    LOCATION = "location"
    NOTICES = "notices"

    PAIR_SELECT = "pair-select"
    PAIR_NOTES = "pair-notes"
    PAIR_SWAP = "pair-swap"
    UPLOADS_OPEN = "uploads-open"
    CATALOGUE_OPEN = "catalogue-open"
    METHOD_CARD_OPEN = "method-card-open"
    NETWORKS_OPEN = "networks-open"
    METHOD_SELECT = "method-select"
    METHOD_NOTE = "method-note"
    NEWER_WEIGHTS = "newer-weights"
    GAMMA_1 = "gamma1"
    GAMMA_2 = "gamma2"
    GAMMA_1_NUMBER = "gamma1-number"
    GAMMA_2_NUMBER = "gamma2-number"
    COLOUR_SCALE = "colour-scale"
    RGB_COMMON = "rgb-common"
    AIR = "air-shown"
    GRAY = "gray-own"
    ZOOM_HALF_WIDTH = "zoom-half-width"
    ZOOM_FOLLOWS_SUPPORT = "zoom-follows-support"
    TOOLBAR_MODE = "toolbar-mode"
    THEME_SWITCH = "theme-switch"
    COPY_LINK = "copy-link"
    HELP_OPEN = "help-open"
    HELP_PANEL = "help-panel"
    PICTURES = "pictures"

    GUIDANCE_PROGRESS = "guidance-progress"
    GUIDANCE_STATUS = "guidance-status"
    GUIDANCE_BUTTON = "guidance-button"
    GUIDANCE_POLL = "guidance-poll"
    GUIDANCE_LIMITS = "guidance-limits"

    MAPS_BUTTON = "maps-button"
    MAPS = "maps"

    ATLAS_BUTTON = "atlas-button"
    ATLAS_WINDOW = "atlas-window"
    ATLAS_TEXT = "atlas-text"
    ATLAS_PROGRESS = "atlas-progress"
    ATLAS_START = "atlas-start"
    ATLAS_STOP = "atlas-stop"
    ATLAS_POLL = "atlas-poll"

    PIXEL_READOUT = "pixel-readout"
    STATUS_LINE = "status-line"

    VIEWER = "viewer"
    SCENE = "scene"
    START_PIXEL = "start-pixel"
    START_AREA = "start-area"
    START_MAPS = "start-maps"
    START_COLOUR = "start-colour"
    RESTED_PIXEL = "rested-pixel"
    GREEN_POINTS = "green-points"
    GREEN_POINTS_SHOWN = "green-points-shown"
    DISPLAY = "display"
    BROWSER = "browser"


class TrainingId(StrEnum):
    """Component ids of the page about the trainings, which is a page of its own."""

    NOTICES = "notices"  # the same as on the other page, for errors of any callback
    THEME_SWITCH = "theme-switch"
    CONTENT = "training-content"
    CURVES = "training-curves"
    LOSSES = "training-losses"
    BRIGHTNESS = "training-brightness"
    GALLERY_INPUTS = "training-gallery-inputs"

    @staticmethod
    def gallery_row(method_id: str) -> str:
        """Return the id of the row of fused images of a method."""
        return f"training-gallery-{method_id}"


class CompareId(StrEnum):
    """Component ids of the compare page, which is a page of its own."""

    LOCATION = "location"
    NOTICES = "notices"  # the same as on the other pages, for errors of any callback
    THEME_SWITCH = "theme-switch"

    COPY_LINK = "copy-link"
    HELP_OPEN = "help-open"
    HELP_PANEL = "help-panel"
    PAIR_SELECT = "compare-pair"
    PAIR_NOTES = "pair-notes"
    PAIR_SWAP = "pair-swap"
    UPLOADS_OPEN = "uploads-open"
    CATALOGUE_OPEN = "catalogue-open"
    METHOD_CARD_OPEN = "method-card-open"
    NETWORKS_OPEN = "networks-open"
    METHODS = "compare-methods"
    NEWER_WEIGHTS = "newer-weights"
    COLUMNS = "compare-columns"
    GAMMA_1 = "gamma1"
    GAMMA_2 = "gamma2"
    GAMMA_1_NUMBER = "gamma1-number"
    GAMMA_2_NUMBER = "gamma2-number"
    COLOUR_SCALE = "compare-scale"
    RGB_COMMON = "rgb-common"
    AIR = "air-shown"
    GRAY = "gray-own"
    POLE = "compare-pole"
    SHARED = "compare-shared"
    ZOOM_HALF_WIDTH = "compare-zoom"
    PIN_A = "compare-pin-a"
    PIN_B = "compare-pin-b"
    LET_GO = "compare-let-go"
    SIZE = "compare-size"
    MINUEND = "compare-minuend"
    SUBTRAHEND = "compare-subtrahend"
    DIFFERENCE_NOTE = "compare-difference-note"
    GUIDANCE_STATUS = "guidance-status"
    GUIDANCE_PROGRESS = "guidance-progress"
    GUIDANCE_BUTTON = "compare-guidance"

    MAPS = "compare-maps"

    TABLE = "compare-table"
    STATUS_LINE = "compare-status"

    VIEWER = "viewer"
    START = "compare-start"
    SCENES = "compare-scenes"
    PROGRESS = "compare-progress"
    POLL = "compare-poll"
    SHOWN = "compare-shown"
    RETRY = "compare-retry"

    NUMBERS_BUTTON = "compare-numbers-button"
    NUMBERS = "compare-numbers"
    NUMBERS_OPEN = "compare-numbers-open"
    NUMBERS_TAB = "compare-numbers-tab"
    NUMBERS_STATUS = "compare-numbers-status"
    NUMBERS_PHASE = "compare-numbers-phase"
    NUMBERS_INFLUENCE = "compare-numbers-influence"
    NUMBERS_CSV = "compare-numbers-csv"
    NUMBERS_CLOSE = "compare-numbers-close"
    NUMBERS_TABLES = "compare-numbers-tables"
    NUMBERS_VIEW = "compare-numbers-view"
    NUMBERS_DATA = "compare-numbers-data"
    NUMBERS_STATE = "compare-numbers-state"
    NUMBERS_POLL = "compare-numbers-poll"
    NUMBERS_DOWNLOAD = "compare-numbers-download"


class RegionId(StrEnum):
    """Component ids of the regions of interest, the same on both pages that have them."""

    REGIONS = "regions"
    GIVEN = "region-given"
    TAKEN = "region-taken"
    PANEL = "region-panel"
    LEGEND = "region-legend"
    OPEN = "region-open"
    CLOSE = "region-close"
    OPERATION = "region-operation"
    NEW = "region-new"
    INVERT = "region-invert"
    CLEAR = "region-clear"
    UNDO = "region-undo"
    REDO = "region-redo"
    KNOWN = "region-known"
    IMPORT = "region-import"
    EXPORT = "region-export"


class ReadingId(StrEnum):
    """Component ids of how a pair's files are read, the same on both pages that have a pair."""

    MENU = "reading-menu"
    FORM = "reading-form"
    ASKED = "reading-asked"
    FACTS = "reading-facts"
    TAKEN = "reading-taken"


class BrushId(StrEnum):
    """Component ids of the panel of the brush."""

    PANEL = "brush-panel"
    OPEN = "brush-open"
    CLOSE = "brush-close"
    INPUT = "brush-input"
    OPERATION = "brush-operation"
    UNDO = "brush-undo"
    REDO = "brush-redo"
    CLEAR = "brush-clear"
    READOUT = "change-readout"


class ChangeId(StrEnum):
    """Component ids of the compare page's panel of the painted change."""

    PANEL = "change-panel"
    OPEN = "change-open"
    CLOSE = "change-close"
    CLEAR = "change-clear"


class ExplainId(StrEnum):
    """Component ids of the panel that explains a region, the same on both pages that have it."""

    PANEL = "explain-panel"
    OPEN = "explain-open"
    CLOSE = "explain-close"
    NUMBER = "explain-number"
    REGION = "explain-region"
    AGAINST = "explain-against"


class ViewsId(StrEnum):
    """Component ids of the named views, the same on both pages that have them."""

    PANEL = "views-panel"
    OPEN = "views-open"
    CLOSE = "views-close"
    NAME = "views-name"
    NOTE = "views-note"
    SAVE = "views-save"
    EXPORT = "views-export"
    IMPORT = "views-import"


class ExportId(StrEnum):
    """Component ids of the menu of exports, the same on both pages that have it."""

    MENU = "export-menu"
    COMPLETE = "export-complete"
    ROW = "export-row"
    COLUMN = "export-column"


class CompareColumn(StrEnum):
    """Pictures that the compare page can show of each method; the values are part of links."""

    FUSED = "fused"
    FUSED_COLOUR = "fused_colour"
    GUIDANCE_MRI = "guidance_mri"
    GUIDANCE_PET = "guidance_pet"
    GUIDANCE_RGB = "guidance_rgb"
    JACOBIAN_MRI = "jacobian_mri"
    JACOBIAN_PET = "jacobian_pet"
    JACOBIAN_MRI_ZOOM = "jacobian_mri_zoom"
    JACOBIAN_PET_ZOOM = "jacobian_pet_zoom"
    SCATTER = "scatter"
    RESPONSE_MRI = "response_mri"
    RESPONSE_PET = "response_pet"
    REACH_MRI = "reach_mri"
    REACH_PET = "reach_pet"
    INFLUENCE_MRI = "influence_mri"
    INFLUENCE_PET = "influence_pet"

    @property
    def map_kind(self) -> MapKind | None:
        """The kind of map that this column shows an image of; ``None`` for all others."""
        kind = self.value.partition("_")[0]
        return MapKind(kind) if kind in list(MapKind) else None


class InputColumn(StrEnum):
    """Pictures that an export can show of the pair itself; the values are part of addresses."""

    MRI = "input_mri"
    PET = "input_pet"
    MRI_ZOOM = "input_mri_zoom"
    PET_ZOOM = "input_pet_zoom"


class ZoomColumn(StrEnum):
    """Pictures that an export can show around the principal pixels besides; the values are part of addresses."""

    FUSED = "fused_zoom"
    GUIDANCE_MRI = "guidance_mri_zoom"
    GUIDANCE_PET = "guidance_pet_zoom"
    GUIDANCE_RGB = "guidance_rgb_zoom"

    @property
    def whole(self) -> CompareColumn:
        """The column whose picture this is a part of."""
        return CompareColumn(self.value.removesuffix("_zoom"))


class Panel(StrEnum):
    """The nine pictures; the eight images have a zoom each."""

    MRI = "panel-mri"
    PET = "panel-pet"
    FUSED = "panel-fused"
    GUIDANCE_MRI = "panel-guidance-mri"
    GUIDANCE_PET = "panel-guidance-pet"
    GUIDANCE_RGB = "panel-guidance-rgb"
    JACOBIAN_MRI = "panel-jacobian-mri"
    JACOBIAN_PET = "panel-jacobian-pet"
    SCATTER = "panel-scatter"

    @property
    def zoom(self) -> str:
        """The id of the zoom at the right of this panel."""
        if self is Panel.SCATTER:
            raise ValueError("The scatterplot has no zoom")
        return f"{self.value}-zoom"


IMAGE_PANELS = tuple(panel for panel in Panel if panel is not Panel.SCATTER)
JACOBIAN_PANELS = (Panel.JACOBIAN_MRI, Panel.JACOBIAN_PET)
GUIDANCE_PANELS = (Panel.GUIDANCE_MRI, Panel.GUIDANCE_PET)
POINTER_PANELS = tuple(panel for panel in IMAGE_PANELS if panel not in JACOBIAN_PANELS)
"""The panels on which the pointer chooses the principal pixel."""

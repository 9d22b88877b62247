"""The state of a page that a link carries: one model of what both pages have, and what each has besides.

A link is read from a query that anybody may have written, and written with its version, its keys sorted and first
values left out. What a link leaves out has the first value of its own version (`app.link.earlier`). Without a version
it is of version 1; without any key of ours it is no link but an address, which opens today's first view.
``tests/golden/links.json`` has links with what they say; the browser's tests can read it as well.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import parse_qs, urlencode

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
)

from app.ids import CompareColumn
from app.link import earlier, explained
from app.link.earlier import VERSION, WITHOUT_VERSION
from app.link.texts import (
    MOST_REGIONS,
    NEWER,
    TOO_MANY_PARTS,
    UNSEEN,
    LinkProblem,
    linked_region,
    repeated,
    shortened,
    unknown,
    unusable,
)
from fusion.colours import Grays, Ranges, Scale
from fusion.errors import ChangeError
from fusion.saliency.maps import MapKind
from fusion.saliency.strokes import read_strokes

GAMMAS = (0.1, 2.0)
"""Smallest and largest gamma."""
LARGEST_ZOOM = 64
FIRST_HALF_WIDTH = 12
"""Half-width of the explore page's zooms at first; both in pixels."""
MOST_METHODS = 16
LEAST_SIDE = 1
"""Of an area, pixels."""
ROUNDED = 1e-6
"""By how much the difference of two numbers in a link may miss what they say, as 11.1 − 10.1 does."""
WEIGHTS = "the id of weights is 8 to 64 digits from 0 to f"
PIXEL = "a pixel is written row,column with whole numbers from 0"
ZOOM = f"a zoom's half-width is a whole number from 1 to {LARGEST_ZOOM}"

PAPER_METHODS = ("weighted_averaging", "funfusean", "masknet", "deepfuse", "deep_pedestrian")
"""The five methods of the paper, in its order."""
FIRST_COLUMNS = (
    CompareColumn.FUSED,
    CompareColumn.GUIDANCE_MRI,
    CompareColumn.GUIDANCE_PET,
    CompareColumn.JACOBIAN_MRI_ZOOM,
    CompareColumn.JACOBIAN_PET_ZOOM,
    CompareColumn.SCATTER,
)


class TableSize(StrEnum):
    """Sizes of the compare page's pictures."""

    FIT = "fit"
    LARGE = "large"


def _large_enough(area: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    top, left, bottom, right = area
    if min(bottom - top, right - left) < LEAST_SIDE - ROUNDED:
        raise ValueError("one cannot see anything in it")
    return area


def _different(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) < len(values):
        raise ValueError("one is named twice")
    return values


def _painted(code: str) -> str:
    try:
        read_strokes(code)
    except ChangeError as error:
        raise ValueError(str(error)) from error
    return code


Change = Annotated[str, Field(min_length=1), AfterValidator(_painted)]
Explained = Annotated[str, Field(pattern=explained.PATTERN)]
Gamma = Annotated[float, Field(ge=GAMMAS[0], le=GAMMAS[1], allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=rf"^[^{UNSEEN}]+$")]
MethodName = Annotated[str, Field(min_length=1, max_length=100, pattern=rf"^[^{UNSEEN},:/]+$")]
Index = Annotated[int, Field(ge=0, lt=2**31)]
Pixel = tuple[Index, Index]
HalfWidth = Annotated[int, Field(ge=1, le=LARGEST_ZOOM)]
Version = Annotated[int, Field(ge=1)]
_VERSIONS: TypeAdapter[int] = TypeAdapter(Version)
Weights = Annotated[str, Field(pattern=r"^[0-9a-f]{8,64}$")]
"""The first digits of the sha256 of weights."""
KnownWeights = Weights | Literal[""]
"""The same, or nothing where they are not known."""
Edge = Annotated[float, Field(ge=-(2.0**31), le=2.0**31, allow_inf_nan=False)]
Area = Annotated[tuple[Edge, Edge, Edge, Edge], AfterValidator(_large_enough)]


class ViewState(BaseModel):
    """The state that a link to either page reopens.

    Attributes
    ----------
    EARLIER : mapping
        First values of earlier versions by key; those of today's version are the fields' own.
    LISTS : frozenset of str
        Keys whose values are several, separated by commas.
    EXPECTED : dict
        What a value of each key has to be, for the notice that names a wrong one.
    v : int
        Version of the link that this state would be written into: today's.
    pair : str or None
        A pair's address: a sample's slug, a file id, or a prefix of a content id. ``None``: the first of this server,
        which is a person's own where there is one.
    pixel : tuple of int or None
        The pinned principal pixel (row, col), 0-based; ``None``: not pinned.
    gamma1, gamma2 : float
        Gamma of the Jacobian images and of the guidance images, 0.1 to 2 (paper, section 3.2.5).
    scale : Scale
        The colour scale of gradients.
    rgb : Ranges
        What red and green of guidance RGB are stretched over.
    air : bool
        True where the air is shown and counted as everything else is; else it is hatched in guidance images, and left
        out of their scales, of scatterplots and of numbers.
    gray : Grays
        The ends of the gray scale of fused images.
    pole : bool
        True where pixels near the pole of a method's fusion rule are marked in fused images.
    change : str or None
        A change of the inputs that somebody has painted, see `fusion.saliency.strokes`; ``None``: none.
    explain : str or None
        The number of a region that is explained, see `app.link.explained`; ``None``: none.
    regions : tuple of str
        Regions of interest, each ``name~rrggbb~code``, see `app.link.texts.LinkedRegion`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    EARLIER: ClassVar[earlier.Tables] = {}
    LISTS: ClassVar[frozenset[str]] = frozenset({"pixel", "regions"})
    EXPECTED: ClassVar[dict[str, str]] = {
        "v": "a version is a whole number from 1",
        "pair": "a pair's address is a short name without control characters",
        "pixel": PIXEL,
        "gamma1": "gamma 1 is a number from 0.1 to 2",
        "gamma2": "gamma 2 is a number from 0.1 to 2",
        "change": "a change is strokes of the brush as this page writes them, whole",
        "explain": explained.EXPECTED,
        "regions": f"regions are up to {MOST_REGIONS} times name~colour~code with commas between them",
        "air": "air is 1 or 0",
        "gray": f"the gray scale of fused images is {' or '.join(Grays)}",
        "pole": "pole is 1 or 0",
        "rgb": f"the ranges of guidance RGB are {' or '.join(Ranges)}",
        "scale": f"a colour scale is one of {', '.join(Scale)}",
    }

    v: Version = VERSION
    pair: Name | None = None
    pixel: Pixel | None = None
    gamma1: Gamma = 0.3
    gamma2: Gamma = 0.5
    scale: Scale = Scale.PAPER
    rgb: Ranges = Ranges.OWN
    air: bool = False
    gray: Grays = Grays.UNIT
    pole: bool = False
    change: Change | None = None
    explain: Explained | None = None
    regions: Annotated[tuple[str, ...], Field(max_length=MOST_REGIONS)] = ()

    @classmethod
    def from_query(cls, search: str) -> tuple[Self, list[str]]:
        """Read a query string; whatever is wrong in it is left out and named.

        Parameters
        ----------
        search : str
            As the browser gives it, ``"?pair=…&pixel=12,34"``; may be empty or hostile.

        Returns
        -------
        ViewState
            Defaults wherever the query says nothing usable.
        list of str
            One notice for each key that was ignored.
        """
        state, problems = cls.read(search)
        return state, [problem.ignored for problem in problems]

    @classmethod
    def read(cls, search: str) -> tuple[Self, list[LinkProblem]]:
        """Read a query string as `from_query` does, for those who refuse it where it has a problem."""
        values: dict[str, Any] = {}
        problems: list[LinkProblem] = []
        try:
            query = parse_qs(search.removeprefix("?"), keep_blank_values=True, max_num_fields=50)
        except ValueError:
            return cls(), [TOO_MANY_PARTS]
        version = cls._version(query)
        for key, given in query.items():
            if key not in cls.model_fields:
                problems.append(unknown(f"“{shortened(key)}”"))
                continue
            if len(given) > 1:
                problems.append(repeated(key, len(given)))
            value = cls.split(key, given[-1], problems) if key in cls.LISTS else given[-1]
            if value is not None:
                values[key] = value
        while True:
            try:
                state = cls.model_validate({**cls.EARLIER.get(version, {}), **values})
                break
            except ValidationError as error:
                for key in dict.fromkeys(str(problem["loc"][0]) for problem in error.errors()):
                    del values[key]
                    problems.append(unusable(f"{key}={shortened(query[key][-1])}", cls.EXPECTED[key]))
        if state.v > VERSION:
            problems.append(NEWER)
        return state.model_copy(update={"v": VERSION}), problems

    @classmethod
    def _version(cls, query: dict[str, list[str]]) -> int:
        """Return the version whose first values a query leaves out."""
        if not query.keys() & cls.model_fields.keys():
            return VERSION
        try:
            return _VERSIONS.validate_python(query["v"][-1]) if "v" in query else WITHOUT_VERSION
        except ValidationError:
            return WITHOUT_VERSION

    @classmethod
    def split(cls, key: str, value: str, problems: list[LinkProblem]) -> tuple[str, ...] | None:
        """Return the parts of a list, ``None`` for what counts as left out.

        A kind of state may leave some parts out, each with a problem.
        """
        parts = tuple(value.split(","))
        if key != "regions":
            return parts
        known = tuple(part for part in parts if linked_region(part))
        problems += [
            unusable(f"region “{shortened(part)}”", "it is not name~colour~code")
            for part in parts[:MOST_REGIONS]
            if part not in known
        ]
        return known

    def to_query(self) -> str:
        """Write the query string of this view: its version, keys sorted, today's first values left out."""
        parts = {}
        for key, value in sorted({**self.model_dump(exclude_defaults=True), "v": VERSION}.items()):
            if isinstance(value, bool):
                parts[key] = str(int(value))
            else:
                parts[key] = ",".join(map(str, value)) if isinstance(value, tuple) else value
        return "?" + urlencode(parts, safe=",")


class ExploreState(ViewState):
    """The state of the explore page, besides what both have.

    Attributes
    ----------
    method : str
        A method's id.
    weights : str or None
        What the link's pictures were made with: the first 8 or more digits of the sha256 of the method's weights.
    zoom : int or "support"
        Half-width of the zooms, pixels, or that of the method's support.
    area : tuple of float or None
        The part that the full pictures show, (top, left, bottom, right) in pixels; pixel i reaches from i − 0.5 to
        i + 0.5; at least 1 pixel high and wide. ``None``: all of it.
    maps : tuple of MapKind
        The maps that stand open below the pictures.
    colour : bool
        True where the fused image of colour pictures is shown in colour.
    """

    EARLIER: ClassVar[earlier.Tables] = earlier.EXPLORE
    LISTS: ClassVar[frozenset[str]] = ViewState.LISTS | {"area", "maps"}
    EXPECTED: ClassVar[dict[str, str]] = {
        **ViewState.EXPECTED,
        "method": "a method's id is a short name without control characters",
        "weights": WEIGHTS,
        "zoom": f"{ZOOM}, or “support”",
        "area": "an area is top,left,bottom,right in pixels, at least 1 pixel high and 1 pixel wide",
        "colour": "colour is 1 or 0",
        "maps": f"maps are different ones of {', '.join(MapKind)} with commas between them",
    }

    method: Name = "funfusean"
    weights: Weights | None = None
    zoom: HalfWidth | Literal["support"] = FIRST_HALF_WIDTH
    area: Area | None = None
    maps: tuple[MapKind, ...] = ()
    colour: bool = False

    @field_validator("maps")
    @classmethod
    def _differ(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return _different(values)


class CompareState(ViewState):
    """The state of the compare page, besides what both have; `pixel` is the pinned pixel A.

    Attributes
    ----------
    methods : tuple of str
        Ids of the methods, in the order of the rows; may be empty.
    columns : tuple of CompareColumn
        What is shown of each method, from left to right; may be empty.
    pin : tuple of int or None
        The pinned pixel B, (row, col), 0-based; ``None``: not pinned.
    difference : tuple of str
        Ids of two methods, the second taken from the first in a row of its own; empty: no such row.
    numbers : bool
        True where the numbers below the table are open.
    scale : Scale
        As the explore page's, but signed at first: methods are compared by what they hide too.
    shared : bool
        True where all methods have the same end of scale.
    size : TableSize
        How large the pictures are.
    weights : tuple of str
        What the link's pictures were made with: the first 8 or more digits of the sha256 of each method's weights, in
        the order of the methods, empty where one is not known.
    zoom : int or None
        Half-width of the zooms, pixels; ``None``: the largest support of the chosen methods.
    """

    EARLIER: ClassVar[earlier.Tables] = earlier.COMPARE
    LISTS: ClassVar[frozenset[str]] = ViewState.LISTS | {
        "pin",
        "methods",
        "columns",
        "weights",
        "difference",
    }
    EXPECTED: ClassVar[dict[str, str]] = {
        **ViewState.EXPECTED,
        "pin": PIXEL,
        "methods": f"methods are up to {MOST_METHODS} different ids with commas between them",
        "columns": "columns are different names with commas between them",
        "numbers": "numbers is 1 or 0",
        "shared": "shared is 1 or 0",
        "difference": "a difference is of two different methods' ids with a comma between them",
        "size": f"a size is one of {', '.join(TableSize)}",
        "weights": f"{WEIGHTS}, one for each method with commas between them",
        "zoom": ZOOM,
    }

    methods: Annotated[tuple[MethodName, ...], Field(max_length=MOST_METHODS)] = PAPER_METHODS
    columns: tuple[CompareColumn, ...] = FIRST_COLUMNS
    difference: tuple[MethodName, MethodName] | tuple[()] = ()
    numbers: bool = False
    pin: Pixel | None = None
    scale: Scale = Scale.SIGNED
    shared: bool = True
    size: TableSize = TableSize.FIT
    weights: Annotated[tuple[KnownWeights, ...], Field(max_length=MOST_METHODS)] = ()
    zoom: HalfWidth | None = None

    @field_validator("methods", "columns", "difference")
    @classmethod
    def _differ(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return _different(values)

    @field_validator("weights")
    @classmethod
    def _end_with_one_that_is_known(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        known = [index for index, value in enumerate(values) if value]
        return values[: known[-1] + 1] if known else ()

    @classmethod
    def split(cls, key: str, value: str, problems: list[LinkProblem]) -> tuple[str, ...] | None:
        """Return the parts of a list; an empty value has none. Unknown columns are left out, each with a problem."""
        if key == "regions":
            return super().split(key, value, problems)
        parts = tuple(value.split(",")) if value or key in ("pixel", "pin") else ()
        if key != "columns":
            return parts
        known = tuple(part for part in parts if part in list(CompareColumn))
        problems += [
            unknown(f"column “{shortened(part)}”") for part in parts[:MOST_METHODS] if part not in known
        ]
        return known if known or not parts else None

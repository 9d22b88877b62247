"""Routes that export a page's view: everything is in the query, that of a link to it, so that scripts can ask too."""

from __future__ import annotations

from dataclasses import dataclass, replace

from flask import Blueprint, Response, current_app, jsonify, request

from app.export.content import DIFFERENCE, NOT_SUBTRACTED, Column, left_out
from app.export.document import document
from app.export.figure import INPUTS, figure_file, panel_file
from app.export.maps import map_kinds
from app.export.request import PAGES, ExportRequest, read_request
from app.ids import CompareColumn, InputColumn, ZoomColumn
from app.link.explained import explained
from app.link.seen import as_seen
from app.link.texts import linked_regions
from app.link.view_state import CompareState
from app.routes.answers import problem_answer, refused
from cache.errors import TooBusyError, UserError
from cache.services.exports import (
    ExportArrays,
    ExportNumbers,
    NotReady,
    arrays_file,
    described,
    export_arrays,
    export_numbers,
)
from cache.services.services import services_of
from fusion.weights import newest_id

TYPES = {
    "npz": "application/octet-stream",
    "html": "text/html",
    "csv": "text/csv",
    "png": "image/png",
    "svg": "image/svg+xml",
}
WITH_NUMBERS = ("html", "csv")
WITH_READINGS = ("npz", "html")
"""These have the reach of Jacobian images and an explained region; figures and tables have no place for them."""
WITH_TABLE = ("png", "svg", "html")
MISSING = "Fusevis-Missing"
"""The header of a file without all numbers: of how many methods they are missing."""
LEFT_OUT = "Fusevis-Left-Out"
"""The header of a file without a row that its link asks for, with the row's name."""
RETRY_SECONDS = "2"
PAGE = f"<any({', '.join(PAGES)}):page>"
NO_PANEL = (
    "A panel is asked for by one of the view's methods, “difference” or “inputs”, and the name of a column that this "
    "row has."
)

routes = Blueprint("export", __name__, url_prefix="/export")


class ExportRefused(UserError):
    """A request for a file that there cannot be, with the status of the answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Wanted:
    """A file that is asked for.

    Attributes
    ----------
    asked : ExportRequest
        The view of the link.
    form : str
        One of `TYPES`.
    panel : tuple of (str, Column), optional
        The one picture that is wanted, by a method's id, ``difference`` or ``inputs``, and a column of this row.
    complete : bool
        True to compute numbers that are not known yet.
    """

    asked: ExportRequest
    form: str
    panel: tuple[str, Column] | None = None
    complete: bool = False


@routes.errorhandler(UserError)
def refuse(error: UserError) -> Response:
    """Answer with an error that is meant for the user."""
    if isinstance(error, TooBusyError):
        return refused(error)
    return problem_answer(getattr(error, "status", 400), str(error))


@routes.errorhandler(NotReady)
def refuse_for_now(error: NotReady) -> Response:
    """Answer 409; but 202 where the page asks, because a browser would call the other one an error."""
    if "respond-async" in request.headers.get("Prefer", ""):
        answer = jsonify(waiting=str(error))
        answer.status_code = 202
        return answer
    return problem_answer(409, str(error), {"Retry-After": RETRY_SECONDS})


@routes.get(f"/{PAGE}.<form>")
def export_table(page: str, form: str) -> Response:
    """Answer with the whole view."""
    if form not in TYPES:
        raise ExportRefused(404, f"A view is exported as one of these: {', '.join(TYPES)}.")
    return _file_of(Wanted(_asked(page, form), form))


@routes.get(f"/{PAGE}-complete.<form>")
def export_all_numbers(page: str, form: str) -> Response:
    """Answer with the whole view once all its numbers are known."""
    if form not in WITH_NUMBERS:
        raise ExportRefused(404, f"These files have numbers: {', '.join(WITH_NUMBERS)}.")
    return _file_of(Wanted(_asked(page, form), form, complete=True))


@routes.get(f"/{PAGE}/<row>/<column>.<form>")
def export_panel(page: str, row: str, column: str, form: str) -> Response:
    """Answer with one picture of the view."""
    if form not in ("png", "svg"):
        raise ExportRefused(404, "A panel is exported as png or svg.")
    asked = _asked(page)
    return _file_of(Wanted(asked, form, _panel(asked.state, row, column)))


def _asked(page: str, form: str = "") -> ExportRequest:
    """Read the query; a file with a table needs a column."""
    asked, problems = read_request(page, request.query_string.decode("utf-8", "replace"))
    if problems:
        raise ExportRefused(400, " ".join(problems))
    asked = replace(asked, state=as_seen(asked.state, services_of(current_app).scenes.seen_with))
    if form in WITH_TABLE and not asked.state.columns:
        raise ExportRefused(400, "The view has no column; choose at least one.")
    return asked


def _panel(state: CompareState, row: str, column: str) -> tuple[str, Column]:
    """Return the row and column of a panel that the view has."""
    if row == INPUTS and column in list(InputColumn):
        return row, InputColumn(column)
    # A link of before names the row without its weights.
    row = next((one for one in state.methods if row in (one, newest_id(one))), row)
    shown: Column | None = next((one for one in (*CompareColumn, *ZoomColumn) if one == column), None)
    known = row in state.methods or (row == DIFFERENCE and set(state.difference) <= set(state.methods))
    if row == INPUTS or shown is None or not known:
        raise ExportRefused(404, NO_PANEL)
    whole = shown.whole if isinstance(shown, ZoomColumn) else shown
    if row == DIFFERENCE and (not state.difference or whole in NOT_SUBTRACTED):
        raise ExportRefused(404, NO_PANEL)
    return row, shown


def _file_of(wanted: Wanted) -> Response:
    """Answer with a file, once it is this one's turn."""
    with services_of(current_app).scenes.slow.place():
        return _made(wanted)


def _made(wanted: Wanted) -> Response:
    asked, form = wanted.asked, wanted.form
    state = asked.state
    regions = {region.name: region.code for region in linked_regions(state.regions)}
    services = services_of(current_app)
    # Figures and tables have no place for it.
    change = state.change if form == "npz" else None
    named = list(regions.items())
    arrays = export_arrays(
        services,
        state.pair,
        state.methods,
        state.weights,
        state.pixel,
        state.pin,
        named,
        change,
        map_kinds(state.columns if wanted.panel is None else [wanted.panel[1]]),
        explained(state.explain, linked_regions(state.regions)) if form in WITH_READINGS else None,
        form in WITH_READINGS,
        state.air,
    )
    view = replace(arrays, lettered=asked.lettered)
    _require_maps(wanted, view)
    numbers = None
    if form in WITH_NUMBERS:
        numbers = export_numbers(services, view, list(regions), wanted.complete)
    body = _body(wanted, view, asked.with_zoom(one.scene.support_radius for one in view.methods), numbers)
    headers = {
        "Content-Disposition": f'attachment; filename="{_name(wanted, view)}"',
        "Cache-Control": "no-store",
    }
    if numbers is not None and numbers.missing:
        headers[MISSING] = str(len(numbers.missing))
    if form in WITH_TABLE and wanted.panel is None and left_out(view, state):
        headers[LEFT_OUT] = DIFFERENCE
    return Response(body, mimetype=TYPES[form], headers=headers)


def _require_maps(wanted: Wanted, view: ExportArrays) -> None:
    """Refuse pictures that would all be of maps that are not computed."""
    columns = wanted.asked.state.columns if wanted.panel is None else (wanted.panel[1],)
    missing = [kind for kind in map_kinds(columns) if kind not in view.methods[0].maps]
    left = [one for one in columns if not isinstance(one, CompareColumn) or one.map_kind not in missing]
    if wanted.form in WITH_TABLE and columns and not left:
        raise ExportRefused(
            400, f"Maps are not computed by an export: {', '.join(missing)}. Press Compute first."
        )


def _body(
    wanted: Wanted, view: ExportArrays, state: CompareState, numbers: ExportNumbers | None
) -> bytes | str:
    asked, form = wanted.asked, wanted.form
    link = request.root_url + asked.link
    if wanted.panel is not None:
        return panel_file(view, state, *wanted.panel, form, link, asked.area)
    if form == "npz":
        return arrays_file(view, link)
    if numbers is None:
        return figure_file(view, state, form, link, asked.area)
    if form == "csv":
        return numbers.csv
    links = link, request.root_url + asked.complete
    return document(view, state, numbers, links, described(view, link), asked.area)


def _name(wanted: Wanted, view: ExportArrays) -> str:
    """Return what the file is called, in letters that every system takes."""
    address = view.methods[0].scene.pair_address
    slug = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in address)
    return "-".join(("fusevis", slug[:60], *(wanted.panel or ()))) + f".{wanted.form}"

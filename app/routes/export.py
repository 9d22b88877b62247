"""Routes that export a page's view: everything is in the query, that of a link to it, so that scripts can ask too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, jsonify, request

from app.export.asked_view import PAGES, asked_view
from app.export.difference import DIFFERENCE, NOT_SUBTRACTED, left_out
from app.export.document import document
from app.export.print_figure import INPUTS, print_figure, print_panel
from app.export.print_sheet import Column
from app.ids import CompareColumn, InputColumn, ZoomColumn
from app.link.compare_state import CompareState
from app.link.linked_region import linked_regions
from cache.errors import UserError
from cache.services.exports import NotReady, arrays_file, described, export_arrays, export_numbers
from cache.services.services import Services

TYPES = {
    "npz": "application/octet-stream",
    "html": "text/html",
    "csv": "text/csv",
    "png": "image/png",
    "svg": "image/svg+xml",
}
WITH_NUMBERS = ("html", "csv")
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


def register(server: Flask, services: Services) -> None:
    """Add the routes.

    Parameters
    ----------
    server : flask.Flask
        The server that Dash uses.
    services : Services
        What has the arrays and numbers of a view.
    """

    def answer(page: str, form: str, only: tuple[str, str] | None = None, complete: bool = False) -> Response:
        asked, problems = asked_view(page, request.query_string.decode("utf-8", "replace"))
        state = asked.state
        if problems:
            return _refused(400, " ".join(problems))
        if form in WITH_TABLE and not state.columns and only is None:
            return _refused(400, "The view has no column; choose at least one.")
        panel = None if only is None else _panel(state, *only)
        if only is not None and panel is None:
            return _refused(404, NO_PANEL)
        link = request.root_url + asked.link
        try:
            regions = {region.name: region.code for region in linked_regions(state.regions)}
            view = export_arrays(
                services,
                state.pair,
                state.methods,
                state.weights,
                state.pixel,
                state.pin,
                list(regions.items()),
            )
            numbers = (
                export_numbers(services, view, list(regions), complete) if form in WITH_NUMBERS else None
            )
        except NotReady as error:
            return _not_ready(str(error))
        except UserError as error:
            return _refused(400, str(error))
        state = asked.with_zoom(one.scene.support_radius for one in view.methods)
        body: bytes | str
        if panel is not None:
            body = print_panel(view, state, *panel, form, link, asked.area)
        elif form == "npz":
            body = arrays_file(view, link)
        elif numbers is None:
            body = print_figure(view, state, form, link, asked.area)
        elif form == "csv":
            body = numbers.csv
        else:
            links = link, request.root_url + asked.complete
            body = document(view, state, numbers, links, described(view, link), asked.area)
        slug = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in _address(view))
        name = "-".join(("fusevis", slug[:60], *(only or ()))) + f".{form}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        if numbers is not None and numbers.missing:
            headers[MISSING] = str(len(numbers.missing))
        if form in WITH_TABLE and only is None and left_out(view, state):
            headers[LEFT_OUT] = DIFFERENCE
        return Response(body, mimetype=TYPES[form], headers=headers)

    @server.get(f"/export/{PAGE}.<form>")
    def export_table(page: str, form: str) -> Response:
        if form not in TYPES:
            return _refused(404, f"A view is exported as one of these: {', '.join(TYPES)}.")
        return answer(page, form)

    @server.get(f"/export/{PAGE}-complete.<form>")
    def export_all_numbers(page: str, form: str) -> Response:
        if form not in WITH_NUMBERS:
            return _refused(404, f"These files have numbers: {', '.join(WITH_NUMBERS)}.")
        return answer(page, form, complete=True)

    @server.get(f"/export/{PAGE}/<row>/<column>.<form>")
    def export_panel(page: str, row: str, column: str, form: str) -> Response:
        if form not in ("png", "svg"):
            return _refused(404, "A panel is exported as png or svg.")
        return answer(page, form, (row, column))


def _panel(state: CompareState, row: str, column: str) -> tuple[str, Column] | None:
    """Return the row and column of a panel; ``None`` where the view has no such panel."""
    if row == INPUTS:
        return (row, InputColumn(column)) if column in list(InputColumn) else None
    known = row in state.methods or (row == DIFFERENCE and set(state.difference) <= set(state.methods))
    shown: Column | None = next((one for one in (*CompareColumn, *ZoomColumn) if one == column), None)
    if shown is None or not known:
        return None
    whole = shown.whole if isinstance(shown, ZoomColumn) else shown
    empty = row == DIFFERENCE and (not state.difference or whole in NOT_SUBTRACTED)
    return None if empty else (row, shown)


def _address(view: Any) -> str:
    return str(view.methods[0].scene.pair_address)


def _not_ready(message: str) -> Response:
    """Answer 409; but 202 where the page asks, because a browser would call the other one an error."""
    if "respond-async" in request.headers.get("Prefer", ""):
        answer = jsonify(waiting=message)
        answer.status_code = 202
        return answer
    return _refused(409, message, {"Retry-After": RETRY_SECONDS})


def _refused(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    answer = jsonify(error=message)
    answer.status_code = status
    answer.headers.update(headers or {})
    return answer

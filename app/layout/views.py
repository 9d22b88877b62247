"""The panel of the named views, which both pages have; ``assets/views/named-views.mjs`` fills it."""

from __future__ import annotations

from dash import dcc, html

from app.ids import ViewsId
from app.layout.parts import opener, panel_button, side_panel
from app.routes.views import LARGEST_STUDY


def views_open() -> html.Button:
    """Make the button that opens the panel."""
    return opener(
        ViewsId.OPEN,
        "Views",
        "Named views with a note: save this one, reopen others, pass them on as a study",
        ViewsId.PANEL,
    )


def views_panel(home: str, page: str) -> html.Div:
    """Make the panel, closed.

    Parameters
    ----------
    home : str
        Address of the first page.
    page : str
        ``explore`` or ``compare``: the page that it stands on.
    """
    name = dcc.Input(
        id=ViewsId.NAME,
        placeholder="Name of this view",
        maxLength=80,
        className="form-control form-control-sm",
    )
    note = dcc.Textarea(
        id=ViewsId.NOTE,
        placeholder="Note: what is to be seen here?",
        maxLength=2000,
        rows=2,
        className="form-control form-control-sm",
    )
    buttons = [
        panel_button(
            ViewsId.SAVE, "Save this view", "Keep it on the server, for everybody who uses this server"
        ),
        panel_button(ViewsId.EXPORT, "Export study", "Save the ticked views, or all, as one file"),
        panel_button(ViewsId.IMPORT, "Import study", "Take over the views of a file"),
    ]
    parts = [
        html.Label("Name", htmlFor=ViewsId.NAME, className="visually-hidden"),
        name,
        html.Label("Note", htmlFor=ViewsId.NOTE, className="visually-hidden"),
        note,
        html.Div(buttons, className="region-actions"),
        html.P(className="views-message", role="status"),
        html.Ul(className="views-list"),
        html.P("Nobody has saved a view here. Give this one a name and save it.", className="region-empty"),
    ]
    return side_panel(
        ViewsId.PANEL,
        "Named views",
        ViewsId.CLOSE,
        parts,
        "views-panel",
        data_home=home,
        data_page=page,
        data_largest_study=str(LARGEST_STUDY),
    )

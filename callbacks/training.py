"""The page about the trainings: what it shows at once, and fused images row by row."""

from __future__ import annotations

from dash import ClientsideFunction, Dash, Input, Output, html

from app.figures.training import curves_figure
from app.ids import TrainingId
from app.layout.training import (
    curves_part,
    failed_cells,
    fused_cells,
    gallery,
    grouped_table,
    input_rows,
    training_page,
)
from cache.errors import UserError
from cache.services.services import Services, services_of
from cache.services.training import (
    Sample,
    fused_pictures,
    gallery_methods,
    gallery_samples,
    input_pictures,
    training_content,
)


def layout(services: Services, home: str) -> html.Div:
    """Make the page anew, with the cards as they are now, for the page with saliency pictures at `home`."""
    view = training_content()
    curves = [(curve.title, curve.colour, curve.sets) for curve in view.curves.curves]
    figure = curves_figure(curves, view.curves.panels, view.curves.ends) if curves else None
    losses, brightness = view.losses, view.brightness
    return training_page(
        home,
        grouped_table(TrainingId.LOSSES, losses.caption, losses.columns, losses.groups),
        curves_part(figure, view.curves.caption, view.curves.missing),
        grouped_table(TrainingId.BRIGHTNESS, brightness.caption, brightness.columns, brightness.groups),
        gallery(_plain(gallery_samples(services)), gallery_methods(services)),
        [(card.title, card.summary, card.note, card.remarks, card.facts) for card in view.cards],
        services.scenes.methods(),
    )


def register(app: Dash, home: str) -> None:
    """Add the theme switch and the callbacks that fill the gallery.

    Each row is asked for when the one above has come: one computation at a time, so that a visitor of this
    page leaves the server's other threads to those who point at pixels.
    """
    services = services_of(app.server)
    app.clientside_callback(
        ClientsideFunction("page", "changeTheme"),
        Output(TrainingId.THEME_SWITCH, "children"),
        Input(TrainingId.THEME_SWITCH, "n_clicks"),
    )

    @app.callback(Output(TrainingId.GALLERY_INPUTS, "children"), Input(TrainingId.GALLERY_INPUTS, "id"))
    def show_inputs(_: str) -> list[html.Tr]:
        return input_rows(_plain(gallery_samples(services)), input_pictures(services))

    above: str = TrainingId.GALLERY_INPUTS
    for method in gallery_methods(services):
        _register_row(app, services, method, above, home)
        above = TrainingId.gallery_row(method[0])


def _register_row(app: Dash, services: Services, method: tuple[str, str], above: str, home: str) -> None:
    id, title = method

    @app.callback(
        Output(TrainingId.gallery_row(id), "children"), Input(above, "children"), prevent_initial_call=True
    )
    def show_row(_: object) -> list[html.Th | html.Td]:
        samples = gallery_samples(services)
        try:
            pictures = fused_pictures(services, id)
        except UserError as error:
            return failed_cells(title, str(error), len(samples))
        return fused_cells(_plain(samples), method, pictures, home)


def _plain(samples: tuple[Sample, ...]) -> list[tuple[str, str, tuple[str, str]]]:
    return [(sample.address, sample.title, sample.modalities) for sample in samples]

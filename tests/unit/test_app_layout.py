"""The page: every id once, every control named, what the issue and the paper ask to be seen."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from dash import dcc, html

from app.ids import (
    GUIDANCE_PANELS,
    IMAGE_PANELS,
    JACOBIAN_PANELS,
    POINTER_PANELS,
    BrushId,
    CompareId,
    ExplainId,
    ExportId,
    Id,
    Panel,
    ReadingId,
    RegionId,
    ViewsId,
)
from app.layout.compare import compare_page
from app.layout.explore import explore_page
from app.layout.panels import LOOKS, MEANINGS, rgb_legend
from app.layout.parts import MOST_NAMED, Choice, link_notices, notice
from app.link.view_state import ExploreState
from fusion.colours import Scale
from tests.unit.page_parts import components, find, of_kind, words

PAIRS = [("own", "Own pair"), ("glioma-t2", "Glioma (simulated)")]
METHODS = [("funfusean", "FunFuseAn"), ("masknet", "MaskNet")]

IDS_OF_THE_ISSUE = {
    *("panel-mri", "panel-guidance-mri", "panel-jacobian-mri", "panel-fused", "panel-guidance-rgb"),
    *("panel-pet", "panel-guidance-pet", "panel-jacobian-pet"),
    *("panel-mri-zoom", "panel-guidance-mri-zoom", "panel-jacobian-mri-zoom", "panel-fused-zoom"),
    *("panel-guidance-rgb-zoom", "panel-pet-zoom", "panel-guidance-pet-zoom", "panel-jacobian-pet-zoom"),
    *("panel-scatter", "pair-select", "method-select", "gamma1", "gamma2", "pixel-readout"),
}


@pytest.fixture(scope="module")
def whole() -> html.Div:
    return explore_page(PAIRS, METHODS, networks=True)


def test_every_id_is_there_exactly_once(whole: html.Div) -> None:
    ids = Counter(str(part.id) for part in components(whole) if getattr(part, "id", None) is not None)
    assert set(ids.values()) == {1}
    known = (
        {id.value for id in (*Id, *BrushId, *ExplainId, *ReadingId, *RegionId, *ViewsId, *ExportId)}
        | {panel.value for panel in Panel}
        | {panel.zoom for panel in IMAGE_PANELS}
        | {panel.value for panel in Panel}
        | {panel.zoom for panel in IMAGE_PANELS}
    )
    assert known >= IDS_OF_THE_ISSUE
    assert set(ids) == known


def test_seventeen_graphs_stand_in_the_order_of_the_papers_figure(whole: html.Div) -> None:
    graphs = [str(graph.id) for graph in of_kind(whole, dcc.Graph)]
    rows = [
        ["panel-mri", "panel-guidance-mri", "panel-jacobian-mri"],
        ["panel-fused", "panel-guidance-rgb", "panel-scatter"],
        ["panel-pet", "panel-guidance-pet", "panel-jacobian-pet"],
    ]
    expected = [
        id for row in rows for panel in row for id in (panel, f"{panel}-zoom") if id != "panel-scatter-zoom"
    ]
    assert graphs == expected and len(graphs) == 17


def test_panels_are_sorted_by_what_the_pointer_does_on_them(whole: html.Div) -> None:
    assert set(POINTER_PANELS) == set(IMAGE_PANELS) - set(JACOBIAN_PANELS)
    assert set(GUIDANCE_PANELS) < set(POINTER_PANELS)
    with pytest.raises(ValueError, match="no zoom"):
        _ = Panel.SCATTER.zoom
    sections = of_kind(whole, html.Section)
    takes_pointer = {
        getattr(part, "data-panel") for part in sections if "panel-pointer" in part.className.split()
    }
    assert takes_pointer == {panel.value for panel in POINTER_PANELS}
    for section in sections:
        reachable = getattr(section, "tabIndex", None) == 0
        assert reachable is (getattr(section, "data-panel") in takes_pointer), "by keyboard too"


def test_every_panel_has_a_name_an_overlay_and_an_export(whole: html.Div) -> None:
    sections = of_kind(whole, html.Section)
    names = [getattr(section, "aria-label") for section in sections]
    assert len(set(names)) == len(sections) == 17 and all(names)
    for section in sections:
        panel = getattr(section, "data-panel")
        assert [graph.id for graph in of_kind(section, dcc.Graph)] == [panel]
        assert len(of_kind(section, html.Canvas)) == 1
        *share, save, enlarge = of_kind(section, html.Button)
        own = ["negative-share"] * (panel in JACOBIAN_PANELS) + ["panel-look"] * (panel in LOOKS)
        own += ["panel-pole"] * (panel == Panel.FUSED)
        assert [button.className for button in share] == own
        assert getattr(save, "data-panel") == panel and "PNG" in getattr(save, "aria-label")
        assert getattr(enlarge, "aria-label").startswith("Enlarge ")
        (about,) = of_kind(section, html.Details)
        sentences, equation = of_kind(about, html.P)
        assert len(re.findall(r"[.] ?(?=[A-Z]|$)", words(sentences))) == 2 and words(equation)


@pytest.mark.parametrize(
    "id",
    [
        *("pair-select", "method-select", "gamma1", "gamma2", "colour-scale", "zoom-half-width"),
        *("export-row", "export-column"),
    ],
)
def test_controls_have_labels(whole: html.Div, id: str) -> None:
    labels = [label for label in of_kind(whole, html.Label) if label.htmlFor == id]
    assert len(labels) == 1 and words(labels[0]).strip()


@pytest.mark.parametrize("id", ["gamma1", "gamma2", "toolbar-mode"])
def test_controls_of_several_parts_are_named_groups(whole: html.Div, id: str) -> None:
    """A label names no slider thumb and no row of buttons."""
    groups = [
        part
        for part in components(whole)
        if getattr(part, "role", None) == "group"
        and any(getattr(child, "id", None) == id for child in components(part)[1:])
    ]
    assert len(groups) == 1 and getattr(groups[0], "aria-label")


def test_controls_that_are_their_own_label(whole: html.Div) -> None:
    assert find(whole, Id.ZOOM_FOLLOWS_SUPPORT).label
    for id in (Id.THEME_SWITCH, Id.HELP_OPEN, Id.GUIDANCE_BUTTON):
        assert words(find(whole, id)).strip()
    assert find(whole, Id.GUIDANCE_STATUS).role == "status"
    assert getattr(find(whole, Id.PIXEL_READOUT), "role", None) is None, "it would be read out at every move"


def test_controls_start_as_the_paper_has_them(whole: html.Div) -> None:
    assert (find(whole, "gamma1").value, find(whole, "gamma2").value) == (0.3, 0.5)
    assert (ExploreState().gamma1, ExploreState().gamma2) == (0.3, 0.5)
    for id in ("gamma1", "gamma2"):
        slider = find(whole, id)
        assert (slider.min, slider.max, slider.updatemode) == (0.1, 2, "drag")
    scale = find(whole, Id.COLOUR_SCALE)
    assert scale.value == Scale.PAPER == scale.options[0]["value"]
    assert [option["value"] for option in scale.options] == [scale.value for scale in Scale]
    assert find(whole, Id.ZOOM_HALF_WIDTH).value == 12
    assert find(whole, Id.TOOLBAR_MODE).value == "pixel"


def test_menus_offer_what_they_are_given(whole: html.Div) -> None:
    for id, choices in (("pair-select", PAIRS), ("method-select", METHODS)):
        options = [(option["value"], option["label"]) for option in find(whole, id).options]
        assert options == choices


def test_every_visitor_has_another_name() -> None:
    assert (
        find(explore_page(PAIRS, METHODS), Id.VIEWER).data
        != find(explore_page(PAIRS, METHODS), Id.VIEWER).data
    )


def test_the_legend_explains_six_colours(whole: html.Div) -> None:
    colours = {name: colour for colour, name, _ in MEANINGS}
    assert colours == {
        "red": "#ff0000", "green": "#00ff00", "blue": "#0000ff",
        "magenta": "#ff00ff", "cyan": "#00ffff", "yellow": "#ffff00",
    }  # fmt: skip
    items = of_kind(rgb_legend(), html.Li)
    shown = [
        part.style["backgroundColor"] for item in items for part in components(item) if hasattr(part, "style")
    ]
    assert sorted(shown) == sorted(colours.values())
    for item in items:
        # In words of the pair, each colour by its own name.
        swatches = [part.style["backgroundColor"] for part in components(item) if hasattr(part, "style")]
        names = [name for name, colour in colours.items() if colour in swatches]
        assert all(name in item.title.lower() for name in names)
        assert getattr(item, "data-title").format("x1", "x2") == item.title
    assert any("rgb-legend" in str(getattr(part, "className", "")) for part in components(whole))


@pytest.mark.parametrize("colour", [colour for colour, _, _ in MEANINGS])
def test_a_colours_meaning_is_the_one_that_guidance_rgb_gives_it(colour: str) -> None:
    """Red is x1, green x2, blue the fused image; a meaning must say high where there is light, and low where not."""
    (meaning,) = [text for one, _, text in MEANINGS if one == colour]
    red, green, blue = (int(colour[at : at + 2], 16) > 0 for at in (1, 3, 5))
    if red == green:
        assert ("both gradients high" if red else "both gradients low") in meaning
    else:
        assert f"x{1 if red else 2} gradient high" in meaning and f"x{2 if red else 1} low" in meaning
        assert ("fused bright" if blue else "fused dark") in meaning


def test_help_is_there_closed_and_in_six_lines(whole: html.Div) -> None:
    panel = find(whole, Id.HELP_PANEL)
    assert panel.is_open is False
    (list_,) = of_kind(panel, html.Ol)
    assert len(list_.children) == 6
    text = words(panel)
    for word in ("Air", "Jacobian", "Guidance RGB", "Scatterplot", "negative gradients", "Arrow keys"):
        assert word in text


@pytest.mark.parametrize("count", [0, 1, 3, 4, MOST_NAMED, MOST_NAMED + 1, 80])
def test_many_notices_of_a_link_are_one_list(count: int) -> None:
    texts = [f"The link's part {number} was ignored." for number in range(count)]
    made = link_notices(texts)
    assert len(made) == (count if count <= 3 else 1)
    told = " ".join(map(words, made))
    assert all(text in told for text in texts[:MOST_NAMED])
    assert (f"and {count - MOST_NAMED} more" in told) == (count > MOST_NAMED)
    assert count <= 3 or f"{count} parts" in told


def test_notices_can_be_closed_and_warnings_go_away() -> None:
    warning, danger = notice("careful"), notice("broken", "danger")
    assert (words(warning), words(danger)) == ("careful", "broken")
    assert warning.dismissable and danger.dismissable
    assert warning.duration and danger.duration is None


def test_a_method_that_cannot_be_used_says_so_in_the_menus() -> None:
    (one, title), (other, named), *_ = METHODS
    why = "its weights are missing or damaged."
    choices: list[Choice] = [(one, title), (other, named, why)]
    for menu in (
        find(explore_page(PAIRS, choices), Id.METHOD_SELECT),
        find(compare_page(PAIRS, choices, "/"), CompareId.METHODS),
        find(compare_page(PAIRS, choices, "/"), CompareId.SUBTRAHEND),
    ):
        unusable = {"value": other, "label": f"{named}: {why}", "disabled": True, "title": why}
        assert unusable in menu.options
        assert {"value": one, "label": title} in menu.options

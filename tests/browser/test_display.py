"""Gammas, colour scales, zoom, pair and method."""

from __future__ import annotations

import base64
import io
import re
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, expect

import fusion
from app.figures.images import cut_out
from app.figures.parts import bent_colours
from fusion.colours import Scale, rgb_bytes
from tests.browser.conftest import KNOWN, Opener, Server, wait_until_settled
from tests.browser.pictures import heatmap, painted_window, point_at, readout
from tests.browser.seen import eventually

HALF = 12
"""Half-width of zooms when a page is opened."""


def set_half_width(page: Page, half: int) -> None:
    page.fill("#zoom-half-width", str(half))
    page.wait_for_function("(half) => fusevis.state.display.half === half", arg=half)
    wait_until_settled(page)


@pytest.fixture
def page(share_page: Opener, server: Server) -> Page:
    """Return a page, whose gammas, scale and zoom are these at the end of each test too."""
    return share_page(f"?pair={server.pair}&method=deepfuse&gamma1=0.6&gamma2=1.2&pixel=20,20")


def test_gammas_act_without_the_server(page: Page) -> None:
    _, before = heatmap(page, "panel-jacobian-mri")
    assert [colour for _, colour in before["colorscale"]] == [c for _, c in bent_colours(Scale.PAPER, 0.6)]
    np.testing.assert_allclose(
        [at for at, _ in before["colorscale"]], [at for at, _ in bent_colours(Scale.PAPER, 0.6)]
    )
    page.context.set_offline(True)
    page.locator("#gamma1 [role=slider]").first.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => Math.abs(fusevis.state.display.gamma1 - 0.65) < 1e-9")
    page.wait_for_function(
        """() => ["panel-jacobian-mri", "panel-jacobian-pet-zoom"].every((panel) =>
            Math.abs(fusevis.graphs.graph(panel).data[0].colorscale[48][0] - 0.5 ** (1 / 0.65)) < 1e-9)"""
    )
    page.context.set_offline(False)
    _, guidance = heatmap(page, "panel-guidance-pet")
    np.testing.assert_allclose(
        [at for at, _ in guidance["colorscale"]], [at for at, _ in bent_colours(Scale.PAPER, 1.2)]
    )
    page.keyboard.press("ArrowLeft")


def test_negative_influence_is_told_and_shown_by_a_click(page: Page, server: Server) -> None:
    pair = fusion.load_pair(*server.pair_paths)
    values = fusion.jacobian(fusion.load_method("deepfuse", "cpu"), pair, (20, 20)).values.astype(np.float64)
    told = readout(page)
    for index, panel in enumerate(("panel-jacobian-mri", "panel-jacobian-pet")):
        total, signed = np.abs(values[index]).sum(), values[index].sum()
        shown = [float(part) for part in told[f"sums{index + 1}"].split(", ")]
        np.testing.assert_allclose(shown, (total, signed), atol=1e-3)
        words = page.inner_text(f"section[data-panel={panel}] .negative-share")
        assert words.endswith(" % negative")
        assert float(words.split(" ")[0]) == pytest.approx(50 * (1 - signed / total), abs=0.51)
    page.click("section[data-panel=panel-jacobian-pet] .negative-share")
    page.wait_for_function("() => fusevis.state.display.scale === 'signed'")
    expect(page.locator("section[data-panel=panel-jacobian-pet] .negative-share")).to_have_attribute(
        "title", re.compile("It is blue on this scale")
    )
    page.select_option("#colour-scale", "paper")
    page.wait_for_function("() => fusevis.state.display.scale === 'paper'")


def require_ends(page: Page, low: float, high: float) -> None:
    for panel in (
        "panel-guidance-mri",
        "panel-guidance-pet-zoom",
        "panel-jacobian-mri",
        "panel-jacobian-pet-zoom",
    ):
        _, colours = heatmap(page, panel)
        assert colours["zmin"] == pytest.approx(low, rel=1e-3), panel
        assert colours["zmax"] == pytest.approx(high, rel=1e-3), panel


def test_colour_scales_have_the_ends_that_they_say(page: Page, server: Server) -> None:
    pair = fusion.load_pair(*server.pair_paths)
    guidance = fusion.guidance(fusion.load_method("deepfuse", "cpu"), pair)
    magnitude = float(np.abs(guidance).max())
    for scale, low, high in (
        ("paper", 0, float(guidance.max())),
        ("signed", -magnitude, magnitude),
        ("robust", 0, float(np.percentile(np.abs(guidance), 99))),
    ):
        page.select_option("#colour-scale", scale)
        eventually(page, partial(require_ends, page, low, high))
    assert not page.locator(".provisional-mark").first.is_visible()
    page.select_option("#colour-scale", "paper")


GRAPH_RGB = """() => {
  const trace = (panel) => document.querySelector(`#${panel} .js-plotly-plot`).data[0];
  const { window: shown, display } = fusevis.state;
  return { whole: trace("panel-guidance-rgb").source, zoom: trace("panel-guidance-rgb-zoom").z, row: shown.row,
    col: shown.col, half: display.half };
}"""
TABLE_RGB = """() => {
  const { images, state } = fusevis.compare;
  const canvas = images.bitmap(state.ready()[0], "rgb", 0, null, state.display.rgb);
  const { width, height } = canvas;
  // Of a copy: Chromium warns where a canvas that is not meant for it is read again and again.
  const copied = Object.assign(document.createElement("canvas"), { width, height });
  const copy = copied.getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  return [...copy.getImageData(0, 0, width, height).data];
}"""


UNEVEN = "pair=drawn", "funfusean_sum"
"""A pair and a method whose guidance images have other ranges, the same in every run."""


def mixed(server: Server) -> dict[str, NDArray[np.int64]]:
    """Return guidance RGB of them in bytes, by the ranges of red and green."""
    folder = server.pair_paths[0].parent / "data"
    pair = fusion.load_pair(folder / "mri_drawn.npy", folder / "pet_drawn.npy")
    method = fusion.load_method(UNEVEN[1], "cpu")
    guidance, fused = fusion.guidance(method, pair), fusion.fuse(method, pair)
    found = {ranges: rgb_bytes(fusion.guidance_rgb(guidance, fused, ranges)) for ranges in ("own", "common")}
    assert np.abs(found["own"].astype(int) - found["common"]).max() > 20
    return {ranges: picture.astype(np.int64) for ranges, picture in found.items()}


def require_mixed(page: Page, expected: NDArray[np.int64]) -> None:
    shown = page.evaluate(GRAPH_RGB)
    picture = Image.open(io.BytesIO(base64.b64decode(shown["whole"].split(",")[1]))).convert("RGB")
    assert np.abs(np.asarray(picture, dtype=np.int64) - expected).max() <= 1
    zoom = cut_out(expected, (shown["row"], shown["col"]), shown["half"])
    assert np.abs(np.array(shown["zoom"])[..., :3] - zoom).max() <= 1


def test_the_table_mixes_the_same_colours(open_page: Opener, server: Server) -> None:
    expected = mixed(server)
    query = "compare?{}&methods={}&columns=guidance_rgb&rgb=common".format(*UNEVEN)
    page = open_page(query, settled=False, ready=KNOWN)
    page.click(".head-menu > summary")
    for ranges in ("common", "own"):
        page.wait_for_function("(ranges) => fusevis.compare.state.display.rgb === ranges", arg=ranges)

        def check(wanted: NDArray[np.int64] = expected[ranges]) -> None:
            shown = np.array(page.evaluate(TABLE_RGB)).reshape(*wanted.shape[:2], 4)
            assert np.abs(shown[..., :3] - wanted).max() <= 1

        eventually(page, check)
        page.uncheck("#rgb-common")


def test_negative_gradients_show_on_the_signed_scale(page: Page) -> None:
    page.select_option("#colour-scale", "signed")
    page.wait_for_function("() => fusevis.state.display.scale === 'signed'")
    wait_until_settled(page)
    values, _ = painted_window(page)
    assert values.min() < 0
    colours = page.evaluate(
        """([low, high]) => { const paint = fusevis.colours.gradientPainter("signed", 0.3, 1);
            return [paint(low) >>> 0, paint(high) >>> 0, paint(0) >>> 0]; }""",
        [-1.0, 1.0],
    )
    assert len(set(colours)) == 3
    page.select_option("#colour-scale", "paper")


def test_zoom_half_width(page: Page) -> None:
    assert heatmap(page, "panel-fused-zoom")[0].shape == (25, 25)
    set_half_width(page, 5)
    assert heatmap(page, "panel-fused-zoom")[0].shape == (11, 11)
    page.check("#zoom-follows-support")
    page.wait_for_function("() => fusevis.state.display.half === 12")
    wait_until_settled(page)
    assert heatmap(page, "panel-jacobian-pet-zoom")[0].shape == (25, 25), "as wide as DeepFuse's support"
    page.uncheck("#zoom-follows-support")
    set_half_width(page, HALF)


def test_exporting_a_picture(page: Page) -> None:
    with page.expect_download() as download:
        page.hover('section[data-panel="panel-jacobian-mri"]')
        page.click('section[data-panel="panel-jacobian-mri"] .panel-export')
    assert download.value.suggested_filename == "own-deepfuse-panel-jacobian-mri-20-20.png"
    assert (download.value.path()).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_nothing_is_fetched_from_elsewhere(open_page: Opener, server: Server) -> None:
    asked: list[str] = []
    open_page(
        "?method=weighted_averaging",
        settled=False,
        prepare=lambda page: page.on("request", lambda request: asked.append(request.url)),
    )
    assert len(asked) > 20, "all that the page asks for is seen"
    assert [url for url in asked if not url.startswith((server.url, "data:", "blob:"))] == []


def test_zooms_fill_their_frames_whatever_they_showed_before(page: Page) -> None:
    for half in (6, 3, 20, HALF):
        set_half_width(page, half)
        ranges = page.evaluate(
            """() => fusevis.graphs.ZOOMS.map((panel) => fusevis.graphs.graph(panel)._fullLayout)
                .map(({ xaxis, yaxis }) => [...xaxis.range, ...yaxis.range])"""
        )
        edge = half + 0.5
        np.testing.assert_allclose(ranges, [[-edge, edge, edge, -edge]] * len(ranges))


# The last two show other links.
def test_guidance_rgb_has_one_range_where_that_is_asked_for(share_page: Opener, server: Server) -> None:
    expected = mixed(server)
    page = share_page("?{}&method={}".format(*UNEVEN))
    page.click(".head-menu > summary")
    page.check("#rgb-common")
    eventually(page, lambda: require_mixed(page, expected["common"]))
    page.wait_for_function("() => location.search.includes('rgb=common')")
    page.uncheck("#rgb-common")
    eventually(page, lambda: require_mixed(page, expected["own"]))
    page.wait_for_function("() => !location.search.includes('rgb=')")


def test_method_and_pair_switches(share_page: Opener, server: Server) -> None:
    page = share_page(f"?pair={server.pair}&method=weighted_averaging&pixel=13,17")
    pair = fusion.load_pair(*server.pair_paths)
    page.select_option("#method-select", "masknet")
    page.wait_for_function("() => fusevis.state.scene.method_id === 'masknet' && fusevis.state.window")
    wait_until_settled(page)
    values, window = painted_window(page)
    assert (window["row"], window["col"]) == (13, 17)
    expected = fusion.jacobian(fusion.load_method("masknet", "cpu"), pair, (13, 17))
    np.testing.assert_allclose(values, expected.values, rtol=1e-4, atol=1e-6)
    assert "MaskNet" in (page.locator("#panel-fused .gtitle").text_content() or "")
    page.select_option("#method-select", "weighted_averaging_true")
    page.wait_for_function("() => fusevis.state.scene.method_id === 'weighted_averaging_true'")
    assert "defined as 0.5" in (page.locator("#method-note").text_content() or "")
    page.select_option("#pair-select", "drawn")
    page.wait_for_function("() => fusevis.state.scene.pair_address === 'drawn' && fusevis.state.window")
    wait_until_settled(page)
    assert not page.evaluate("() => fusevis.state.pinned")
    point_at(page, "panel-mri", 5, 7)

"""Guidance images that grow, can be cancelled, and are found again."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.ids import Id
from app.layout.parts import POLL_MILLISECONDS
from fusion.colours import Limits, Scale, gradient_colours, guidance_rgb, rgb_bytes
from tests.browser.conftest import Known, Opener, Server, wait_until_settled


def test_the_compare_page_cancels_all_guidance_and_goes_on(open_page: Opener) -> None:
    ready = """() => window.fusevis && fusevis.compare && fusevis.compare.state
        && Object.values(fusevis.compare.state.progress).some(({ stage }) => stage === "running")"""
    query = "compare?pair=healthy-t2&methods=deep_pedestrian,funfusean"
    page = open_page(query, settled=False, ready=ready)
    button = page.locator("#compare-guidance")
    stages = """() => Object.values(fusevis.compare.state.progress).map(({ stage }) => stage)"""

    def wait_for(words: str, *wanted: str) -> None:
        page.wait_for_function(
            f"""([words, wanted]) => document.getElementById("compare-guidance").textContent === words
                && ({stages})().join() === wanted""",
            arg=[words, ",".join(wanted)],
        )

    assert button.inner_text() == "Cancel guidance" and button.is_enabled()
    button.click()
    wait_for("Compute guidance", "cancelled", "cancelled")
    page.wait_for_timeout(1000)
    assert page.evaluate(stages) == ["cancelled"] * 2, "no poll starts them again"
    button.click()
    wait_for("Cancel guidance", "running", "waiting")
    button.click()
    wait_for("Compute guidance", "cancelled", "cancelled")


def test_finished_guidance_is_remembered(open_page: Opener, server: Server, known: Known) -> None:
    known(server.pair, "masknet")
    page = open_page(f"?pair={server.pair}&method=masknet", settled=False)
    page.wait_for_function("() => fusevis.state.limits && !fusevis.state.limits.provisional")
    assert page.locator("#guidance-status").inner_text() == "Guidance complete"
    assert page.locator("#guidance-button").is_disabled()
    wait_until_settled(page)


GUIDANCE_PANELS = ("panel-guidance-mri", "panel-guidance-pet", "panel-guidance-rgb", "panel-scatter")
COUNT_DRAWINGS = """(panels) => {
  window.drawings = Object.fromEntries(panels.map((panel) => [panel, 0]));
  panels.forEach((panel) => fusevis.graphs.graph(panel).on("plotly_afterplot", () => { window.drawings[panel] += 1; }));
}"""
NOTE_GROWTH = """(panels) => {
  const { state, graphs, overlays } = fusevis;
  // As text: a list of a million numbers takes longer than all that is tested here.
  const text = (values) => {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    let letters = "";
    for (let at = 0; at < bytes.length; at += 4096) letters += String.fromCharCode(...bytes.subarray(at, at + 4096));
    return btoa(letters);
  };
  const image = (panel) => text(Float32Array.from(graphs.image(panel).rows.flatMap((row) => Array.from(row))));
  const pixels = (panel) => {
    const { canvas, context } = overlays.overlay(panel);
    const { width, height } = canvas;
    return { width, height, visible: getComputedStyle(canvas).visibility === "visible",
      bytes: text(context.getImageData(0, 0, width, height).data) };
  };
  const note = () => ({
    limits: { ...state.limits }, known: text(Float32Array.from(state.grown.points.values)),
    values: ["panel-guidance-mri", "panel-guidance-pet", "panel-fused"].map(image),
    pictures: panels.map(pixels),
  });
  const drawings = Object.fromEntries(panels.map((panel) => [panel, 0]));
  const growth = window.growth = { first: null, revisions: new Set(), drawings };
  panels.forEach((panel) => graphs.graph(panel).on("plotly_afterplot", () => {
    if (growth.first && state.isGrowing()) drawings[panel] += 1;
  }));
  const look = () => {
    // News come before the pictures: only of the same revision are the pictures painted with these limits.
    const painted = state.isGrowing() && state.grown?.revision === state.limits.revision;
    if (painted && state.limits.fraction > 0 && panels.every(graphs.grows)) {
      growth.first ??= note();
      growth.revisions.add(state.grown.revision);
    }
    if (growth.revisions.size < 3 && (!state.limits || state.limits.provisional)) requestAnimationFrame(look);
    else growth.ended = true;
  };
  look();
}"""


def painted(picture: dict[str, Any]) -> NDArray[np.int64]:
    assert picture["visible"]
    found = np.frombuffer(base64.b64decode(picture["bytes"]), dtype=np.uint8)
    return found.reshape(picture["height"], picture["width"], 4).astype(np.int64)


def image(text: str) -> NDArray[np.float32]:
    """Decode an image of the sample, (256, 256)."""
    return np.frombuffer(base64.b64decode(text), dtype=np.float32).reshape(256, 256)


def test_growing_pictures_have_the_right_colours_and_plotly_draws_nothing(open_page: Opener) -> None:
    query = "?pair=glioma-t2&method=deep_pedestrian&gamma2=0.7&scale=signed"
    page = open_page(query, settled=False)
    page.wait_for_function("(panels) => panels.every(fusevis.graphs.graph)", arg=list(GUIDANCE_PANELS))
    page.evaluate(NOTE_GROWTH, list(GUIDANCE_PANELS))
    page.wait_for_function("() => window.growth.ended")
    grown = page.evaluate("() => window.growth.first")
    assert grown is not None, "this test needs a computation that takes longer"
    first, second, fused = map(image, grown["values"])
    assert np.isfinite(first).all(), "growing pictures have no gaps"
    there = np.isfinite(np.frombuffer(base64.b64decode(grown["known"]), dtype=np.float32)).reshape(2, -1)
    assert 0 < there[0].sum() < there[0].size
    end = Limits(**{name: grown["limits"][name] for name in ("maximum", "magnitude", "percentile")}).end(
        Scale.SIGNED
    )
    for values, picture in zip((first, second), grown["pictures"], strict=False):
        expected = gradient_colours(values, Scale.SIGNED, end, 0.7).astype(int)
        difference = np.abs(painted(picture)[..., :3] - expected).max(axis=-1)
        assert difference.max() <= 1
    mixed = rgb_bytes(guidance_rgb(np.stack([first, second]), fused)).astype(int)
    assert np.abs(painted(grown["pictures"][2])[..., :3] - mixed).max() <= 1
    points = painted(grown["pictures"][3])
    ground = (points[..., :3] == [247, 248, 250]).all(axis=-1)
    assert (points[..., 3] == 255).all() and 0 < (~ground).sum() < ground.size / 2
    assert page.evaluate("() => window.growth.revisions.size") >= 3, "this test needs a longer computation"
    assert page.evaluate("() => window.growth.drawings") == dict.fromkeys(GUIDANCE_PANELS, 0)
    page.click("#guidance-button")


def test_plotly_draws_guidance_once_when_it_is_complete(share_page: Opener, server: Server) -> None:
    page = share_page(f"?pair={server.pair}&method=weighted_averaging")
    page.evaluate(COUNT_DRAWINGS, list(GUIDANCE_PANELS))
    page.select_option("#method-select", "funfusean_sum")
    page.wait_for_function("() => fusevis.state.scene.method_id === 'funfusean_sum'")
    page.wait_for_function("() => fusevis.state.limits && !fusevis.state.limits.provisional", timeout=300_000)
    wait_until_settled(page)
    drawings = page.evaluate("() => window.drawings")
    # Empty axes before, if it was not known yet; the scatterplot gets its green points after its figure.
    assert all(1 <= drawings[panel] <= 2 for panel in GUIDANCE_PANELS[:3]), drawings
    assert 2 <= drawings["panel-scatter"] <= 4, drawings
    assert page.evaluate("() => fusevis.state.grown") is None


SLOW = """(milliseconds) => {
  const real = window.fetch;
  window.fetch = async (address, options) => {
    const answer = await real(address, options);
    if (String(options?.body).includes("panel-guidance-mri.figure")) {
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
    }
    return answer;
  };
}"""


def test_guidance_images_come_over_a_connection_slower_than_the_poll(
    share_page: Opener, server: Server
) -> None:
    page = share_page(f"?pair={server.pair}&method=weighted_averaging")
    page.evaluate(SLOW, 2 * POLL_MILLISECONDS[Id.GUIDANCE_POLL])
    page.select_option("#pair-select", "healthy-t1")
    page.wait_for_function("() => fusevis.state.scene.pair_address === 'healthy-t1' && fusevis.state.window")
    wait_until_settled(page)

"""Hovering shows exactly what `fusion` gives."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import expect

import fusion
from app.figures.images import cut_out
from fusion.colours import Scale, gradient_colours
from tests.browser.conftest import Opener, Server, wait_until_settled
from tests.browser.pictures import (
    box_pixels,
    green_points,
    heatmap,
    painted_window,
    place,
    point_at,
    readout,
    wait_for_pixel,
)

HALF = 12


def test_everything_follows_the_pointer(share_page: Opener, server: Server) -> None:
    method_id = "deepfuse"  # one for all: the page gets windows, whatever network they are of
    pair = fusion.load_pair(*server.pair_paths)
    method = fusion.load_method(method_id, "cpu")
    page = share_page(f"?pair={server.pair}&method={method_id}")
    for panel, row, col in (("panel-fused", 20, 33), ("panel-guidance-rgb", 2, 57), ("panel-mri", 47, 0)):
        point_at(page, panel, row, col)
        expected = fusion.jacobian(method, pair, (row, col))
        values, window = painted_window(page)
        assert (window["top"], window["left"]) == (expected.top, expected.left)
        np.testing.assert_allclose(values, expected.values, rtol=1e-4, atol=1e-6)
        assert set(map(tuple, box_pixels(page).values())) == {(row, col)}
        fields = readout(page)
        assert (int(fields["row"]), int(fields["col"])) == (row, col)
        fused = fusion.fuse(method, pair)
        for name, value in (
            ("x1", pair.images[0, row, col]),
            ("x2", pair.images[1, row, col]),
            ("y", fused[row, col]),
            ("g1", expected.at_principal[0]),
            ("g2", expected.at_principal[1]),
        ):
            assert float(fields[name]) == pytest.approx(float(value), abs=6e-5, rel=1e-3), name
        neighbour = expected.strongest_neighbour()
        if neighbour is None:
            assert fields["neighbour"] == "none"
        else:
            assert f"({neighbour[1]}, {neighbour[2]})" in fields["neighbour"]
    wait_until_settled(page)
    guidance = fusion.guidance(method, pair)
    dense = expected.dense()
    for index, name in enumerate(("mri", "pet")):
        z, _ = heatmap(page, f"panel-jacobian-{name}")
        np.testing.assert_allclose(z, dense[index], rtol=1e-4, atol=1e-6)
        for source, image in (
            ("jacobian-", dense[index]),
            ("guidance-", guidance[index]),
            ("", pair.images[index]),
        ):
            zoom, _ = heatmap(page, f"panel-{source}{name}-zoom")
            np.testing.assert_allclose(zoom, cut_out(image, (row, col), HALF), rtol=1e-3, atol=1e-5)
        whole, _ = heatmap(page, f"panel-guidance-{name}")
        np.testing.assert_allclose(whole, guidance[index], rtol=1e-3, atol=1e-5)
    inside = np.stack([cut_out(image, (row, col), HALF).ravel() for image in guidance], axis=-1)
    inside = inside[np.isfinite(inside).all(axis=-1)]
    np.testing.assert_allclose(green_points(page), inside, rtol=1e-3, atol=1e-5)


def test_painted_colours_are_the_colours_of_the_values(share_page: Opener, server: Server) -> None:
    """The canvas over the Jacobian panel has the colour of each value, and the gray of what is out of reach."""
    page = share_page(f"?pair={server.pair}&method=deepfuse")
    point_at(page, "panel-fused", 24, 31)
    picture = np.array(
        page.evaluate(
            """() => {
              const { canvas, context } = fusevis.overlays.overlay("panel-jacobian-mri");
              return Array.from(context.getImageData(0, 0, canvas.width, canvas.height).data);
            }"""
        )
    ).reshape(48, 60, 4)
    values, window = painted_window(page)
    end = page.evaluate("() => fusevis.state.jacobianEnd()")
    assert (picture[:, :, 3] == 255).all()
    outside = picture[:, : window["left"], :3]
    assert (outside == [178, 182, 189]).all()
    expected = gradient_colours(values[0], Scale.PAPER, end, 0.3).astype(int)
    top, left = window["top"], window["left"]
    painted = picture[top : top + window["height"], left : left + window["width"], :3]
    assert np.abs(painted - expected).max() <= 2


def test_pixels_are_right_at_the_corners_of_every_pointer_panel(share_page: Opener, server: Server) -> None:
    page = share_page(f"?pair={server.pair}&method=deepfuse")
    for panel in (
        "panel-mri",
        "panel-pet",
        "panel-fused",
        "panel-guidance-mri",
        "panel-guidance-pet",
        "panel-guidance-rgb",
    ):
        for row, col in ((0, 0), (47, 59), (0, 59), (47, 0), (23, 30)):
            point_at(page, panel, row, col)
    # A Jacobian image is a result, not a place to point at.
    point_at(page, "panel-fused", 10, 10)
    x, y = page.evaluate(
        """() => { const r = document.getElementById("panel-jacobian-mri").getBoundingClientRect();
                   return [r.left + r.width / 2, r.top + r.height / 2]; }"""
    )
    page.mouse.move(x, y)
    page.wait_for_timeout(200)
    assert page.evaluate("() => [fusevis.state.pixel.row, fusevis.state.pixel.col]") == [10, 10]


def test_every_painted_update_is_measured(share_page: Opener, server: Server) -> None:
    page = share_page(f"?pair={server.pair}&method=deepfuse")
    before = page.evaluate("() => performance.getEntriesByName('hover-to-paint').length")
    for col in range(10, 20):
        point_at(page, "panel-fused", 15, col)
    # A pixel that the pointer passes may be painted as well.
    page.wait_for_function(
        """(before) => {
          const entries = performance.getEntriesByName("hover-to-paint");
          return entries.length >= before + 10 && entries.at(-1).detail.col === 19;
        }""",
        arg=before,
    )
    entries = page.evaluate(
        "() => performance.getEntriesByName('hover-to-paint').map((e) => ({ ...e.detail, duration: e.duration }))"
    )
    assert entries[-1]["row"] == 15 and entries[-1]["col"] == 19
    assert all(entry["duration"] > 0 for entry in entries)


OVERLAPS = """() => {
  const sent = performance.getEntriesByType("resource").filter(({ name }) => /\\/jacobian\\//.test(name));
  return [sent.length, sent.filter(({ startTime }, at) => at && startTime < sent[at - 1].responseEnd).length];
}"""


def test_one_request_in_flight_and_the_newest_wins(share_page: Opener, server: Server) -> None:
    page = share_page(f"?pair={server.pair}&method=deepfuse")
    start, end = place(page, "panel-fused", 5, 5), place(page, "panel-fused", 40, 50)
    page.evaluate("() => performance.clearResourceTimings()")
    page.mouse.move(*start)
    page.mouse.move(*end, steps=60)
    wait_for_pixel(page, 40, 50)
    sent, overlapping = page.evaluate(OVERLAPS)
    assert sent and overlapping == 0


def test_a_pixel_at_rest_says_how_far_its_derivative_reaches(share_page: Opener, server: Server) -> None:
    """Where it is less than two levels the Jacobian image is marked, until the pixel moves on."""
    pair, method = fusion.load_pair(*server.pair_paths), fusion.load_method("weighted_averaging", "cpu")
    page = share_page(f"?pair={server.pair}&method=weighted_averaging")
    field = page.locator("#pixel-readout [data-field=reach]")
    marks = [
        page.locator(f"section[data-panel=panel-jacobian-{name}-zoom] .reach-mark") for name in ("mri", "pet")
    ]
    # The pair is drawn afresh at every run. With its weights held constant the derivative is right where both inputs
    # are equally bright, and has the wrong sign for one of them where they differ most.
    bright, unlike = np.argmax(pair.images.min(axis=0)), np.argmax(np.abs(pair.images[0] - pair.images[1]))
    for where, short in ((bright, False), (unlike, True)):
        row, col = (int(side) for side in np.unravel_index(where, pair.shape))
        point_at(page, "panel-fused", row, col)
        found = fusion.reach_of_linearity(method, pair, (row, col))
        levels = [min(both) for both in zip(found.own_pixel, found.whole_support, strict=True)]
        assert (min(levels) < 2) == short
        words = [f"±{level}{' or more' if level == 64 else ''}" for level in levels]
        expect(field).to_have_text(re.compile(rf"^{words[0]} MRI, {words[1]} PET levels"))
        for mark, level in zip(marks, levels, strict=True):
            expect(mark).to_be_visible(visible=level < 2)

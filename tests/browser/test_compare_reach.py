"""How far derivatives reach, on the compare page: at both pixels, in numbers and as a mark on Jacobian images."""

from __future__ import annotations

import re

import numpy as np
from playwright.sync_api import expect

import fusion
from tests.browser.conftest import Opener, Server

METHOD = "weighted_averaging"
MARKED = """(letter) => {
  const canvas = document.querySelector(".compare-canvas");
  const density = canvas.width / canvas.getBoundingClientRect().width;
  const { state, table } = fusevis.compare;
  const point = letter === "A" ? state.a : state.b;
  return table.shown().pictures.filter((one) => one.kind === "jacobian" && one.point === point).map(({ area }) => {
    const [x, y] = [area.left + area.width - 2, area.top + area.height - 2];
    const copy = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    copy.drawImage(canvas, Math.floor(x * density), Math.floor(y * density), 1, 1, 0, 0, 1, 1);
    const { data } = copy.getImageData(0, 0, 1, 1);
    return Math.abs(data[0] - 255) + Math.abs(data[1] - 193) + Math.abs(data[2] - 7) < 24;
  });
}"""
"""Whether the corner of each Jacobian image of a pixel has the mark's colour."""


def test_two_pixels_at_rest_say_how_far_their_derivatives_reach(open_page: Opener, server: Server) -> None:
    pair, method = fusion.load_pair(*server.pair_paths), fusion.load_method(METHOD, "cpu")
    # As in `test_hover.py`: with weights held constant the derivative is right where both inputs are equally bright,
    # and has the wrong sign for one of them where they differ most.
    places = np.argmax(pair.images.min(axis=0)), np.argmax(np.abs(pair.images[0] - pair.images[1]))
    (row, col), (other_row, other_col) = pixels = [
        (int(at) // pair.shape[1], int(at) % pair.shape[1]) for at in places
    ]
    page = open_page(
        f"compare?pair={server.pair}&methods={METHOD}&columns=jacobian_mri_zoom,jacobian_pet_zoom&pixel={row},{col}"
        f"&pin={other_row},{other_col}",
        settled=False,
        ready="() => window.fusevis?.compare?.table?.shown()",
    )
    for letter, pixel in zip("AB", pixels, strict=True):
        found = fusion.reach_of_linearity(method, pair, pixel)
        levels = [min(both) for both in zip(found.own_pixel, found.whole_support, strict=True)]
        words = [f"±{level}{' or more' if level == 64 else ''}" for level in levels]
        line = page.locator(f"[data-method={METHOD}] .compare-line[data-point={letter}] [data-field=reach]")
        expect(line).to_have_text(re.compile(rf"linear to {words[0]} MRI, {words[1]} PET levels"))
        short = [level < 2 for level in levels]
        assert any(short) == (letter == "B")
        page.wait_for_function(
            f"([letter, short]) => ({MARKED})(letter).join() === short.join()", arg=[letter, short]
        )

"""Notes and marks of pixels near the pole of FunFuseAn's rule, on both pages, against the API."""

from __future__ import annotations

import re

import numpy as np
from playwright.sync_api import expect

import fusion
from tests.browser.conftest import Opener, Server

MARKED = """() => {
  const canvas = document.querySelector(".pole-canvas");
  if (!canvas) return 0;
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.filter((value, at) => at % 4 === 3 && value).length / (canvas.width * canvas.height);
}"""


def places(server: Server) -> tuple[tuple[int, int], tuple[int, int], float]:
    """Return a pixel near the pole, one that is not, and the share of those that are."""
    found = fusion.near_pole(fusion.load_method("funfusean"), fusion.load_pair(*server.pair_paths))
    near, far = np.argwhere(found > 0), np.argwhere(found == 0)
    return tuple(near[0]), tuple(far[0]), float((found > 0).mean())


def test_a_note_and_marks_on_request(open_page: Opener, server: Server) -> None:
    near, _, share = places(server)
    page = open_page("?pair={}&method=funfusean&pixel={},{}&v=3".format(server.pair, *near), settled=False)
    expect(page.locator(".readout-warning")).to_contain_text("of the rule’s pole")
    button = page.locator(".panel-pole")
    expect(button).to_have_attribute("aria-pressed", "false")
    button.click()
    page.wait_for_function(f"(share) => Math.abs(({MARKED})() - share) < 0.02", arg=share)
    page.wait_for_function("() => location.search.includes('pole=1')")
    button.click()
    page.wait_for_function(
        "() => !document.querySelector('.pole-canvas') && !location.search.includes('pole')"
    )


def test_the_table_says_so_too(open_page: Opener, server: Server) -> None:
    near, far, _ = places(server)
    page = open_page(
        "compare?pair={}&methods=funfusean,plain_mean&columns=fused&pixel={},{}&pin={},{}&pole=1&v=3".format(
            server.pair, *near, *far
        ),
        settled=False,
        ready="() => window.fusevis",
    )
    notes = page.locator(".compare-part[data-field=warning]").filter(has_text="of the rule’s pole")
    expect(notes).to_have_count(1)
    expect(page.locator("#compare-pole")).to_have_attribute("aria-pressed", re.compile("true"))

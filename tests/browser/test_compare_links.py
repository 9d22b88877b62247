"""Links to the compare page that anybody may have written: the page works, and each ignored value is named."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Opener, Server
from tests.browser.test_compare_page import SETTLED, place, wait_for_pixel

TOLD = "() => document.querySelector('.toast .notice-list')"
READY = "() => window.fusevis && fusevis.compare && document.querySelector('.toast')"
SCRIPT = "<script>window.hurt=1</script>"
PICTURE = "<img src=x onerror=window.hurt=1>"

MALFORMED = {
    "columns": f"fused,{PICTURE}", "difference": "deepfuse,deepfuse", "gamma1": "nan", "gamma2": "9",
    "numbers": "many", "pin": "1,2,3", "pixel": "-1,zero", "regions": "half~a~region", "scale": "rainbow",
    "shared": "perhaps", "size": "huge", "v": "0", "weights": "../..", "zoom": "0", "tilt": "1", PICTURE: SCRIPT,
}  # fmt: skip
UNFIT = {
    "methods": "weighted_averaging,none_such", "difference": "weighted_averaging,neither", "pixel": "48,0",
    "pin": "0,60", "regions": "far~e69f00~b0.0.99.99", "weights": "00000000",
}  # fmt: skip


def query(values: dict[str, str]) -> str:
    return "compare?" + "&".join(f"{quote(key)}={quote(value)}" for key, value in values.items())


def notices(page: Page) -> str:
    return "\n".join(page.locator(".toast").all_inner_texts())


def require_working(page: Page) -> None:
    """Point at a pixel: the page answers, and nothing of the link was run."""
    page.mouse.move(*place(page, 20, 33))
    wait_for_pixel(page, 20, 33)
    assert page.evaluate("() => window.hurt === undefined")
    assert page.locator(".notices img, .notices script").count() == 0


def test_malformed_values_are_named_and_harmless(open_page: Opener, server: Server) -> None:
    link = query({"pair": server.pair, "methods": "weighted_averaging", **MALFORMED})
    page = open_page(link, settled=False, ready=SETTLED)
    page.wait_for_selector(".toast")
    told = notices(page)
    for key, value in MALFORMED.items():
        named = {"columns": PICTURE, "regions": value, "tilt": key, PICTURE: PICTURE}.get(
            key, f"{key}={value}"
        )
        assert named in told, key
    assert page.locator(".toast").count() == 1, "one list, which leaves the page free"
    assert page.locator(".toast li").count() == len(MALFORMED), told
    require_working(page)
    page.wait_for_function("() => !location.search.includes('tilt=')")
    left = page.evaluate("() => [...new URLSearchParams(location.search).keys()]")
    assert left == ["air", "columns", "gray", "methods", "pair", "scale", "v", "weights"], (
        "the address has what is shown"
    )


@pytest.mark.parametrize("address", ["compare", ""])
def test_very_many_mistakes_leave_the_page_free(open_page: Opener, server: Server, address: str) -> None:
    wrong = "".join(f"&mistake{number}=1" for number in range(45))
    page = open_page(f"{address}?pair={server.pair}{wrong}", settled=False, ready=TOLD)
    (told,) = page.locator(".toast").all_inner_texts()
    assert "45 parts" in told and "mistake0" in told and "mistake29" in told and "and 15 more" in told
    box = page.locator(".toast").bounding_box()
    button = page.locator("#copy-link").bounding_box()
    assert box and box["height"] < 450, "it scrolls"
    assert button and box["y"] > button["y"] + button["height"], "the buttons above are free"
    page.locator(".notice-list").focus()
    page.keyboard.press("End")
    page.wait_for_function("() => document.querySelector('.notice-list').scrollTop > 100")
    page.locator(".toast .btn-close").click()
    page.wait_for_selector(".toast", state="detached")


def test_what_this_server_does_not_have_is_named(open_page: Opener, server: Server) -> None:
    page = open_page(query({"pair": server.pair, **UNFIT}), settled=False, ready=SETTLED)
    page.wait_for_selector(".toast")
    told = notices(page)
    named = ("none_such", "neither", "pixel 48,0", "pin 0,60", "“far”", "(00000000)")
    assert all(text in told for text in named), told
    require_working(page)
    assert page.evaluate("() => [...document.querySelectorAll('[data-method]')].map((row) => row.dataset.method)") == [
        "weighted_averaging"
    ]  # fmt: skip


def test_a_link_to_nothing_says_so(open_page: Opener, server: Server) -> None:
    page = open_page(query({"pair": SCRIPT, "methods": ""}), settled=False, ready=READY)
    assert SCRIPT in notices(page) and "first sample" in notices(page)
    assert "No method is chosen" in page.inner_text(".compare-empty")
    parts = {f"part{number}": "%ff%00" for number in range(60)}
    page = open_page(query({**parts, "methods": ""}), settled=False, ready=READY)
    assert "too many parts" in notices(page)

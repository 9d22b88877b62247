"""Answers that come late, or that belong to another scene or pair: what is shown belongs to what was asked for last.

Catches by hand-made faults, on both pages: an older answer that takes a newer one's place, an answer for another method
or pair that is accepted, a late figure of Dash's, late images of the compare page.
"""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests import drawn_pairs as drawn
from tests.browser.conftest import Opener, wait_until_settled
from tests.browser.pictures import readout
from tests.browser.seen import (
    DASH,
    Held,
    cells,
    eventually,
    pictures,
    plot,
    point,
    require_colours,
    screen,
    table,
)
from tests.browser.test_compare_page import NUMBERS
from tests.browser.test_compare_page import SETTLED as COMPARE_SETTLED

CONSTANT, TRUE = "weighted_averaging", "weighted_averaging_true"
EXPLORE = f"?pair=drawn&method={CONSTANT}&gamma1=1&gamma2=1&zoom=2"
COMPARE = f"compare?pair=drawn&methods={CONSTANT}&columns=guidance_rgb,jacobian_mri&gamma1=1&gamma2=1&zoom=2"
A, B = (4, 6), (1, 1)
"""The pixel whose answer comes late, and the one that is asked for after it."""
OTHER = (4, 1)
"""One that no other test of the table has asked for."""

Pixel = tuple[int, int]


def guidance(address: str, method: str) -> np.ndarray:
    """Return both guidance images by hand: the weights w, or with their derivative too 1 − 2·(the other w)²."""
    weights = drawn.images(address)
    return weights if method == CONSTANT else 1 - 2 * weights[::-1] ** 2


def numbers_at(address: str, method: str, pixel: Pixel) -> dict[str, float]:
    first, second = drawn.images(address)[:, *pixel]
    one, other = guidance(address, method)[:, *pixel]
    return {"x1": first, "x2": second, "y": drawn.fused(address)[pixel], "g1": one, "g2": other}


def number(text: str) -> float:
    return float(text.replace("−", "-"))


def move(page: Page, pixel: Pixel) -> None:
    """Move the pointer of the explore page onto a pixel of the fused image."""
    rows, columns = drawn.SHAPE
    page.mouse.move(*point(page, "panel-fused", (pixel[1] + 0.5) / columns, (pixel[0] + 0.5) / rows))


def require_readout(page: Page, address: str, method: str, pixel: Pixel) -> None:
    """Wait for the readout of a pixel, and compare every number of it."""
    field = page.locator("#pixel-readout [data-field=row]")
    expect(field).to_have_text(str(pixel[0]))
    expect(page.locator("#pixel-readout [data-field=col]")).to_have_text(str(pixel[1]))
    fields = readout(page)
    told = {name: number(fields[name]) for name in ("x1", "x2", "y", "g1", "g2")}
    assert told == pytest.approx(numbers_at(address, method, pixel), abs=6e-5)


def require_panels(page: Page, address: str, method: str, pixel: Pixel) -> None:
    """Compare pictures with those of this pair, method and pixel, in Viridis without gamma."""
    image = screen(page)
    whole = guidance(address, method)
    for index, name in enumerate(("mri", "pet")):
        guides = drawn.gradient_colours(np.clip(whole[index], 0, 1), 1)
        jacobian = np.full_like(guides, drawn.OUTSIDE)
        jacobian[pixel] = guides[pixel]
        for panel, expected in ((f"guidance-{name}", guides), (f"jacobian-{name}", jacobian)):
            for shown, part in ((panel, expected), (f"{panel}-zoom", drawn.cut(expected, pixel, 2))):
                require_colours(
                    cells(image, plot(page, f"panel-{shown}"), part.shape), part, f"panel {shown}"
                )
        gray = drawn.gray(drawn.images(address)[index])
        require_colours(cells(image, plot(page, f"panel-{name}"), gray.shape), gray, f"panel {name}")


@pytest.fixture
def page(share_page: Opener) -> Page:
    """Return the explore page, which has this pair and method at the end of each test too."""
    return share_page(EXPLORE, height=1700)


def put_back(page: Page, menu: str, choice: str) -> None:
    page.select_option(menu, choice)
    page.wait_for_function("(choice) => location.search.includes(`=${choice}&`)", arg=choice)
    wait_until_settled(page)


def test_an_older_pixel_never_takes_a_newer_ones_place(page: Page) -> None:
    move(page, B)
    require_readout(page, "drawn", CONSTANT, B)
    held = Held(page, "**/jacobian/**")
    move(page, A)
    held.wait()
    move(page, B)  # which the browser remembers
    held.release_first()
    require_readout(page, "drawn", CONSTANT, B)
    held.release()
    wait_until_settled(page)
    require_readout(page, "drawn", CONSTANT, B)
    require_panels(page, "drawn", CONSTANT, B)


@pytest.mark.parametrize(
    ("menu", "choice", "before", "address", "method", "asked"),
    [
        ("#method-select", TRUE, CONSTANT, "drawn", TRUE, (3, 6)),
        ("#pair-select", "redrawn", "drawn", "redrawn", CONSTANT, (2, 6)),
    ],
    ids=["method", "pair"],
)
def test_a_window_of_another_scene_is_never_shown(
    page: Page, menu: str, choice: str, before: str, address: str, method: str, asked: Pixel
) -> None:
    move(page, B)
    require_readout(page, "drawn", CONSTANT, B)
    held = Held(page, "**/jacobian/**")
    move(page, asked)  # a pixel that no other test has asked for
    held.wait()
    page.mouse.move(5, 5)
    page.select_option(menu, choice)
    page.wait_for_function("(choice) => location.search.includes(`=${choice}&`)", arg=choice)
    page.wait_for_timeout(300)
    shown = readout(page)
    held.release_first()
    held.wait()  # the new scene's own window, which nobody has yet
    assert readout(page)["g1"] == shown["g1"], "the old scene's number is not shown as the new one's"
    held.release()
    wait_until_settled(page)
    fields = readout(page)
    pixel = int(fields["row"]), int(fields["col"])
    require_readout(page, address, method, pixel)
    require_panels(page, address, method, pixel)
    put_back(page, menu, before)


def test_figures_of_an_older_choice_are_dropped(page: Page) -> None:
    """Three answers of Dash's come in the wrong order: of the last choice first."""
    page.mouse.move(5, 5)
    held = Held(page, DASH)
    page.select_option("#pair-select", "redrawn")
    held.wait()
    sent = len(held.routes)
    page.select_option("#method-select", TRUE)
    held.wait(sent + 1)
    older, held.routes[:] = held.routes[:sent], held.routes[sent:]
    held.release()
    page.wait_for_function(
        "() => location.search.includes('pair=redrawn') && location.search.includes('_true')"
    )
    for route in older:
        route.continue_()
    wait_until_settled(page)
    page.wait_for_timeout(500)
    fields = readout(page)
    pixel = int(fields["row"]), int(fields["col"])
    require_readout(page, "redrawn", TRUE, pixel)
    require_panels(page, "redrawn", TRUE, pixel)
    put_back(page, "#pair-select", "drawn")
    put_back(page, "#method-select", CONSTANT)


def compare_place(page: Page, pixel: Pixel) -> tuple[float, float]:
    """Return where a pixel of guidance RGB is on the screen."""
    rows, columns = drawn.SHAPE
    box = page.locator(".compare-canvas").bounding_box()
    assert box
    x, y = pictures(table(page))[0].at((pixel[1] + 0.5) / columns, (pixel[0] + 0.5) / rows)
    return box["x"] + x, box["y"] + y


def inputs_line(page: Page) -> dict[str, str]:
    """Return the numbers of the compare page's first row: the pixel and both intensities."""
    found: dict[str, str] = page.evaluate(
        """() => {
          const line = document.querySelector(".compare-line [data-field=row]").parentElement;
          return Object.fromEntries([...line.children].map((one) => [one.dataset.field, one.lastChild.textContent]));
        }"""
    )
    return found


def wait_for_line(page: Page, pixel: Pixel) -> None:
    for field, value in zip(("row", "col"), pixel, strict=True):
        expect(page.locator(f".compare-line [data-field={field}] .compare-value").first).to_have_text(
            str(value)
        )


def require_table(page: Page, address: str, pixel: Pixel) -> None:
    """Compare the numbers and the pictures of the compare page's only method with those of this pair and pixel."""
    expected = numbers_at(address, CONSTANT, pixel)

    def check() -> None:
        line = inputs_line(page)
        (row,) = page.evaluate(NUMBERS, CONSTANT)
        assert (line["row"], line["col"]) == tuple(map(str, pixel))
        told = {name: number((line | row)[name]) for name in expected}
        assert told == pytest.approx(expected, abs=6e-5)
        canvas = table(page)
        rgb, jacobian = pictures(canvas)
        require_colours(cells(canvas, rgb, drawn.SHAPE), drawn.guidance_rgb(address), "guidance RGB")
        shown = drawn.jacobian_colours(address, 0, pixel, 1)
        require_colours(cells(canvas, jacobian, drawn.SHAPE), shown, "Jacobian")

    wait_for_line(page, pixel)
    eventually(page, check)


def test_an_older_pixel_of_the_table_never_takes_a_newer_ones_place(share_page: Opener) -> None:
    page = share_page(COMPARE, settled=False, ready=COMPARE_SETTLED)
    page.mouse.move(*compare_place(page, B))
    require_table(page, "drawn", B)
    held = Held(page, "**/jacobians/**")
    page.mouse.move(*compare_place(page, A))
    held.wait()
    page.mouse.move(*compare_place(page, B))
    held.release_first()
    require_table(page, "drawn", B)
    held.release()
    require_table(page, "drawn", B)


# Leaves another pair.
def test_windows_of_another_pair_are_never_shown_in_the_table(share_page: Opener) -> None:
    page = share_page(COMPARE, settled=False, ready=COMPARE_SETTLED)
    page.mouse.move(*compare_place(page, B))
    require_table(page, "drawn", B)
    held = Held(page, "**/jacobians/**")
    page.mouse.move(*compare_place(page, OTHER))
    held.wait()
    page.mouse.move(5, 5)
    page.select_option("#compare-pair", "redrawn")
    page.wait_for_function("() => location.search.includes('pair=redrawn')")
    middle = (drawn.SHAPE[0] // 2, drawn.SHAPE[1] // 2)
    wait_for_line(page, middle)
    held.release_first()
    held.wait()
    assert (inputs_line(page)["row"], inputs_line(page)["col"]) == tuple(map(str, middle))
    held.release()
    page.wait_for_function(COMPARE_SETTLED)
    require_table(page, "redrawn", middle)


def test_images_of_another_pair_are_never_shown_in_the_table(open_page: Opener) -> None:
    held: list[Held] = []
    page = open_page(
        f"{COMPARE}&pixel=4,6", settled=False, ready="() => document.querySelector('.compare-canvas')",
        prepare=lambda page: held.append(Held(page, "**/images/**")),
    )  # fmt: skip
    held[0].wait(2)
    page.wait_for_function("() => location.search.includes('weights=')")
    older = held[0].routes.copy()
    held[0].routes.clear()
    page.select_option("#compare-pair", "redrawn")
    page.wait_for_function("() => location.search.includes('pair=redrawn')")
    held[0].release()
    page.wait_for_function(COMPARE_SETTLED)
    for route in older:
        route.continue_()
    page.wait_for_timeout(500)
    require_table(page, "redrawn", A)

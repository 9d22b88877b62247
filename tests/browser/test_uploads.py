"""Images brought to the page: looked at before they are used, then pairs like all others, in their own menus alone."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener, Server
from tests.browser.pictures import point_at, readout
from tests.browser.test_axe import require_nothing_grave, still

SHOWN = "(address) => fusevis.state.scene?.pair_address === address && fusevis.state.window"


def drawn(folder: Path, *names: str) -> list[NDArray[np.uint8]]:
    """Write a picture of noise under each name, from black to white, and return them."""
    images = []
    for name in names:
        image = np.random.default_rng().integers(1, 255, (24, 32), dtype=np.uint8)
        image[0, :2] = 0, 255
        Image.fromarray(image).save(folder / name)
        images.append(image)
    return images


def open_with(open_page: Opener, server: Server, files: list[Path]) -> Page:
    """Open the page, bring files, and wait until every pair of them has been looked at."""
    page = open_page(f"?pair={server.pair}&method=weighted_averaging", prepare=still)
    page.click("#uploads-open")
    page.set_input_files(".uploads-files", files)
    expect(page.locator(".uploads-message")).to_contain_text("found")
    return page


def address_of(page: Page) -> str:
    """Wait until what was brought is shown, and return its address."""
    page.wait_for_function("() => location.search.includes('pair=upload-')")
    address: str = page.input_value("#pair-select")
    page.wait_for_function(SHOWN, arg=address)
    return address


def test_two_files_are_seen_swapped_used_and_hovered(
    open_page: Opener, server: Server, tmp_path: Path
) -> None:
    one, two = drawn(tmp_path, "one.png", "two.png")
    page = open_with(open_page, server, [tmp_path / "one.png", tmp_path / "two.png"])
    shown = page.locator(".upload-images figcaption")
    expect(shown.nth(0)).to_contain_text("x1one.png24×32 pixels · 0 to 255")
    require_nothing_grave(page, "a pair before it is used", ".uploads-dialog")
    page.get_by_label("Swap x1 and x2 of").click()
    expect(shown.nth(0)).to_contain_text("x1two.png")
    page.get_by_role("button", name="Use this pair").click()
    address_of(page)
    assert not page.locator(".uploads-dialog").is_visible()
    point_at(page, "panel-fused", 20, 9)
    fields = readout(page)
    for name, image in (("x1", two), ("x2", one)):
        assert float(fields[name]) == pytest.approx(image[20, 9] / 255, abs=6e-5)
    page.click("#uploads-open")
    page.get_by_role("button", name="Delete").click()
    expect(page.locator(".uploads-message")).to_have_text("Deleted.")
    expect(page.locator(".uploads-own li")).to_have_count(0)


def test_unequal_sizes_are_stretched_and_laid_over_each_other_before_they_are_used(
    open_page: Opener, server: Server, tmp_path: Path
) -> None:
    (image,) = drawn(tmp_path, "mri_6.png")
    Image.fromarray(image.repeat(2, axis=0)).save(tmp_path / "pet_6.png")
    page = open_with(open_page, server, [tmp_path / "mri_6.png", tmp_path / "pet_6.png"])
    expect(page.locator(".upload-stretch")).to_contain_text("Stretch PET onto MRI")
    page.get_by_role("button", name="Registration view…").click()
    page.wait_for_function("() => document.querySelector('.registration-picture')?.width === 32")
    assert page.locator(".registration-ways button").all_inner_texts() == [
        "Blink", "Checkerboard", "Overlay", "Difference",
    ]  # fmt: skip
    page.keyboard.press("ArrowRight")
    expect(page.locator(".registration-shift")).to_have_text("PET moved 0 down, 1 to the right")
    page.locator(".registration .btn-close").click()
    page.locator(".upload-stretch input").uncheck()
    expect(page.get_by_role("button", name="Registration view…")).to_be_disabled()
    page.locator(".upload-stretch input").check()
    page.get_by_role("button", name="Use this pair").click()
    assert address_of(page).endswith("@r_m0,1")
    page.wait_for_function(
        "() => document.querySelector('section[data-panel=panel-pet] .panel-title').textContent === 'PET (stretched)'"
    )


def test_an_archive_of_two_pairs_and_their_link(open_page: Opener, server: Server, tmp_path: Path) -> None:
    names = ("mri_7.png", "pet_7.png", "Camp_IR.png", "Camp_VIS.png")
    drawn(tmp_path, *names)
    with zipfile.ZipFile(tmp_path / "both.zip", "w") as packed:
        for name in names:
            packed.write(tmp_path / name, name)
        packed.writestr("pet_8.png", b"")
    page = open_with(open_page, server, [tmp_path / "both.zip"])
    assert page.locator(".upload-pair").count() == 2
    expect(page.locator(".uploads-problems")).to_contain_text("pet_8.png")
    page.get_by_label("Name of 7").fill("seven")
    page.get_by_role("button", name="Use these pairs").click()
    address_of(page)
    labels = page.locator("#pair-select option").all_inner_texts()
    assert {"MRI / PET seven (uploaded)", "IR / VIS Camp (uploaded)"} <= set(labels)
    link = page.evaluate("() => location.search")
    other = open_page(link, settled=False)
    assert address_of(other) == page.input_value("#pair-select")
    assert other.locator("#pair-select option:checked").inner_text().startswith("Uploaded pair ")

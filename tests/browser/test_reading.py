"""Volumes on both pages: slices by keys and number, intensities, images of unequal sizes; all in the link."""

from __future__ import annotations

from collections.abc import Iterator

import nibabel
import numpy as np
import pytest
from playwright.sync_api import Page

from tests.browser.conftest import WAIT_MILLISECONDS, Opener, Server

SHAPE = (40, 48, 6)
"""Sagittal, coronal, axial slices."""
OVERLAY = "document.querySelector('section[data-panel=panel-pet] .overlay').getBoundingClientRect()"


@pytest.fixture
def volumes(server: Server) -> Iterator[None]:
    """Lay two volumes and a smaller image into the server's data folder."""
    folder = server.pair_paths[0].parent / "data"
    values = np.random.default_rng().random(SHAPE).astype(np.float32)
    made = [
        folder / name for name in ("mri_vol.nii.gz", "pet_vol.nii.gz", "mri_uneven.npy", "pet_uneven.npy")
    ]
    for path, array in zip(made[:2], (values, values[::-1].copy()), strict=True):
        nibabel.save(nibabel.Nifti1Image(array, np.diag([1.0, 1, 2, 1])), path)
    for path, size in zip(made[2:], (24, 32), strict=True):
        np.save(path, values[:size, :size, 0])
    yield
    for path in made:
        path.unlink()


def shows(page: Page, address: str) -> None:
    """Wait until the page shows the pair read so."""
    page.wait_for_function(
        "(address) => (fusevis.state?.scene ?? fusevis.compare?.state.common())?.pair_address === address",
        arg=address,
        timeout=WAIT_MILLISECONDS,
    )


@pytest.mark.usefixtures("volumes")
def test_slices_and_intensities_of_a_pair_of_volumes(open_page: Opener) -> None:
    page = open_page("?pair=vol&method=weighted_averaging&pixel=5,7")
    shows(page, "vol")
    page.wait_for_function("() => document.querySelector('#reading-menu > summary').textContent === '▤ 3'")
    for key, place in ((".", 4), (".", 5), (".", 5), (",", 4)):
        page.keyboard.press(key)
        shows(page, f"vol@a{place}")
    assert page.evaluate("() => [fusevis.state.pixel.row, fusevis.state.pixel.col]") == [5, 7]
    page.click("#reading-menu > summary")
    page.select_option("#reading-axis", "coronal")
    shows(page, "vol@c")
    assert page.evaluate("() => [fusevis.state.scene.height, fusevis.state.scene.width]") == [6, 40]
    # A pixel is 2 mm high and 1 mm wide; what lies over the pictures follows.
    page.wait_for_function(
        f"""() => {{
          const {{ width, height }} = {OVERLAY};
          return width > 50 && Math.abs(height / 6 / (width / 40) - 2) < 0.02;
        }}""",
        timeout=WAIT_MILLISECONDS,
    )
    left, top, width, height = page.evaluate(
        f"() => {{ const r = {OVERLAY}; return [r.x, r.y, r.width, r.height]; }}"
    )
    page.mouse.move(left + 30.5 / 40 * width, top + 5.5 / 6 * height)
    page.wait_for_function("() => fusevis.state.pixel.row === 5 && fusevis.state.pixel.col === 30")
    page.click("#registration-open")
    page.wait_for_function(
        """() => {
          const canvas = document.querySelector('.registration-picture');
          return canvas?.width === 40 && Math.abs(canvas.clientHeight / canvas.clientWidth - 2 * 6 / 40) < 0.01;
        }"""
    )
    page.evaluate("() => document.querySelector('dialog.registration').close()")
    page.fill("#reading-slider-0-number", "20")
    page.select_option("#reading-window-2", "1%:99%")
    shows(page, "vol@c20_v1pto99p")
    page.wait_for_function("() => location.search.includes('vol%40c20_v1pto99p')")
    page.click("#pair-swap")
    shows(page, "vol~swapped@c20_u1pto99p")
    again = open_page(page.evaluate("() => location.search"))
    shows(again, "vol~swapped@c20_u1pto99p")
    assert again.input_value("#reading-slider-0-number") == "20"


@pytest.mark.usefixtures("volumes")
def test_unequal_images_are_stretched_by_a_button_and_slices_come_to_the_compare_page(
    open_page: Opener,
) -> None:
    page = open_page(
        "compare?pair=vol@a2&methods=weighted_averaging&columns=fused",
        ready="() => window.fusevis?.compare?.state.common()",
        settled=False,
    )
    shows(page, "vol@a2")
    page.keyboard.press(",")
    shows(page, "vol@a1")
    page.select_option("#compare-pair", "uneven")
    page.click(".reading-stretch")
    shows(page, "uneven@r")
    page.wait_for_function(
        "() => document.querySelector('.pair-notes')?.innerHTML.includes('stretched from 32×32 to 24×24')"
    )

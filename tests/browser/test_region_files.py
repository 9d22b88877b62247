"""Masks from files and from the pair, which were taken and which not; and files of their own for all regions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Download, Page

from tests.browser.conftest import Opener, Server
from tests.browser.test_brushing import REGIONS, box, choose_files, masks
from tests.browser.test_compare_page import open_compare
from tests.running_server import SHAPE

ONE, OTHER = box((2, 20), (3, 30)), box((5, 9), (40, 50))
MESSAGE = "document.querySelector('.region-message').textContent"
NAMES = "fusevis.regions.all().map(({ name }) => name)"
KNOWN = "() => document.querySelector('#region-known').title.startsWith('Add core')"


def save(path: Path, mask: NDArray[np.bool_]) -> Path:
    Image.fromarray(mask.astype(np.uint8) * 255).save(path)
    return path


def messages(page: Page, *awaited: str) -> list[str]:
    page.wait_for_function(f"(texts) => texts.every((text) => {MESSAGE}.includes(text))", arg=list(awaited))
    found: list[str] = page.evaluate(MESSAGE).split("\n")
    return found


def test_of_several_files_each_has_its_word(share_page: Opener, server: Server, tmp_path: Path) -> None:
    page = open_compare(share_page, server)
    page.click("#region-open")
    damaged = tmp_path / "damaged.png"
    damaged.write_bytes(save(tmp_path / "whole.png", ONE).read_bytes()[:60])
    files = [
        save(tmp_path / "small.png", np.ones((5, 5), dtype=bool)), save(tmp_path / "one.png", ONE), damaged,
        save(tmp_path / "black.png", ~np.ones(SHAPE, dtype=bool)), save(tmp_path / "other.png", OTHER),
    ]  # fmt: skip
    alpha = np.where(OTHER[..., None], (0, 0, 0, 255), (0, 0, 0, 0)).astype(np.uint8)
    Image.fromarray(alpha).save(tmp_path / "alpha.png")
    choose_files(page, [*files, tmp_path / "alpha.png"])
    said = messages(page, "read.")
    assert said[0] == "one.png, other.png and alpha.png were read."
    assert said[1].startswith("small.png has 5×5 pixels, the images have 48×60")
    assert said[2].startswith("damaged.png: the file is damaged or incomplete.")
    assert said[3].startswith("black.png has no pixel above 127")
    found = masks(page)
    assert list(found) == ["one", "other", "alpha"]
    for name, mask in zip(found, (ONE, OTHER, OTHER), strict=True):
        np.testing.assert_array_equal(found[name], mask)
    choose_files(page, [tmp_path / "one.png"])
    assert messages(page, "already") == ["one.png is here already."]
    page.keyboard.press("Control+z")
    assert page.evaluate(NAMES) == [], "all files at once are one step"


def test_where_no_room_is_left_an_import_says_so(share_page: Opener, server: Server, tmp_path: Path) -> None:
    page = open_compare(share_page, server)
    page.click("#region-open")
    page.evaluate("for (let i = 0; i < 11; i += 1) fusevis.regions.add('mine')")
    names = ("one", "two", "three")
    choose_files(page, [save(tmp_path / f"{name}.png", np.roll(ONE, at)) for at, name in enumerate(names)])
    assert messages(page, "read.") == [
        "one.png was read.",
        "There is no room for two.png and three.png: 12 regions are the most.",
    ]
    assert page.evaluate(NAMES)[-1] == "one" and page.evaluate("fusevis.regions.all().length") == 12


def test_masks_of_the_pair_are_added_once(open_page: Opener) -> None:
    ready = "() => window.fusevis?.regions?.imageShape()"
    page = open_page("compare?pair=glioma-t1&methods=weighted_averaging", settled=False, ready=ready)
    page.evaluate("fusevis.regions.add('core')")
    page.click("#region-open")
    page.wait_for_function(KNOWN)
    page.click("#region-known")
    assert messages(page, "added") == ["core, rim and healthy were added."]
    for _ in range(2):
        page.click("#region-known")
        assert messages(page, "already") == ["core, rim and healthy are here already."]
    assert page.evaluate(NAMES) == ["core", "core 2", "rim", "healthy"]
    page.get_by_label("Delete rim").click()
    page.click("#region-known")
    assert messages(page, "added") == ["rim was added.", "core and healthy are here already."]
    drawn = page.evaluate(REGIONS)
    page.wait_for_function(
        "() => location.search === fusevis.address.query() && location.search.includes('healthy')"
    )
    page.evaluate("fusevis.regionLink.linkable()")
    page.wait_for_function("() => location.search === fusevis.address.query()")
    other = open_page(
        f"compare{page.evaluate('location.search')}",
        settled=False,
        ready="() => window.fusevis?.regions && fusevis.regions.all().length === 3",
    )
    other.click("#region-open")
    other.wait_for_function(KNOWN)
    other.click("#region-known")
    assert messages(other, "already") == ["core, rim and healthy are here already."]
    assert other.evaluate(REGIONS) == [region for region in drawn if region["count"]]


def test_every_region_has_a_file_of_its_own(share_page: Opener, server: Server) -> None:
    page = open_compare(share_page, server)
    page.click("#region-open")
    page.evaluate(
        "['a/b', 'a:b', 'A?B', 'a_b 2'].forEach((name) => fusevis.regions.add(name, new Uint8Array(48 * 60).fill(1)))"
    )
    files: list[Download] = []
    page.on("download", lambda file: files.append(file))
    page.click("#region-export")
    while len(files) < 4:
        page.wait_for_timeout(100)
    assert sorted(file.suggested_filename for file in files) == [
        "A_B 3.png",
        "a_b 2 2.png",
        "a_b 2.png",
        "a_b.png",
    ]

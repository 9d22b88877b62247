"""The page of the wheel, started away from this checkout, is drawn as that of the checkout."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import fusion
from tests.browser.conftest import Opener
from tests.browser.pictures import heatmap, painted_window
from tests.running_server import Server
from tests.wheel import require_pages, unpacked_wheel, wheel_server

SAMPLE = "glioma-t2"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start a server from the wheel, with the samples alone."""
    content, folder = (tmp_path_factory.mktemp(name) for name in ("wheel", "elsewhere"))
    content = unpacked_wheel(content)
    samples = content / "fusion" / "data" / "samples" / SAMPLE
    with wheel_server(content, folder) as url:
        yield Server(url, (samples / "mri.png", samples / "pet.png"), SAMPLE)


def test_the_page_is_drawn(open_page: Opener, server: Server) -> None:
    page = open_page(f"?pair={SAMPLE}&method=weighted_averaging&pixel=128,120")
    pair, method = fusion.load_pair(*server.pair_paths), fusion.load_method("weighted_averaging", "cpu")
    values, _ = painted_window(page)
    np.testing.assert_allclose(values, fusion.jacobian(method, pair, (128, 120)).values, rtol=1e-5)
    drawn, _ = heatmap(page, "panel-guidance-mri")
    np.testing.assert_allclose(drawn, fusion.guidance(method, pair)[0], atol=1e-3)


def test_every_page_has_its_files_and_pictures(server: Server) -> None:
    require_pages(server.url)

"""The page in the background of a program: `fusion.register`, `fusevis.show`, and its end."""

from __future__ import annotations

import json
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urljoin
from urllib.request import Request, urlopen

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import fusevis
import fusion
from cache.services.loaded import LoadedMethods
from fusevis.pairs import pairs_as_files
from fusion.errors import ImageFileError, NetworkError, PairError, UnknownMethodError
from fusion.methods.cards import card_of
from fusion.methods.registered import forget_registered, registered_methods
from tests.unit.packed_folders import Tiny

FIRST_VIEW = re.compile(r'<script id="first-view"[^>]*>(.*?)</script>', re.DOTALL)
NOTEBOOK = Path(__file__).parents[2] / "examples" / "page_in_a_notebook.ipynb"
IMAGES: NDArray[np.float64] = np.random.default_rng(5).random((2, 24, 32))


@pytest.fixture(scope="module")
def tiny() -> fusion.Method:
    return fusion.Method.from_module(Tiny(), "tiny", "Tiny network")


@pytest.fixture(autouse=True)
def left_as_it_was() -> Iterator[None]:
    yield
    for method in registered_methods():
        forget_registered(method.id)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep everything in a folder of the test, and load no method that ships."""
    for name in ("CACHE", "ATLAS", "REGION", "VIEW"):
        monkeypatch.setenv(f"FUSEVIS_{name}_DIR", str(tmp_path / name.lower()))
    monkeypatch.setattr(LoadedMethods, "load_all", lambda self: None)


def test_a_registered_method_is_found_wherever_methods_are(tiny: fusion.Method) -> None:
    assert fusion.register(tiny) is tiny
    assert "tiny" in fusion.method_ids() and fusion.load_method("tiny") is tiny
    shelf = LoadedMethods("cpu")
    assert ("tiny", "Tiny network") in shelf.titles and shelf.has("tiny")
    assert shelf.get("tiny") is tiny and shelf.with_weights("tiny", tiny.weights_id) is tiny
    other = fusion.Method.from_module(Tiny(seed=4), "tiny", "Tiny network")
    fusion.register(other)
    assert shelf.get("tiny") is other
    forget_registered("tiny")
    assert "tiny" not in fusion.method_ids()
    with pytest.raises(UnknownMethodError):
        shelf.get("tiny")


@pytest.mark.parametrize(("id", "words"), [("masknet", "ships"), ("a/b", "no id for links"), ("", "no id")])
def test_an_id_that_is_taken_or_that_no_link_can_have_is_refused(
    tiny: fusion.Method, monkeypatch: pytest.MonkeyPatch, id: str, words: str
) -> None:
    monkeypatch.setattr(tiny, "id", id)
    with pytest.raises(NetworkError, match=words):
        fusion.register(tiny)
    assert registered_methods() == ()


def test_its_card_says_where_it_is_from(tiny: fusion.Method) -> None:
    fusion.register(tiny)
    assert dict(card_of(tiny).facts)["source"] == "of the program that shows it (fusion.register)"


def test_what_is_taken_for_pairs(tmp_path: Path) -> None:
    first, second = IMAGES
    (files,) = pairs_as_files((first, torch.from_numpy(second)), tmp_path)
    np.testing.assert_array_equal([np.load(file) for file in files], IMAGES)
    assert pairs_as_files([("a.png", Path("b.png"))], tmp_path) == [(Path("a.png"), Path("b.png"))]
    pair = fusion.Pair.from_arrays(first, second)
    one, two = pairs_as_files([pair, (first, second)], tmp_path)
    assert fusion.load_pair(*one).id == pair.id and one != two
    assert len(pairs_as_files(IMAGES, tmp_path)) == 1 and pairs_as_files((), tmp_path) == []
    for wrong in ([first], [(first, second, first)], "ab", [("a.png", first[0])]):
        with pytest.raises(PairError, match="A pair is"):
            pairs_as_files(wrong, tmp_path)


def first_view(url: str) -> dict[str, Any]:
    with urlopen(Request(url, headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate",
                                       "Sec-Fetch-Dest": "iframe"})) as answer:  # fmt: skip
        assert "frame-ancestors 'self' http://localhost:*" in answer.headers["Content-Security-Policy"]
        (found,) = FIRST_VIEW.findall(answer.read().decode())
    view: dict[str, Any] = json.loads(found)
    return view


def test_the_page_has_the_pair_and_the_method_until_it_is_stopped(here: None, tiny: fusion.Method) -> None:
    page = fusevis.show([tuple(IMAGES)], tiny, device="cpu")
    try:
        assert page.url.startswith("http://127.0.0.1:") and "/?method=tiny&pair=" in page.url
        assert repr(page) == f"FuseVis is at {page.url}"
        view = first_view(page.url)
        pixel = view["pixel"]["row"], view["pixel"]["col"]
        with urlopen(urljoin(page.url, view["window"])) as answer:
            values = np.frombuffer(answer.read()[32:], dtype=np.float32)
        pair = fusion.Pair.from_arrays(*IMAGES.astype(np.float32))
        wanted = fusion.jacobian(tiny, pair, pixel).values
        np.testing.assert_allclose(values.reshape(wanted.shape), wanted, rtol=1e-4, atol=1e-6)
    finally:
        page.stop()
    page.stop()
    assert repr(page) == f"FuseVis was at {page.url}"
    assert not Path(page._folder.name).exists()
    with pytest.raises(URLError):
        urlopen(page.url)


def test_a_notebook_shows_it_below_the_cell_several_methods_side_by_side(
    here: None, tiny: fusion.Method, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    publisher = types.SimpleNamespace(publish=lambda data: shown.append(data["text/html"]))
    shell = types.SimpleNamespace(kernel=object(), display_pub=publisher)
    module = types.ModuleType("IPython")
    module.get_ipython = lambda: shell  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", module)
    other = fusion.Method.from_module(Tiny(seed=4), "other", "Other network")
    page = fusevis.show((), [tiny, other], device="cpu", height=700)
    page.stop()
    assert page.url.endswith("/compare?methods=tiny,other")
    assert shown == [
        f'<iframe src="{page.url}" width="100%" height="700" style="border: 0" title="FuseVis"></iframe>'
    ]


def test_the_example_runs(here: None) -> None:
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    names: dict[str, Any] = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    assert names["page"]._stopped
    registered = fusion.load_method("mine")
    assert registered.title == "My network" and registered is not names["method"]


def test_what_cannot_be_shown_is_refused_before_anything_starts(here: None, tmp_path: Path) -> None:
    with pytest.raises(ImageFileError):
        fusevis.show([(tmp_path / "none.png", tmp_path / "none.png")])

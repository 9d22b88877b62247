"""What leaves the compare page: arrays that are exactly those of `fusion`, figures with text, one HTML file."""

from __future__ import annotations

import io
import json
import re
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

import fusion
from app.export.content import zoomed
from app.factory import create_server
from app.settings import Settings
from cache.services.loaded import LoadedMethods
from cache.services.maps import MapState
from cache.services.scenes import Scene
from cache.services.services import Services, services_of
from fusion.saliency.maps import MapKind
from fusion.saliency.strokes import change_of, read_strokes
from tests.unit.page_services import SHAPE, WAIT_S, write_pair
from tests.unit.reference import trained_method
from tests.unit.small_services import wait_for

METHODS = ("weighted_averaging", "weighted_averaging_true")
QUERY = f"pair=3&methods={','.join(METHODS)}&pixel=4,5&pin=0,10&zoom=2"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder = tmp_path_factory.mktemp("takeaway")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LoadedMethods, "load_all", lambda self: None)
        made = create_server(Settings(cache_dir=folder / "memo", device="cpu"), [write_pair(folder)])
    yield made
    services_of(made).close()


@pytest.fixture
def client(server: Flask) -> FlaskClient:
    return server.test_client()


def fetched(client: FlaskClient, address: str) -> TestResponse:
    """Ask until guidance images are complete, as a script would."""
    deadline = time.monotonic() + WAIT_S
    while (answer := client.get(address)).status_code == 409:
        assert "Ask again" in answer.get_json()["error"] and answer.headers["Retry-After"]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return answer


def test_arrays_are_exactly_those_of_the_core(client: FlaskClient, server: Flask) -> None:
    answer = fetched(client, f"/export/compare.npz?{QUERY}")
    assert answer.status_code == 200
    with np.load(io.BytesIO(answer.data), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    services = services_of(server)
    pair = services.scenes.pair(services.scenes.open("3", METHODS[0]))
    assert arrays["methods"].tolist() == list(METHODS)
    np.testing.assert_array_equal(arrays["inputs"], pair.images)
    for row, id in enumerate(METHODS):
        method = trained_method(id)
        fused, guidance = fusion.fuse(method, pair), fusion.guidance(method, pair)
        np.testing.assert_array_equal(arrays["fused"][row], fused)
        np.testing.assert_array_equal(arrays["guidance"][row], guidance)
        np.testing.assert_array_equal(arrays["guidance_rgb"][row], fusion.guidance_rgb(guidance, fused))
        for name, at in (("a", (4, 5)), ("b", (0, 10))):
            expected = fusion.jacobian(method, pair, at).dense()
            np.testing.assert_array_equal(arrays[f"jacobian_{name}"][row], expected)
    about = json.loads(str(arrays["metadata"]))
    assert about["pair"]["id"] == pair.id and about["pixels"] == {"a": [4, 5], "b": [0, 10]}
    assert about["methods"][0]["weights_sha256"] == trained_method(METHODS[0]).weights_id
    assert about["link"].startswith("http://localhost/compare?") and "pixel=4,5" in about["link"]
    assert set(about["units"]) == set(arrays) - {"methods", "metadata"}


def test_a_painted_change_goes_with_the_arrays(client: FlaskClient, server: Flask) -> None:
    code = "1s3.0.4.5.gh~2a1.60.2.3"
    for page, chosen in (("compare", METHODS), ("explore", METHODS[:1])):
        query = f"change={code}&pair=3&pixel=4,5&" + (
            f"methods={','.join(chosen)}" if page == "compare" else f"method={chosen[0]}"
        )
        answer = fetched(client, f"/export/{page}.npz?{query}")
        with np.load(io.BytesIO(answer.data), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        services = services_of(server)
        pair = services.scenes.pair(services.scenes.open("3", METHODS[0]))
        change = change_of(read_strokes(code), pair.images)
        np.testing.assert_array_equal(arrays["change"], change)
        about = json.loads(str(arrays["metadata"]))
        assert set(about["units"]) == set(arrays) - {"methods", "metadata"}
        for row, id in enumerate(chosen):
            expected = fusion.response(trained_method(id), pair, change)
            for name in ("true", "linear", "path"):
                found = arrays[f"change_{name}"][row]
                np.testing.assert_allclose(found, getattr(expected, name), atol=1e-6)
            errors = about["change"]["errors"][id]
            assert errors["linear_error"] == pytest.approx(expected.linear_error, abs=1e-4)
            assert errors["path_error"] == pytest.approx(expected.path_error, abs=1e-4)
    wrong = client.get("/export/compare.npz?change=1s3&pair=3")
    assert wrong.status_code == 400 and "strokes of the brush" in wrong.get_json()["error"]


def test_an_explained_region_and_reaches_go_with_the_arrays(client: FlaskClient, server: Flask) -> None:
    regions = "core~1b9e4b~b1.2.4.7,rim~e69f00~b5.2.7.9"
    query = f"{QUERY}&explain=contrast.1.2&regions={regions}"
    answer = fetched(client, f"/export/compare.npz?{query}")
    with np.load(io.BytesIO(answer.data), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    about = json.loads(str(arrays["metadata"]))
    assert set(about["units"]) == set(arrays) - {"methods", "metadata", "regions"}
    pair = services_of(server).scenes.pair(services_of(server).scenes.open("3", METHODS[0]))
    core, rim = np.zeros((2, *SHAPE), dtype=bool)
    core[1:4, 2:7], rim[5:7, 2:9] = True, True
    for row, id in enumerate(METHODS):
        method = trained_method(id)
        expected = fusion.region_jacobian(method, pair, core, "contrast", rim)
        np.testing.assert_array_equal(arrays["explanation"][row], expected)
        sums = about["explanation"]["sums"][id]["x2"]
        assert sums["total"] == pytest.approx(np.abs(expected[1]).sum(dtype=float))
        assert sums["negative_share"] == pytest.approx(
            -expected[1].clip(max=0).sum(dtype=float) / sums["total"]
        )
        reach = fusion.reach_of_linearity(method, pair, (4, 5))
        told = about["methods"][row]["reach"]["a"]
        assert told == {"own_pixel": list(reach.own_pixel), "whole_support": list(reach.whole_support)}
    page = fetched(client, f"/export/compare.html?{query}").get_data(as_text=True)
    assert "Contrast core − rim" in page and "Linear to" in page
    assert f"<td>{sums['total']:.4g}</td>" in page
    border = fetched(
        client, "/export/explore.npz?explain=ssim.1.x1&pair=3&pixel=4,5&regions=edge~000000~b0.0.1.1"
    )
    with np.load(io.BytesIO(border.data), allow_pickle=False) as file:
        assert "explanation" not in file.files
        assert "border" in json.loads(str(file["metadata"]))["explanation"]["problem"]
    wrong = client.get(f"/export/compare.npz?{QUERY}&explain=mean")
    assert wrong.status_code == 400 and "explanation" in wrong.get_json()["error"]


def test_regions_of_the_link_go_with_the_arrays(client: FlaskClient) -> None:
    answer = fetched(
        client, f"/export/compare.npz?{QUERY}&regions=my core~1b9e4b~b1.2.4.7,all~000000~b0.0.9.11"
    )
    with np.load(io.BytesIO(answer.data), allow_pickle=False) as file:
        regions, about = file["regions"], json.loads(str(file["metadata"]))
    assert about["regions"] == ["my core", "all"]
    expected = np.zeros(SHAPE, dtype=bool)
    expected[1:4, 2:7] = True
    np.testing.assert_array_equal(regions, [expected, np.ones(SHAPE, dtype=bool)])
    wrong = client.get(f"/export/compare.npz?{QUERY}&regions=core~1b9e4b~b1.2.40.7")
    assert wrong.status_code == 400 and "1.2.40.7" in wrong.get_json()["error"]


MAPS = "columns=fused,response_mri,reach_pet"


def is_complete(services: Services, scene: Scene, kind: MapKind) -> bool:
    return services.maps.state(scene, kind, "test").complete


def computed(server: Flask, kind: MapKind) -> None:
    """Let the server know a map of all methods."""
    services = services_of(server)
    for id in METHODS:
        scene = services.scenes.open("3", id)
        services.maps.state(scene, kind, "test", start=True)
        wait_for(partial(is_complete, services, scene, kind))


def test_maps_are_in_files_where_they_are_computed_and_never_begun(
    client: FlaskClient, server: Flask
) -> None:
    services = services_of(server)
    refused = fetched(client, f"/export/compare/{METHODS[0]}/influence_mri.png?{QUERY}")
    assert refused.status_code == 400 and "Press Compute" in refused.get_json()["error"]
    assert fetched(client, f"/export/compare.svg?{QUERY}&columns=influence_mri").status_code == 400
    assert services.maps.state(services.scenes.open("3", METHODS[0]), MapKind.INFLUENCE, "test") == MapState(
        None
    )
    computed(server, MapKind.RESPONSE)
    picture = fetched(client, f"/export/compare.svg?{QUERY}&{MAPS}")
    texts = " ".join(ElementTree.fromstring(picture.data).itertext())
    assert "Response to x1" in texts and "Reach in" not in texts
    assert "Without maps that are not computed: reach." in " ".join(texts.split())
    with np.load(io.BytesIO(fetched(client, f"/export/compare.npz?{QUERY}&{MAPS}").data)) as file:
        found, about = file["response"], json.loads(str(file["metadata"]))
        assert "reach" not in file.files and "response" in about["units"]
    pair = services.scenes.pair(services.scenes.open("3", METHODS[0]))
    expected = [fusion.response_map(trained_method(id), pair) for id in METHODS]
    np.testing.assert_array_equal(found, expected)
    for address in ("response_pet.png", "response_mri.svg"):
        assert fetched(client, f"/export/compare/{METHODS[1]}/{address}?{QUERY}").status_code == 200
    subtracted = f"{QUERY}&columns=response_mri&difference={','.join(METHODS)}"
    assert fetched(client, f"/export/compare.png?{subtracted}").status_code == 200
    explored = f"pair=3&method={METHODS[0]}&maps=response&v=3"
    assert fetched(client, f"/export/explore/{METHODS[0]}/response_mri.png?{explored}").status_code == 200


def test_a_figure_is_svg_with_text_as_text(client: FlaskClient) -> None:
    answer = fetched(
        client, f"/export/compare.svg?{QUERY}&columns=fused,guidance_mri,jacobian_pet_zoom,scatter"
    )
    root = ElementTree.fromstring(answer.data)
    texts = ["".join(part.itertext()) for part in root.iter("{http://www.w3.org/2000/svg}text")]
    assert any("Weighted" in text for text in texts) and any("row 4, column 5" in text for text in texts)
    assert (
        answer.data
        == fetched(
            client, f"/export/compare.svg?{QUERY}&columns=fused,guidance_mri,jacobian_pet_zoom,scatter"
        ).data
    )


def test_a_panel_is_a_picture_for_print(client: FlaskClient) -> None:
    answer = fetched(client, f"/export/compare/{METHODS[1]}/guidance_mri.png?{QUERY}")
    image = Image.open(io.BytesIO(answer.data))
    assert image.info["dpi"][0] == pytest.approx(300, abs=0.1)
    whole = Image.open(io.BytesIO(fetched(client, f"/export/compare.png?{QUERY}").data))
    assert whole.width > image.width and "/compare?" in whole.info["Description"]


@pytest.mark.parametrize("place", ["difference/jacobian_mri_zoom", "inputs/input_pet"])
def test_panels_of_the_difference_and_of_the_inputs(client: FlaskClient, place: str) -> None:
    query = f"{QUERY}&difference={','.join(METHODS)}&regions=my core~1b9e4b~b1.2.4.7"
    answer = fetched(client, f"/export/compare/{place}.svg?{query}")
    assert answer.status_code == 200 and "my core" in answer.get_data(as_text=True)
    assert client.get(f"/export/compare/difference/scatter.svg?{query}").status_code == 404


def test_the_html_file_refers_to_nothing_outside(client: FlaskClient) -> None:
    text = fetched(client, f"/export/compare.html?{QUERY}").get_data(as_text=True)
    sources = re.findall(r'(?:src|srcset|data|poster)\s*=\s*"([^"]*)"', text)
    assert len(sources) == 2, "eight pictures in a row are two pages"
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert not re.search(r"<link|<iframe|@import|url\(|<script(?! type=\"application/json\")", text)
    about = json.loads(text.split('id="metadata">')[1].split("</script>")[0])
    assert about["methods"][0]["weights_sha256"] in text.split("<script")[0]


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("pair=3&methods=", 400, "no method"),
        ("pair=nowhere&methods=weighted_averaging", 400, "nowhere"),
        ("pair=3&methods=none", 400, "none"),
        ("pair=3&methods=weighted_averaging&pixel=900,1", 400, "900"),
        ("pair=3&methods=weighted_averaging&weights=00000000", 400, "other weights"),
        ("pair=3&methods=weighted_averaging&gamma1=x", 400, "gamma 1"),
    ],
)
def test_what_cannot_be_exported_is_refused_in_words(
    client: FlaskClient, query: str, status: int, words: str
) -> None:
    answer = client.get(f"/export/compare.npz?{query}")
    assert answer.status_code == status and words in answer.get_json()["error"]


def test_unknown_forms_and_panels_are_refused(client: FlaskClient) -> None:
    for address in ("compare.pkl", f"compare/{METHODS[0]}/nothing.png", f"compare/{METHODS[0]}/fused.npz",
                    "compare/other/fused.png", "compare/inputs/fused.svg", "compare/difference/fused.svg"):  # fmt: skip
        assert client.get(f"/export/{address}?{QUERY}").status_code == 404
    assert client.get("/export/compare.png?pair=3&columns=").status_code == 400


def test_a_zoom_at_the_corner_is_white_outside_the_image() -> None:
    image = np.arange(27, dtype=np.uint8).reshape(3, 3, 3)
    cut = zoomed(image, (0, 2), 1)
    assert (cut[0] == 255).all() and (cut[:, 2] == 255).all()
    np.testing.assert_array_equal(cut[1:, :2], image[:2, 1:])


def test_a_difference_that_a_file_lacks_is_named(client: FlaskClient) -> None:
    asked = {
        "one": f"{QUERY}&difference={METHODS[0]},funfusean",
        "both": f"{QUERY}&difference={','.join(METHODS)}",
    }
    for form in ("svg", "html"):
        answer = fetched(client, f"/export/compare.{form}?{asked['one']}")
        assert answer.headers["Fusevis-Left-Out"] == "difference"
        assert "funfusean has no row" in re.sub(
            r"\s+", " ", re.sub("<[^>]*>", "", answer.get_data(as_text=True))
        )
        assert "Fusevis-Left-Out" not in fetched(client, f"/export/compare.{form}?{asked['both']}").headers
    assert "Fusevis-Left-Out" not in fetched(client, f"/export/compare.npz?{asked['one']}").headers


def test_numbers_in_the_html_file_are_written_in_one_way(client: FlaskClient) -> None:
    text = fetched(client, f"/export/compare.html?{QUERY}").get_data(as_text=True)
    cells = [cell.strip() for cell in re.findall(r"<td[^>]*>([^<]*)</td>", text)]
    assert not [cell for cell in cells if re.match(r"-\d|.*\de[-+]?\d", cell)]
    assert "A modality dominates" in text

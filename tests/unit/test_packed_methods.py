"""Methods in folders: what they are called, how they are adapted, and that a bad one harms none of the others."""

from __future__ import annotations

import re
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from typer.testing import CliRunner

import fusion
from app.layout.parts import options
from cache.services.loaded import LoadedMethods
from fusion.cli.main import app
from fusion.errors import NetworkError, PackedMethodError, UnknownMethodError
from fusion.methods import registry
from fusion.methods.packed.folders import VARIABLE, PackedMethod
from fusion.methods.registry import built_in_ids, method_specification, users_methods
from tests.unit.packed_folders import Tiny, exported, write_method


class Coloured(nn.Module):
    """Takes PET first, colours of ImageNet, and returns a mask and colours from 0 to 255."""

    def forward(self, x2: Tensor, x1: Tensor) -> tuple[Tensor, Tensor]:
        weights = torch.tensor([0.2, 0.3, 0.5]).to(x1)[:, None, None]
        return x1[:, :1], 255 * torch.sigmoid(x1 * weights - 0.1 * x2)


CPU = torch.device("cpu")
COLOURED = """
title = "Colours"
[inputs]
order = ["x2", "x1"]
channels = 3
mean = [0.485, 0.456, 0.406]
std = [0.229, 0.224, 0.225]
[output]
index = 1
channel = "luma"
range = [0, 255]
"""


@pytest.fixture
def methods(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a good method and two bad ones, known by the environment."""
    folder = tmp_path / "methods"
    write_method(folder / "mine")
    write_method(folder / "broken", b"nothing")
    write_method(folder / "masknet")
    (folder / "empty").mkdir()
    monkeypatch.setenv(VARIABLE, str(folder))
    return folder


def test_good_folders_are_methods_and_bad_ones_harm_nobody(methods: Path) -> None:
    assert fusion.method_ids() == (*built_in_ids(), "mine")
    problems = {packed.id: problem for packed, problem in users_methods()}
    assert problems["mine"] == ""
    assert "no archive" in problems["broken"]
    assert "there is a method masknet already" in problems["masknet"]
    assert "there is no empty.toml" in problems["empty"]
    assert method_specification("mine").title == "Mine"
    with pytest.raises(UnknownMethodError, match="mine"):
        fusion.load_method("other")


def test_a_method_from_a_folder_is_the_network_with_its_exact_window(methods: Path) -> None:
    method = PackedMethod(methods / "mine").load_here(CPU)
    assert (method.id, method.title, method.support_radius) == ("mine", "Mine", (1, 1))
    assert method.locality.by_program
    images = torch.rand(2, 1, 1, 19, 21)
    with torch.no_grad():
        assert torch.equal(method.network(*images), Tiny().eval()(*images))
    assert re.fullmatch("[0-9a-f]{64}", method.weights_id)


def test_only_what_changes_values_changes_the_id(methods: Path) -> None:
    packed = PackedMethod(methods / "mine")
    model = packed.model().read_bytes()

    def id_of(text: str) -> str:
        (packed.path / "mine.toml").write_text(text)
        return packed.description().weights_id(model)

    first = id_of('title = "Mine"')
    assert (
        id_of('title = "Other"\nnote = "New."\n[measured]\ncost = 3\n[inputs]\nnames = ["IR", "VIS"]')
        == first
    )
    assert id_of("[inputs]\nrange = [0, 1]\norder = ['x1', 'x2']") == first
    different = "[inputs]\nrange = [0, 255]", "[inputs]\norder = ['x2', 'x1']", "[sizes]\nmultiple = 8"
    others = [id_of(text) for text in different]
    assert len({first, *others}) == 4
    assert packed.description().weights_id(model + b"x") not in {first, *others}


def test_colours_order_normalisation_and_output_are_adapted(tmp_path: Path) -> None:
    folder = write_method(tmp_path / "colours", exported(Coloured(), channels=3), COLOURED)
    method = PackedMethod(folder).load_here(CPU)
    assert method.support_radius == (0, 0)
    x1, x2 = torch.rand(2, 1, 1, 6, 7, dtype=torch.float64)
    mean, std = (
        torch.tensor(numbers).double()[:, None, None]
        for numbers in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    )
    colours = Coloured()((x2 - mean) / std, (x1 - mean) / std)[1] / 255
    luma = (colours * torch.tensor([0.299, 0.587, 0.114]).double()[:, None, None]).sum(1, keepdim=True)
    assert torch.allclose(method.network_as(torch.float64)(x1, x2), luma, rtol=0, atol=1e-7)


class Pooling(nn.Module):
    """Takes sides that are multiples of 4."""

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        small = nn.functional.avg_pool2d(x1, 4)
        return nn.functional.interpolate(small, scale_factor=4.0) * x2


def test_sizes_for_which_it_was_not_exported_are_refused_by_name_or_padded(tmp_path: Path) -> None:
    model = exported(Pooling(), step=4)
    images = torch.rand(2, 1, 1, 9, 12)
    method = PackedMethod(write_method(tmp_path / "pooling", model)).load_here(CPU)
    assert method.locality.alignment == 4
    with pytest.raises(ValueError, match="height that is a multiple of 4, not 9"):
        method.network(*images)
    with pytest.raises(NetworkError, match="at least 8"):
        fusion.fuse(method, fusion.Pair.from_arrays(*np.random.default_rng().random((2, 4, 4))))
    padded = PackedMethod(write_method(tmp_path / "padded", model, "[sizes]\nmultiple = 4\n")).load_here(CPU)
    assert padded.network(*images).shape == (1, 1, 9, 12)


def shelf(folder: Path) -> LoadedMethods:
    return LoadedMethods("cpu", titles=(("weighted_averaging", "Averaging"),), folder=folder)


def test_the_menu_has_bad_ones_in_gray_with_the_reason(methods: Path) -> None:
    choices = shelf(methods).choices()
    assert [choice[0] for choice in choices] == ["weighted_averaging", "broken", "empty", "masknet", "mine"]
    shown = {option["value"]: option for option in options(choices)}
    assert "disabled" not in shown["mine"] and shown["mine"]["label"] == "Mine"
    assert shown["broken"]["disabled"] is True
    assert "no archive" in shown["broken"]["title"]


def test_a_link_names_no_folder(methods: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(methods)
    # Here, since a process of its own takes seconds to start.
    monkeypatch.setattr(registry, "IsolatedMethod", PackedMethod.load_here)
    for id in (str(methods / "mine"), "./mine", "mine/mine.pt2", f"../{methods.name}/mine"):
        assert fusion.load_method(id).title == "Mine", "a program may"
        with pytest.raises(UnknownMethodError, match="There is no method"):
            shelf(methods).get(id)


def test_bad_methods_are_no_reason_not_to_be_ready(methods: Path) -> None:
    loaded = shelf(methods)
    loaded.load_all().join()
    assert loaded.pending() == () and loaded.failed() == {}


def test_a_changed_file_is_loaded_again_and_a_refusal_is_kept_until_then(methods: Path) -> None:
    loads: list[str] = []

    def load(id: str, device: str) -> fusion.Method:
        loads.append(Path(id).name)
        return PackedMethod(Path(id)).load_here(torch.device(device))

    loaded = LoadedMethods("cpu", load, (("weighted_averaging", "Averaging"),), folder=methods)
    first = loaded.get("mine")
    assert loaded.get("mine") is first and loads == ["mine"]
    _rewrite(methods / "mine" / "mine.toml", "[inputs]\nrange = [0, 255]\n")
    assert loaded.get("mine").weights_id != first.weights_id
    for _ in range(2):
        with pytest.raises(PackedMethodError):
            loaded.get("broken")
    assert loads == ["mine", "mine", "broken"]
    _rewrite(methods / "broken" / "broken.pt2", exported(Random()))
    for _ in range(2):
        with pytest.raises(NetworkError):
            loaded.get("broken")
    assert {id: why for id, _, why in loaded.choices()}["broken"] != ""
    _rewrite(methods / "broken" / "broken.pt2", (methods / "mine" / "mine.pt2").read_bytes())
    assert loaded.get("broken").support_radius == (1, 1)


class Random(nn.Module):
    """Has no derivative."""

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return torch.round(x1 * 255 + x2 * 255) / 510


def _rewrite(path: Path, content: str | bytes) -> None:
    before = path.stat().st_mtime_ns
    while path.stat().st_mtime_ns == before:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        time.sleep(0.001)


def test_the_command_line_takes_a_path_and_lists_methods_of_users(methods: Path, tmp_path: Path) -> None:
    run = CliRunner().invoke
    output = tmp_path / "out.npz"
    arguments = ["jacobian", "-s", "glioma-t2", "-p", "90,90", "--no-pictures", "-o", str(output)]
    result = run(app, [*arguments, "-m", str(methods / "mine")])
    assert result.exit_code == 0, result.output
    assert output.exists()
    assert run(app, [*arguments, "-m", str(methods / "broken")]).exit_code != 0

"""Packing a network of one's own: from a file of Python and weights to a folder that is the same function."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from typer.testing import CliRunner

from fusion.cli.main import app
from fusion.errors import FuseVisError, PackedMethodError
from fusion.methods.adapting import Adaptation
from fusion.methods.packed.bringing import from_file, load_state
from fusion.methods.packed.folders import PackedMethod
from fusion.methods.packed.packing import Wanted, description_text, pack
from tests.unit.packed_folders import Tiny

NETWORK = """
import torch
from torch import nn

class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(6, 3, 3, padding=1, padding_mode="reflect")

    def forward(self, images):
        second, first = images
        return {"mask": first, "fused": [255 * torch.sigmoid(self.layer(torch.cat((first, second), 1)))]}

def average(x1, x2):
    return (x1 + x2) / 2

def broken():
    raise SystemExit(3)
"""


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """A user's file, which is forgotten afterwards."""
    path = tmp_path / "a_users_network.py"
    path.write_text(NETWORK)
    before = list(sys.path)
    yield path
    sys.path[:] = before
    sys.modules.pop(path.stem, None)


def test_a_file_and_weights_become_a_method_that_is_the_same_function(file: Path, tmp_path: Path) -> None:
    network = from_file(f"{file}:Network")
    assert isinstance(network, nn.Module)
    weights = tmp_path / "weights.pth"
    state = {f"module.{name}": tensor + 0.01 for name, tensor in network.state_dict().items()}
    torch.save({"epoch": 3, "state_dict": state}, weights)
    options = "--channels 3 --range 0 255 --output fused.0 --order x2 x1 --list-input --normalize 0.5/0.25 --title Mine"
    folder = tmp_path / "mine"
    result = CliRunner().invoke(
        app, ["pack", f"{file}:Network", str(weights), "-o", str(folder), *options.split()]
    )
    assert result.exit_code == 0, result.output
    assert str(folder / "mine.pt2") in result.output
    method = PackedMethod(folder).load_here(torch.device("cpu"))
    assert (method.title, method.support_radius) == ("Mine", (1, 1))
    measured = PackedMethod(folder).description().measured
    assert (measured["radius"], measured["digest"]) == ([1, 1], method.weights_id)
    assert measured["difference"] <= 1e-9
    load_state(network, weights)
    x1, x2 = torch.rand(2, 1, 1, 15, 20)
    with torch.no_grad():
        wanted = (
            network([*(((x - 0.5) / 0.25).repeat(1, 3, 1, 1) for x in (x2, x1))])["fused"][0].mean(1) / 255
        )
        assert torch.allclose(method.network(x1, x2)[:, 0], wanted, atol=1e-6)


def test_a_function_of_two_images_is_a_network(file: Path) -> None:
    network = from_file(f"{file}:average")
    assert isinstance(network, nn.Module)
    assert torch.equal(network(torch.ones(1), torch.zeros(1)), torch.full((1,), 0.5))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a_users_network.py", "as network.py:make_network"),
        ("missing.py:Network", "no such file"),
        ("a_users_network.py:missing", "nothing called missing"),
        ("a_users_network.py:broken", "making the network failed"),
    ],
)
def test_what_cannot_be_made_is_told(file: Path, text: str, words: str) -> None:
    with pytest.raises(PackedMethodError, match=words):
        from_file(str(file.parent / text))


class Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.path),)


def test_weights_are_never_unpickled(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(pickle.dumps({"state_dict": Bomb(tmp_path / "boom")}))
    with pytest.raises(PackedMethodError, match="more than weights"):
        load_state(Tiny(), path)
    assert not (tmp_path / "boom").exists()
    torch.save(nn.Linear(2, 2).state_dict(), path)
    with pytest.raises(PackedMethodError, match="not weights of this network"):
        load_state(Tiny(), path)


class OneAtATime(nn.Module):
    """Forgets all pairs of a batch but the first."""

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return (torch.nn.functional.avg_pool2d(x1, 3, stride=1, padding=1) * x2)[:1]


def test_a_network_of_one_pair_at_a_time_is_packed_as_such_and_has_its_support(tmp_path: Path) -> None:
    packed = pack(OneAtATime(), tmp_path / "one", Wanted(Adaptation(sizes=1)))
    assert PackedMethod(tmp_path / "one").description().adaptation.single
    assert packed.method.support_radius == (1, 0)
    assert any("one pair at a time" in remark for remark in packed.remarks)
    assert packed.method.network(*torch.rand(2, 3, 1, 8, 10)).shape == (3, 1, 8, 10)


class ByValues(nn.Module):
    """Looks at a pixel's value to decide what to do."""

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return x1 if float(x1.mean()) > 0.5 else x2


def test_what_could_not_be_done_and_what_to_try_is_said(tmp_path: Path) -> None:
    with pytest.raises(FuseVisError, match=r"could not be exported.*--multiple.*--fixed"):
        pack(ByValues(), tmp_path / "values", Wanted(Adaptation(sizes=4)))
    with pytest.raises(FuseVisError, match="letters, digits"):
        pack(ByValues(), tmp_path / "a method", Wanted(Adaptation()))


def test_a_description_is_read_as_it_was_written(tmp_path: Path) -> None:
    adaptation = Adaptation(
        channels=3, value_range=(0.0, 255.0), output=("a", 1), sizes=(12, 16), mean=(0.1,), std=(0.5,),
        output_range=(-1.0, 1.0), swapped=True, channel="luma", least=4, single=True,
    )  # fmt: skip
    wanted = Wanted(adaptation, title='A "title"', note="Ünï\\code", names=("IR", "VIS"))
    (tmp_path / "a.toml").write_text(description_text(wanted, {"radius": [1, 2]}), encoding="utf-8")
    read = PackedMethod(tmp_path).description()
    assert read.adaptation == adaptation
    assert (read.title, read.note, read.modalities) == (wanted.title, wanted.note, wanted.names)
    assert read.measured == {"radius": [1, 2]}

"""A folder of methods on the command line, and the cards of methods."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from fusion.cli.main import app
from fusion.methods.cards import method_card
from fusion.methods.packed.folders import VARIABLE
from tests.unit.onnx_files import average, write_onnx

WANTED = """\
title = "Half of both"
note = "Only for tests."
[inputs]
order = ["x2", "x1"]
names = ["IR", "VIS"]
range = [0, 255]
"""


def run(*arguments: str, code: int = 0) -> Any:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    return result


@pytest.fixture
def methods(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(VARIABLE, raising=False)
    # In this process: starting one of its own takes seconds, and test_packed_isolation.py tries that.
    monkeypatch.setattr(
        "fusion.methods.registry.IsolatedMethod", lambda packed, device: packed.load_here(device)
    )
    monkeypatch.chdir(tmp_path)
    write_onnx(tmp_path / "methods" / "half", average(), WANTED)
    return tmp_path / "methods"


def test_a_folder_of_methods_and_the_path_of_one_are_taken_and_results_bear_its_id(
    methods: Path, tmp_path: Path
) -> None:
    images = np.random.default_rng(0).random((2, 12, 14))
    for name, image in zip(("a", "b"), images, strict=True):
        np.save(tmp_path / f"{name}.npy", image)
    said = [
        run("fuse", "a.npy", "b.npy", *given, "--no-pictures", "--device", "cpu").stdout.strip()
        for given in (("-m", "half", "--methods", str(methods)), ("-m", "methods/half"))
    ]
    assert said[0] == said[1] and said[0].endswith("_half.npz") and "/" not in said[0]
    assert VARIABLE not in os.environ
    with np.load(said[0]) as arrays:
        scaled = [(image - image.min()) / (image.max() - image.min()) for image in images]
        np.testing.assert_allclose(arrays["fused"], sum(scaled) / 2, atol=1e-6)
    assert "There is no method 'half'" in run("fuse", "a.npy", "b.npy", "-m", "half", code=2).output


def test_a_card_has_source_support_way_cost_checks_and_what_is_adapted(methods: Path) -> None:
    output = run("methods", "half", "--methods", str(methods), "--describe").stdout
    assert output.startswith("Half of both (half)\n")
    for words in (
        "half.onnx, an ONNX file of",
        "x1: IR, x2: VIS",
        "0 pixels of x1, 0 of x2",
        "chain",
        "ms at 128×128 pixels",
        "for images of 256×256 pixels",
        "ONNX Runtime",
        "autograd through the whole image in float64",
        "images in [0, 1] are brought to (0.0, 255.0)",
        "the network takes x2 first",
        "Only for tests.",
    ):
        assert words in output, words


def test_a_card_of_one_that_cannot_be_used_says_why(methods: Path) -> None:
    (methods / "half" / "half.onnx").write_bytes(b"nothing")
    assert "no ONNX file" in run("methods", "methods/half", "--describe", code=2).output


def test_a_card_of_a_method_that_ships() -> None:
    card = method_card("plain_mean")
    facts = dict(card.facts)
    assert facts["source"] == "built in" and facts["support"] == "0 pixels of x1, 0 of x2"
    assert "0 of the largest value apart" in facts["checks"] and facts["adapted"] == "nothing"

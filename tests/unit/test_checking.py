"""Checks of a network by rules: what each finds, what is stored, and what the command answers."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from torch import Tensor, nn
from typer.testing import CliRunner

import fusion
from fusion.checking.checks import run_checks, store_golden
from fusion.checking.rules import Rules, read_rules
from fusion.cli.main import app
from fusion.errors import RulesError

RULES = """\
[support]
most = 1
[air]
most = 0.01
[behaviour]
first_kept = 0.4
second_kept = 0.4
reversal = 0.1
[linearity]
gray_levels = 64
[determinism]
most = 0
[golden]
tolerance = 1e-6
[[region]]
name = "left"
box = [6, 4, 18, 14]
sign = ["positive", ""]
dominant = "neither"
"""


def pair(seed: int = 0) -> fusion.Pair:
    """Return a head of 12×20 pixels in air: x2 is dark on the left, x1 on the right."""
    images = np.zeros((2, 24, 28))
    images[:, 6:18, 4:24] = np.random.default_rng(seed).uniform(0.4, 0.9, (2, 12, 20))
    images[1, 6:18, 4:9] = images[0, 6:18, 19:24] = 0.01
    images[:, 6, 4] = 1
    return fusion.Pair.from_arrays(*images)


class Mean(nn.Module):
    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return (x1 + x2) / 2


class Wrong(nn.Module):
    """Multiplies and bends, leaks into the air, and turns both round; sees two pixels away."""

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        mean = nn.functional.avg_pool2d(x1, 5, stride=1, padding=2)
        return 0.1 - mean * x2**3


def method(network: nn.Module) -> fusion.Method:
    return fusion.Method.from_module(network, "made", "Made")


def rules_of(folder: Path, text: str = RULES) -> Path:
    path = folder / "rules.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_mean_keeps_all_rules_and_a_wrong_network_none(tmp_path: Path) -> None:
    rules, pairs, golden = read_rules(rules_of(tmp_path)), {"a": pair()}, tmp_path / "golden"
    mean = method(Mean())
    store_golden(golden, run_checks(mean, pairs, Rules())[1])
    checks, pictures = run_checks(mean, pairs, rules, golden)
    assert [check for check in checks if not check.passed] == []
    assert {check.name for check in checks} == {
        "support", "air leak", "and-gate, x1", "and-gate, x2", "reversal", "reach of linearity", "determinism",
        "sign of x1 in left", "dominance in left", "stored guidance",
    }  # fmt: skip
    assert pictures[0].guidance.shape == (2, 24, 28)
    found, _ = run_checks(method(Wrong()), pairs, rules, golden)
    kept = {check.name for check in found if check.passed}
    assert kept == {"determinism"}
    said = {check.name: check.said for check in found}
    assert said["support"] == "2 and 0 pixels; at most 1 and 1"
    assert said["air leak"].startswith("0.1 mean |y| outside of the head; at most 0.01")


def test_stored_guidance_that_is_missing_or_of_another_size_is_told(tmp_path: Path) -> None:
    rules = Rules(golden=1e-3)
    (missing,) = run_checks(method(Mean()), {"a": pair()}, rules, tmp_path)[0]
    assert not missing.passed and "--write-golden" in missing.said
    np.save(tmp_path / "a.npy", np.zeros((2, 5, 5)))
    (other,) = run_checks(method(Mean()), {"a": pair()}, rules, tmp_path)[0]
    assert not other.passed and "(5, 5) pixels, the pair of (24, 28)" in other.said
    with pytest.raises(RulesError, match="--golden FOLDER"):
        run_checks(method(Mean()), {"a": pair()}, rules)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[suport]\nmost = 1", "no rule suport; did you mean support"),
        ("[air]\nleast = 1", r"no rule air\.least"),
        ("[support]\nmost = 'x'", r"support\.most is a number of pixels"),
        ("[behaviour]\nreversal = 2", r"behaviour\.reversal is a number from 0 to 1"),
        ("air = 3", r"\[air\] is a table"),
        ("[[region]]\nsign = ['up', '']", "each region has a name"),
        ("[[region]]\nname = 'a'\nsign = ['up', '']", "the sign of a has two of"),
        ("[[region]]\nname = 'a'\nbox = [1, 2]", "the box of a is"),
        ("[[region]]\nname = 'a'\ndominant = 'x3'", "x1, x2 or neither"),
        ("air = ", "not a TOML file"),
    ],
)
def test_a_wrong_rule_is_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(RulesError, match=words):
        read_rules(rules_of(tmp_path, text))


def test_a_rule_of_an_unknown_pair_is_told(tmp_path: Path) -> None:
    rules = read_rules(rules_of(tmp_path, "[[region]]\nname = 'a'\npair = 'b'\ndominant = 'x1'"))
    with pytest.raises(RulesError, match="is of b; the pairs are a"):
        run_checks(method(Mean()), {"a": pair()}, rules)


def run(*arguments: str, code: int) -> Any:
    result = CliRunner().invoke(app, ["check", *arguments])
    assert result.exit_code == code, result.output
    return result


def test_the_command_stores_checks_reports_and_ends_with_what_came_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder, image in zip(("a", "b"), pair().images, strict=True):
        Path(folder).mkdir()
        Image.fromarray(np.rint(image * 255).astype(np.uint8)).save(f"{folder}/one.png")
    rules_of(tmp_path)
    common = ["plain_mean", "--pairs", "a", "b", "--golden", "golden"]
    assert run(*common, "--write-golden", code=0).stdout.split() == ["golden/one.npy"]
    asked = [*common, "--rules", "rules.toml"]
    run(*asked, "--junit", "out/junit.xml", "--report", "out/report.html", code=0)
    suite = ElementTree.parse("out/junit.xml").getroot()[0]
    assert suite.get("tests") == "10" and suite.get("failures") == "0" and len(suite) == 10
    page = Path("out/report.html").read_text(encoding="utf-8")
    assert "10 of 10 rules are kept" in page and page.count("data:image/png") == 5
    rules_of(tmp_path, '[[region]]\nname = "<all>"\ndominant = "x1"')
    run(*asked, "--junit", "out/junit.xml", code=1)
    (case,) = ElementTree.parse("out/junit.xml").getroot()[0]
    assert case.get("name") == "dominance in <all>" and case[0].tag == "failure"
    assert "--rules" in run(*common, code=2).output

"""The wheel holds all that the page and the command line need, and works where the checkout is not.

Its pages are opened by `tests/browser/test_wheel.py`, on a server that takes some seconds to start.
"""

from __future__ import annotations

import configparser
import os
import subprocess
import sys
from email import message_from_string
from pathlib import Path

import pytest

import fusion
from tests.wheel import PACKAGES, ROOT, unpacked_wheel


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpacked_wheel(tmp_path_factory.mktemp("wheel"))


def said(content: Path, folder: Path, *arguments: str) -> str:
    """Return what a Python prints that finds the wheel's content and not the checkout."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(content)},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout


def information(content: Path, name: str) -> str:
    (folder,) = content.glob("fusevis-*.dist-info")
    return (folder / name).read_text(encoding="utf-8")


def test_it_holds_every_file_of_the_house(content: Path) -> None:
    files = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    held = {path.relative_to(content).as_posix() for path in content.rglob("*") if path.is_file()}
    assert {name for name in held if ".dist-info/" not in name} == files


def test_its_requirements_are_those_of_the_lists(content: Path) -> None:
    metadata = message_from_string(information(content, "METADATA"))
    assert metadata["Version"] == fusion.__version__
    assert {"train", "cluster", "dev"} == set(metadata.get_all("Provides-Extra", []))
    required = metadata.get_all("Requires-Dist", [])
    lines = [
        line
        for path in ROOT.glob("requirements*.txt")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    assert len(required) == len(lines)
    assert "torch==2.13.0" in required
    assert any(one.startswith("nilearn") and one.endswith('; extra == "train"') for one in required)
    assert {"licenses/LICENSE", "licenses/NOTICE"} <= {
        path.relative_to(path.parents[1]).as_posix() for path in content.glob("*.dist-info/licenses/*")
    }


def test_its_commands_explain_themselves(content: Path, tmp_path: Path) -> None:
    parser = configparser.ConfigParser()
    parser.read_string(information(content, "entry_points.txt"))
    commands = dict(parser["console_scripts"])
    assert set(commands) == {"fusevis", "fusevis-cli"}
    for command, target in commands.items():
        module, function = target.split(":")
        program = f"import sys; sys.argv = [{command!r}, '--help']; from {module} import {function} as f; f()"
        assert f"Usage: {command}" in said(content, tmp_path, "-c", program)


def test_its_command_line_finds_samples_weights_and_measurements(content: Path, tmp_path: Path) -> None:
    assert "glioma-t2" in said(content, tmp_path, "-m", "fusion", "samples")
    said(
        content, tmp_path, "-m", "fusion", "fuse", "--sample", "glioma-t2", "-o", "fused.npz", "--no-pictures"
    )
    assert (tmp_path / "fused.npz").is_file()
    program = "import app, benchmarks.jacobian_guidance, cache, callbacks, fusion; print(app.__file__, fusion.__file__)"
    files = said(content, tmp_path, "-c", program).split()
    assert all(Path(file).is_relative_to(content) for file in files)

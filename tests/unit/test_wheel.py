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
    held = {
        path.relative_to(content).as_posix()
        for path in content.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in held if ".dist-info/" not in name} == files


def test_its_requirements_are_those_of_the_lists(content: Path) -> None:
    metadata = message_from_string(information(content, "METADATA"))
    assert metadata["Version"] == fusion.__version__
    assert {"train", "cluster", "s3", "dev"} == set(metadata.get_all("Provides-Extra", []))
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


# Both in one process, as importing torch takes seconds.
HELP = """
import contextlib, importlib, sys
arguments = sys.argv[1:]
for command, target in zip(arguments[::2], arguments[1::2]):
    module, function = target.split(":")
    sys.argv = [command, "--help"]
    with contextlib.suppress(SystemExit):
        getattr(importlib.import_module(module), function)()
"""


def test_its_commands_explain_themselves(content: Path, tmp_path: Path) -> None:
    parser = configparser.ConfigParser()
    parser.read_string(information(content, "entry_points.txt"))
    commands = dict(parser["console_scripts"])
    assert set(commands) == {"fusevis", "fusevis-cli"}
    told = said(content, tmp_path, "-c", HELP, *(part for named in commands.items() for part in named))
    for command in commands:
        assert f"Usage: {command}" in told


# All in one process too.
SAMPLES_AND_FILES = """
import sys
import benchmarks.jacobian_guidance, cache, callbacks
import app, fusion
from fusion.__main__ import app as command
command(sys.argv[1:], standalone_mode=False)
command(["samples"], standalone_mode=False)
print(app.__file__, fusion.__file__)
"""


def test_its_command_line_finds_samples_weights_and_measurements(content: Path, tmp_path: Path) -> None:
    fuse = ("fuse", "--sample", "glioma-t2", "-o", "fused.npz", "--no-pictures")
    *listed, files = said(content, tmp_path, "-c", SAMPLES_AND_FILES, *fuse).splitlines()
    assert (tmp_path / "fused.npz").is_file()
    assert any("glioma-t2" in line for line in listed)
    assert all(Path(file).is_relative_to(content) for file in files.split())

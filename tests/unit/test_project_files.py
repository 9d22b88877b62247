"""What stands beside the code is true: the Makefile's words about PyTorch, citation, changes, hosted tests."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VERSIONS = "Available versions: 2.15.0, {}2.13.0, 2.12.1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the Makefile and a Python that says of pip what `VERSIONS` has."""
    for name in ("Makefile", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "python-ready").touch()
    return tmp_path


def said(folder: Path, versions: str, *arguments: str) -> str:
    """Return what make says before it installs anything."""
    python = folder / ".venv" / "bin" / "python"
    python.write_text(
        f'#!/bin/sh\ncase "$3" in index) echo "{versions}";; *) echo "$@";; esac\n', encoding="utf-8"
    )
    python.chmod(0o755)
    return subprocess.run(
        ["make", "--no-print-directory", ".venv/torch-chosen", *arguments],
        cwd=folder,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout


def test_make_warns_of_a_large_download_only_where_there_is_one(folder: Path) -> None:
    assert "2.7 GB" in said(folder, VERSIONS.format(""))
    for versions in (VERSIONS.format("2.13.0+cpu, "), VERSIONS.format("") + "\n  INSTALLED: 2.13.0"):
        (folder / ".venv" / "torch-chosen").unlink()
        assert said(folder, versions) == ""


def test_make_takes_pytorch_from_a_named_index(folder: Path) -> None:
    output = said(folder, VERSIONS.format(""), "TORCH_INDEX=file:///somewhere")
    assert "-m pip install" in output and "--no-deps --index-url file:///somewhere torch==2.13.0" in output
    assert "2.7 GB" not in output

"""What stands beside the code is true: the Makefile's words about PyTorch, citation, changes, hosted tests."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import fusion

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


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_version_is_the_same_everywhere() -> None:
    citation = yaml.safe_load(read("CITATION.cff"))
    assert citation["version"] == fusion.__version__
    newest = re.search(r"^## ([\d.]+)", read("CHANGELOG.md"), re.MULTILINE)
    assert newest is not None and newest.group(1) == fusion.__version__


def test_the_paper_is_cited() -> None:
    citation = yaml.safe_load(read("CITATION.cff"))
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    paper = citation["preferred-citation"]
    assert f"https://doi.org/{paper['doi']}" in read("README.md")
    assert paper["title"].split(":")[0] == "FuseVis"


def test_hosted_tests_and_hooks_call_what_make_has() -> None:
    workflow = yaml.safe_load(read(".github/workflows/test.yml"))
    assert [step["run"] for step in workflow["jobs"]["test"]["steps"] if "run" in step] == ["make test"]
    (repository,) = yaml.safe_load(read(".pre-commit-config.yaml"))["repos"]
    assert repository["repo"] == "local"
    assert [hook["entry"] for hook in repository["hooks"]] == ["make lint"]


def test_every_target_that_is_named_is_there() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    code = "".join(
        part
        for page in pages
        for part in re.findall(r"```.*?```|`[^`]+`", page.read_text(encoding="utf-8"), re.DOTALL)
    )
    listed = set(re.findall(r"^#   make ([a-z-]+)", read("Makefile"), re.MULTILINE))
    rules = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    assert (listed | set(re.findall(r"\bmake ([a-z]+(?:-[a-z]+)*)", code))) - rules == set()
    assert rules - listed <= {"format", "browser"}


def test_links_between_pages_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_what_installs_names_no_address() -> None:
    files = ["Makefile", ".github/workflows/test.yml", ".pre-commit-config.yaml", ".ci/run"]
    lists = [path.name for path in ROOT.glob("requirements*.txt")]
    assert [name for name in (*files, *lists) if re.search(r"https?://(?!127\.0\.0\.1)", read(name))] == []


def test_the_pages_of_the_api_have_every_public_name(tmp_path: Path) -> None:
    command = re.search(r"python (-m pdoc .+?--output-directory) \S+ (.+)", read("Makefile"))
    assert command is not None
    options, modules = (part.split() for part in command.groups())
    subprocess.run([sys.executable, *options, str(tmp_path), *modules], check=True, cwd=ROOT)
    page = (tmp_path / "fusion.html").read_text(encoding="utf-8")
    assert [name for name in fusion.__all__ if f'id="{name}"' not in page] == []
    assert (tmp_path / "index.html").is_file()

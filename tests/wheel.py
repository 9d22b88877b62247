"""FuseVis as others install it: the wheel, and the server that starts from it, away from this checkout.

``python -m tests.wheel`` builds the wheel, installs it with all it needs into a new environment and opens its pages.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin
from urllib.request import urlopen

import numpy as np
import typer

from benchmarks.server import COMMAND, LOG, ROOT, server_in

PACKAGES = ("app", "assets", "benchmarks", "cache", "callbacks", "fusevis", "fusion")
BESIDE = ("pyproject.toml", "README.md", "LICENSE", "NOTICE", *map(str, ROOT.glob("requirements*.txt")))
PAGES = ("", "compare", "training")
LINK = re.compile(r'(?:src|href)="(/[^"]*)"')
FIRST_VIEW = re.compile(r'<script id="first-view"[^>]*>(.*?)</script>', re.DOTALL)


def build_wheel(folder: Path) -> Path:
    """Build the wheel from a copy of the checkout, which stays as it is, and without a network."""
    source = folder / "source"
    for package in PACKAGES:
        shutil.copytree(ROOT / package, source / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in BESIDE:
        shutil.copy(ROOT / name, source)
    options = ("--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--wheel-dir")
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, folder, source], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def unpacked_wheel(folder: Path) -> Path:
    """Build the wheel and return a folder with its content."""
    content = folder / "content"
    with zipfile.ZipFile(build_wheel(folder)) as wheel:
        wheel.extractall(content)
    return content


@contextmanager
def wheel_server(content: Path, folder: Path) -> Iterator[str]:
    """Start the page from a wheel's content, with this environment's packages; yield its address."""
    settings = {"FUSEVIS_DEVICE": "cpu", "PYTHONPATH": str(content)}
    with server_in(folder, None, settings, COMMAND, working_folder=folder) as running:
        yield running.url
    log = (folder / LOG).read_text()
    assert "Traceback" not in log, log


def fetched(url: str) -> bytes:
    """Return what a server answers; an error status raises."""
    with urlopen(url) as answer:
        content: bytes = answer.read()
    return content


def require_pages(url: str) -> None:
    """Require of a server every page with all that its HTML names, and the pictures of the first view."""
    for page in PAGES:
        html = fetched(url + page).decode()
        links = LINK.findall(html)
        assert any("/assets/" in link for link in links), f"/{page} names no file of assets"
        assert all(fetched(urljoin(url, link)) for link in links)
    found = FIRST_VIEW.search(fetched(url).decode())
    assert found is not None, "the page does not know its first view: no samples, or no weights"
    view = json.loads(found.group(1))
    assert len(fetched(f"{url}{view['images']}/inputs")) > 4 * 2 * view["height"] * view["width"]
    assert np.isfinite(np.frombuffer(fetched(url + view["window"])[32:], "<f4")).all()


def installed(wheel: Path, environment: Path, torch_index: str) -> Path:
    """Install a wheel with all it needs into a new environment; return the folder of its commands."""
    venv.create(environment, with_pip=True)
    commands = environment / "bin"
    pip = [str(commands / "python"), "-m", "pip", "--disable-pip-version-check"]
    if torch_index:
        (torch,) = re.findall(r"^torch==\S+", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
        subprocess.run([*pip, "install", "--no-deps", "--index-url", torch_index, torch], check=True)
    subprocess.run([*pip, "install", str(wheel)], check=True)
    subprocess.run([*pip, "check"], check=True)
    return commands


def main(torch_index: str = "") -> None:
    """Check the wheel in an empty environment."""
    with tempfile.TemporaryDirectory(prefix="fusevis_wheel_") as name:
        folder = Path(name)
        commands = installed(build_wheel(folder), folder / "environment", torch_index)
        elsewhere = folder / "elsewhere"
        elsewhere.mkdir()
        fuse = [str(commands / "fusevis-cli"), "fuse", "--sample", "glioma-t2"]
        subprocess.run(fuse, cwd=elsewhere, check=True)
        settings = {"FUSEVIS_DEVICE": "cpu"}
        with server_in(elsewhere, None, settings, [str(commands / "fusevis")], elsewhere) as running:
            require_pages(running.url)
    typer.echo("The wheel installs into an empty environment, and its commands and pages work.")


if __name__ == "__main__":
    typer.run(main)

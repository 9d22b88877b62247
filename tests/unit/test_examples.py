"""The notebook runs from its first cell to its last, and the numbers that stand in it are those of today."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from numpy.typing import NDArray

import fusion
from tests.running_server import write_pair

NOTEBOOK = Path(__file__).parents[2] / "examples" / "first_steps.ipynb"
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")


@pytest.fixture
def cells() -> list[dict[str, Any]]:
    """Return the notebook's cells with code."""
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def run(cells: list[dict[str, Any]], names: dict[str, Any]) -> None:
    """Run cells one after the other with these names, as a notebook does."""
    for number, cell in enumerate(cells):
        exec(compile("".join(cell["source"]), f"cell {number}", "exec"), names)


def numbers(text: str) -> NDArray[np.float64]:
    return np.array([float(one) for one in NUMBER.findall(text)])


def test_it_runs_on_files_of_ones_own(cells: list[dict[str, Any]], tmp_path: Path) -> None:
    names: dict[str, Any] = {}
    run(cells[:1], names)
    files = write_pair(tmp_path)
    names["mri_file"], names["pet_file"] = files
    names["row"], names["column"] = 20, 31
    with matplotlib.rc_context({"backend": "agg"}):
        run(cells[1:], names)
        names["plt"].close("all")
    method, pair = fusion.load_method("deepfuse", "cpu"), fusion.load_pair(*files)
    np.testing.assert_allclose(names["guidance"], fusion.guidance(method, pair), rtol=1e-5, atol=1e-6)
    drawn = names["axes"][0, 2].images[0].get_array()
    np.testing.assert_array_equal(drawn, names["guidance"][0])


def test_it_stands_there_as_it_was_run(
    cells: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    run(cells[:3], {})
    text = "".join(
        "".join(output["text"])
        for cell in cells
        for output in cell["outputs"]
        if output["output_type"] == "stream"
    )
    today = capsys.readouterr().out
    assert NUMBER.sub("", today) == NUMBER.sub("", text)
    np.testing.assert_allclose(numbers(today), numbers(text), atol=2e-3)
    (picture,) = cells[-1]["outputs"]
    assert "image/png" in picture["data"]

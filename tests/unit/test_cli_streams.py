"""What becomes of a command whose standard output cannot be written: its work is done all the same."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import fusion.cli.compare
import fusion.cli.report
from fusion.cli.streams import PatientStream, patient_streams, writable
from tests.unit.command_line import run, write_pair

ROOT = Path(__file__).parents[2]
FULL = Path("/dev/full")
BROKEN, NO_SPACE = BrokenPipeError(32, "Broken pipe"), OSError(28, "No space left on device")


class Failing(io.StringIO):
    """A stream that cannot be written any more after some times."""

    encoding, errors = "utf-8", "strict"

    def __init__(self, error: OSError, times: int = 0) -> None:
        super().__init__()
        self.error = error
        self.left = times

    def write(self, text: str) -> int:
        self.left -= 1
        if self.left < 0:
            raise self.error
        return super().write(text)


def started(
    files: list[str],
    folder: Path,
    redirect: str = "",
    encoding: str = "utf-8",
    stdout: int = subprocess.PIPE,
) -> tuple[int, str, str]:
    """Compare the files in a process of its own; return exit code, standard output and standard error."""
    command = f'exec "$0" -m fusion compare "$1" "$2" -m weighted_averaging -o "$3" {redirect}'
    done = subprocess.run(
        ["sh", "-c", command, sys.executable, *files, str(folder / "numbers.csv")],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        stdout=stdout,
        stderr=subprocess.PIPE,
        check=False,
    )
    return done.returncode, (done.stdout or b"").decode(encoding), done.stderr.decode(encoding)


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    return write_pair(tmp_path)


def test_a_closed_pipe_ends_quietly(files: list[str], tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    code, _, errors = started(files, tmp_path, stdout=writer)
    os.close(writer)
    assert (code, errors) == (0, "")
    assert (tmp_path / "numbers.csv").stat().st_size > 1000


@pytest.mark.skipif(not FULL.exists(), reason="there is no device that is always full")
def test_a_full_disk_below_the_output_is_told_in_a_sentence(files: list[str], tmp_path: Path) -> None:
    code, _, errors = started(files, tmp_path, f"> {FULL}")
    assert code == 2
    assert errors == (
        "Error: The output could not be written (No space left on device). Files of results are not affected.\n"
    )
    assert (tmp_path / "numbers.csv").stat().st_size > 1000


def test_without_a_standard_output_the_file_is_written(files: list[str], tmp_path: Path) -> None:
    assert started(files, tmp_path, ">&-") == (0, "", "")
    assert (tmp_path / "numbers.csv").stat().st_size > 1000


def test_an_encoding_without_the_signs_of_tables(files: list[str], tmp_path: Path) -> None:
    code, output, errors = started(files, tmp_path, encoding="latin-1")
    assert (code, errors) == (0, "")
    assert " -1.000" in output and "----" in output and "?" not in output


@pytest.mark.parametrize("error", [BROKEN, NO_SPACE])
def test_nothing_more_is_written_and_nothing_raised(error: OSError) -> None:
    inner = Failing(error, 1)
    stream = PatientStream(inner)
    for text in ("first", "second", "third"):
        assert stream.write(text) == len(text)
    stream.flush()
    assert inner.getvalue() == "first" and inner.left == -1
    assert stream.problem is error and not stream.isatty()
    assert not hasattr(stream, "buffer")


@pytest.mark.parametrize("change", [lambda _: None, lambda patch: patch.setattr(sys, "stderr", None)])
def test_what_failed_is_told_at_the_end(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[pytest.MonkeyPatch], None]
) -> None:
    change(monkeypatch)
    inner = Failing(NO_SPACE)
    monkeypatch.setattr(sys, "stdout", inner)
    done = []

    def work() -> None:
        with patient_streams():
            sys.stdout.write("words")
            done.append("work")

    with pytest.raises(SystemExit) as end:
        work()
    assert done == ["work"] and end.value.code == 2 and sys.stdout is inner


def test_a_reader_that_has_left_is_not_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdout", Failing(BROKEN))
    with patient_streams():
        sys.stdout.write("words")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("text", "encoding", "errors", "expected"),
    [
        ("−0.5 × ∞ –", "utf-8", "strict", "−0.5 × ∞ –"),
        ("−0.5 × ∞ –", "latin-1", "strict", "-0.5 × inf -"),
        ("−0.5 × Σ", "ascii", "strict", "-0.5 x Sum"),
        ("Läsion", "ascii", "strict", "L?sion"),
        ("a\udcff", "utf-8", "surrogateescape", "a\udcff"),
        ("a\udcff", "utf-8", "strict", "a?"),
    ],
)
def test_signs_that_an_encoding_lacks(text: str, encoding: str, errors: str, expected: str) -> None:
    assert writable(text, io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors=errors)) == expected


def test_tables_are_shown_where_their_file_cannot_be_written(
    files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise NO_SPACE

    monkeypatch.setattr(fusion.cli.compare.Path, "write_text", full)
    result = run("compare", *files, "-m", "weighted_averaging", "-o", str(tmp_path / "x.csv"), expect=2)
    assert "Guidance images by region" in result.stdout and "No space left" in result.stderr


def test_scores_are_written_before_they_are_shown_and_their_place_is_looked_at_first(
    tmp_path: Path, files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("computed, though it cannot be kept")

    monkeypatch.setattr(fusion.cli.report, "score_methods", never)
    monkeypatch.setattr(fusion.cli.report, "WINDOW", 1)
    for folder, file in zip(("a", "b"), files, strict=True):
        (tmp_path / folder).mkdir()
        Path(file).rename(tmp_path / folder / "1.png")
    folders = [str(tmp_path / "a"), str(tmp_path / "b")]
    for output, words in (("a", "is a folder"), ("a/1.png", "is an input")):
        error = run("report", "pairs", *folders, "-o", str(tmp_path / output), expect=2).stderr
        assert words in " ".join(error.split())

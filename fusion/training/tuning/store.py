"""The folder of a search: its plan, and one line for each finished instance, so that it can go on later."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from fusion.errors import OutputError
from fusion.training.tuning.instance import Instance, InstanceResult, InstanceTraining, TuningError
from fusion.training.tuning.plan import SearchPlan

FORMAT = 1
PLAN = "plan.json"
INSTANCES = "instances.jsonl"
WEIGHTS = "weights"


class ResultStore:
    """Results of a search so far; made by `open_store`.

    Attributes
    ----------
    folder : Path
        Where it is kept.
    results : dict
        The last result of every instance that was trained.
    notices : list of str
        What the user should know about the folder.
    """

    def __init__(self, folder: Path, file: BinaryIO) -> None:
        self.folder = folder
        self.notices: list[str] = []
        self._file = file
        self.results = self._read()

    def add(self, result: InstanceResult, files: Mapping[str, bytes] | None = None) -> None:
        """Keep a result, on the disk when this returns; of one instance the last result counts.

        Parameters
        ----------
        result : InstanceResult
            What came of an instance.
        files : mapping, optional
            Contents by extension, written into the folder ``weights``.
        """
        line = json.dumps(result.values(), allow_nan=False).encode() + b"\n"
        try:
            # The files first: an instance counts as finished only when all of it is there.
            for extension, content in (files or {}).items():
                path = self.folder / WEIGHTS / f"{result.instance.key}{extension}"
                path.parent.mkdir(exist_ok=True)
                write_whole(path, content)
            self._file.write(line)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise _unwritable(self.folder, error) from error
        self.results[result.instance] = result

    def _read(self) -> dict[Instance, InstanceResult]:
        self._file.seek(0)
        lines = self._file.read().splitlines(keepends=True)
        results: dict[Instance, InstanceResult] = {}
        sound = 0
        for number, line in enumerate(lines, start=1):
            try:
                # Whoever was stopped while writing a line did not write its end.
                if not line.endswith(b"\n"):
                    raise ValueError("the line has no end")
                result = InstanceResult.from_values(json.loads(line))
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                if number < len(lines):
                    raise TuningError(
                        f"{self.folder / INSTANCES}: line {number} is damaged. Take it out to train its instance "
                        "again, or choose another --output FOLDER."
                    ) from error
                self.notices.append(
                    f"The last line of {self.folder / INSTANCES} is damaged and was taken out; its instance "
                    "is trained again."
                )
                self._file.truncate(sound)
                break
            results[result.instance] = result
            sound += len(line)
        self._file.seek(0, os.SEEK_END)
        return results


@contextmanager
def open_store(folder: Path, plan: SearchPlan, training: InstanceTraining) -> Iterator[ResultStore]:
    """Open a search's folder, a new one or one to go on with.

    Parameters
    ----------
    folder : Path
        Made where it does not exist.
    plan : SearchPlan
        What is tried. In a folder with a search it may only add to what that one tries.
    training : InstanceTraining
        How instances are trained; in a folder with a search the same as there.

    Raises
    ------
    TuningError
        If the folder holds another search, is in use by one that runs, or is damaged.
    OutputError
        If nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / INSTANCES).open("a+b")
    except OSError as error:
        raise _unwritable(folder, error) from error
    with file:
        try:
            # Two searches in one folder would train everything twice. The lock ends with the process.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TuningError(
                f"Another search is running in {folder}. Wait for it, or choose another --output FOLDER."
            ) from None
        except OSError as error:
            raise _unwritable(folder, error) from error
        _keep_plan(folder, plan, training)
        yield ResultStore(folder, file)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that nobody ever sees half of it."""
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _keep_plan(folder: Path, plan: SearchPlan, training: InstanceTraining) -> None:
    path = folder / PLAN
    if path.exists():
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["format"] != FORMAT:
                raise ValueError("another format")
            earlier_training: dict[str, Any] = dict(content["training"])
            earlier_plan = SearchPlan.from_values(content["search"])
        except OSError as error:
            raise _unwritable(folder, error) from error
        except (KeyError, TypeError, ValueError, TuningError) as error:
            raise TuningError(
                f"{path}: this is not the plan of a search, or it is damaged. Choose another --output FOLDER."
            ) from error
        _check_same(folder, earlier_training, training.values())
        if missing := plan.missing(earlier_plan):
            raise TuningError(
                f"{folder} holds a larger search, with {'; '.join(missing)}. A search that goes on may add to "
                "it but not leave anything out: give these too, or choose another --output FOLDER."
            )
        if plan == earlier_plan:
            return
    elif (folder / INSTANCES).stat().st_size:
        raise TuningError(f"{folder} has results but no {PLAN}. Choose another --output FOLDER.")
    content = {"format": FORMAT, "training": training.values(), "search": plan.values()}
    try:
        write_whole(path, (json.dumps(content, indent=2) + "\n").encode())
    except OSError as error:
        raise _unwritable(folder, error) from error


def _check_same(folder: Path, earlier: dict[str, Any], now: dict[str, Any]) -> None:
    different = [
        f"{name.replace('_', ' ')} {earlier.get(name)} there, {now.get(name)} here"
        for name in {**earlier, **now}
        if earlier.get(name) != now.get(name)
    ]
    if different:
        raise TuningError(
            f"{folder} holds a search whose instances are trained in another way ({'; '.join(different)}), so "
            "that they cannot be compared. Give the same options, or choose another --output FOLDER."
        )


def _unwritable(folder: Path, error: OSError) -> OutputError:
    return OutputError(
        f"The search cannot be kept in {folder} ({error.strerror or error}). Choose another --output FOLDER."
    )

"""Foreign networks in processes of their own: the same numbers as here, and whatever they do harms nobody else."""

from __future__ import annotations

import inspect
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import fusion
from fusion.errors import Cancelled, FuseVisError, NetworkError, WeightsError
from fusion.methods.packed.child import allow_seconds, set_limits
from fusion.methods.packed.elsewhere import ForeignProcess, IsolatedMethod, Limits
from fusion.methods.packed.folders import PackedMethod
from fusion.methods.packed.wire import Ended, Message, TooLate, receive, send
from fusion.pair import Pair
from tests.unit.packed_folders import PROGRAM, archive_of, entries_of, tiny_archive, write_method


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_method(tmp_path_factory.mktemp("methods") / "mine")


@pytest.fixture(scope="module")
def isolated(folder: Path) -> Iterator[IsolatedMethod]:
    method = fusion.load_method(str(folder))
    assert isinstance(method, IsolatedMethod)
    yield method
    method.close()


@pytest.fixture(scope="module")
def pair() -> Pair:
    return Pair.from_arrays(*np.random.default_rng().random((2, 20, 23)))


def test_everything_is_what_it_would_be_here(isolated: IsolatedMethod, folder: Path, pair: Pair) -> None:
    here = PackedMethod(folder).load_here(torch.device("cpu"))
    assert (isolated.locality, isolated.weights_id, isolated.title) == (
        here.locality,
        here.weights_id,
        here.title,
    )
    pixels = [(0, 0), (7, 9), (19, 22)]
    fusion.prepare(isolated, pair)
    for dtype in ("float32", "float64"):
        windows = zip(
            fusion.jacobians(isolated, pair, pixels, dtype),
            fusion.jacobians(here, pair, pixels, dtype),
            strict=True,
        )
        for got, wanted in windows:
            assert np.allclose(got.dense(), wanted.dense(), rtol=1e-6, atol=1e-9)
            assert got.values.dtype == dtype
        assert np.allclose(fusion.fuse(isolated, pair, dtype), fusion.fuse(here, pair, dtype), atol=1e-6)
    images = torch.rand(2, 1, 1, 9, 8, requires_grad=True)
    ours, known = (
        torch.autograd.grad(method.network(*images).sum(), images)[0] for method in (isolated, here)
    )
    assert torch.allclose(ours, known)


def test_guidance_grows_can_be_stopped_and_does_not_hold_hovers_up(
    isolated: IsolatedMethod, pair: Pair
) -> None:
    states: list[int] = []

    def stop_at_the_second(done: int, total: int, values: np.ndarray) -> None:
        states.append(int(np.isfinite(values[0]).sum()))
        fusion.jacobian(isolated, pair, (3, 3))
        if done == 2:
            raise Cancelled("enough")

    with pytest.raises(Cancelled, match="enough"):
        fusion.guidance(isolated, pair, stop_at_the_second)
    assert 0 < states[0] < states[1]


def test_an_estimate_is_that_of_here_and_can_be_stopped(
    isolated: IsolatedMethod, folder: Path, pair: Pair
) -> None:
    here = PackedMethod(folder).load_here(torch.device("cpu"))
    seen: list[tuple[int, int]] = []
    found, wanted = (
        fusion.estimated_guidance(isolated, pair, 2, 3, 5, lambda *told: seen.append(told)),
        fusion.estimated_guidance(here, pair, 2, 3, 5),
    )
    np.testing.assert_allclose(found.values, wanted.values, atol=1e-6)
    np.testing.assert_allclose(found.standard_error, wanted.standard_error, atol=1e-6)
    assert (found.rounds, found.passes) == (2, 18) and seen[-1] == (18, 18)

    def stop(done: int, total: int) -> None:
        raise Cancelled("enough")

    with pytest.raises(Cancelled, match="enough"):
        fusion.estimated_guidance(isolated, pair, 2, 3, progress=stop)


def test_errors_are_those_of_here(isolated: IsolatedMethod) -> None:
    with pytest.raises(NetworkError, match="at least 2 pixels"):
        fusion.fuse(isolated, Pair.from_arrays(*np.random.default_rng().random((2, 1, 9))))


def test_a_process_that_was_ended_is_started_again(
    isolated: IsolatedMethod, folder: Path, pair: Pair
) -> None:
    window = fusion.jacobian(isolated, pair, (5, 5))
    isolated.close()
    assert np.array_equal(fusion.jacobian(isolated, pair, (5, 5)).values, window.values)
    isolated.close()
    (folder / "mine.toml").write_text("[inputs]\nrange = [0, 255]\n")
    with pytest.raises(WeightsError, match="have changed"):
        fusion.jacobian(isolated, pair, (5, 5))
    (folder / "mine.toml").write_text('title = "Mine"\n')


def test_a_network_that_eats_memory_is_refused_with_the_figures(tmp_path: Path) -> None:
    entries = entries_of(tiny_archive())
    program = json.loads(entries[PROGRAM])
    relu = next(node for node in program["graph_module"]["graph"]["nodes"] if "relu" in node["target"])
    relu["target"] = "torch.ops.aten.zeros.default"
    relu["inputs"] = [{"name": "size", "arg": {"as_ints": [1 << 20, 1 << 20]}, "kind": 1}]
    folder = write_method(tmp_path / "eater", archive_of(entries | {PROGRAM: json.dumps(program).encode()}))
    with pytest.raises(FuseVisError, match=r"needs more memory than the 4\.0 GiB"):
        IsolatedMethod(PackedMethod(folder), torch.device("cpu"), Limits(memory=4 * 2**30))


FAULTS = {
    "hangs": ("time.sleep(600)", 1, "no answer within 1 s"),
    "SystemExit": ("raise SystemExit(3)", 60, "ended by itself with code 3"),
    "a crash": ("os.kill(os.getpid(), signal.SIGSEGV)", 60, "the signal SIGSEGV"),
    "killed": ("os.kill(os.getpid(), signal.SIGKILL)", 60, "the signal SIGKILL"),
    "out of processor time": ("os.kill(os.getpid(), signal.SIGXCPU)", 60, "s of processors"),
    "nonsense": ("os.write(1, b'x' * 99); time.sleep(600)", 60, "ended|signal"),
    "an error of another kind": (
        'h = b\'{"kind": "error", "facts": {"type": "Path", "message": "told"}, "arrays": []}\'; '
        "os.write(1, len(h).to_bytes(8, 'little') + h); time.sleep(600)",
        60,
        "told",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_whatever_happens_to_the_process_is_told(tmp_path: Path, name: str) -> None:
    program, seconds, words = FAULTS[name]
    head = "import os, signal, time\nos.read(0, 65536)\n"
    packed = PackedMethod(write_method(tmp_path / "mine"))
    process = ForeignProcess(
        packed, torch.device("cpu"), Limits(seconds=seconds), None, (sys.executable, "-c", head + program)
    )
    with pytest.raises(NetworkError, match=words):
        process.start()


def test_limits_are_in_force(tmp_path: Path) -> None:
    """The system ends what takes too much processor time, and lets nobody write a file."""
    program = [
        "import os, resource, sys",
        *(inspect.getsource(function) for function in (set_limits, allow_seconds)),
        "set_limits(None)",
        f"place = os.open({str(tmp_path / 'file')!r}, os.O_CREAT | os.O_WRONLY)",
        "try:\n    os.write(place, b'x')\n    sys.exit(9)\nexcept OSError:\n    pass",
        "allow_seconds(1)",
        "while True: pass",
    ]
    ended = os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", "\n".join(program)])
    assert ended == -signal.SIGXCPU


def test_messages_are_plain_and_those_that_are_not_are_refused() -> None:
    reader, writer = os.pipe()
    try:
        arrays: list[NDArray[Any]] = [np.arange(6, dtype=np.float32).reshape(2, 3), np.zeros((0, 4))]
        send(writer, Message("kind", {"a": [1, None]}, arrays))
        got = receive(reader, 5)
        assert (got.kind, got.facts) == ("kind", {"a": [1, None]})
        assert all(np.array_equal(one, other) for one, other in zip(got.arrays, arrays, strict=True))
        with pytest.raises(TooLate):
            receive(reader, 0.01)
        head = b'{"kind": "x", "facts": {}, "arrays": [["object", [4]]]}'
        os.write(writer, len(head).to_bytes(8, "little") + head)
        with pytest.raises(Ended, match="no arrays of decimals"):
            receive(reader, 5)
        os.write(writer, b"\xff" * 8)
        with pytest.raises(Ended, match="too long"):
            receive(reader, 5)
    finally:
        os.close(reader)
        os.close(writer)

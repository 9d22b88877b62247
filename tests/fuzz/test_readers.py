"""Whatever a file has in it, it is read as a gray image or refused by our own error, in little time and memory."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.decoders import Axis, Selection
from fusion.errors import FuseVisError
from fusion.reading import read_picture
from tests.fuzz.damaged_files import KINDS, contents, damaged

SECONDS = 30
"""After which a file counts as one that hangs the reader."""
MEMORY = 2**30
"""Bytes by which the process may grow."""
PIXELS = 200_000

SOUND = contents()


class Hung(BaseException):
    """Not an `Exception`, which readers take for damage."""


@contextmanager
def bounded() -> Iterator[None]:
    """Stop what takes too long."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Hung(f"more than {SECONDS} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def largest() -> int:
    """Return the most memory that the process had so far, bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.timeout(0)
@given(data=st.data())
def test_a_damaged_file_gives_an_image_or_our_error(
    kind: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / kind
    path.write_bytes(damaged(SOUND[kind], data))
    selection = Selection(data.draw(st.sampled_from(Axis)), slice=data.draw(st.integers(0, 3)), frame=0)
    before = largest()
    try:
        with bounded():
            picture = read_picture(Path(path), PIXELS, selection)
    except FuseVisError as error:
        message = str(error)
    else:
        message = str(path)
        assert picture.values.ndim == 2 and 0 < picture.values.size <= PIXELS
        assert picture.values.dtype.kind in "uif" and np.isfinite(picture.values).all()
    assert str(path) in message
    assert largest() - before < MEMORY

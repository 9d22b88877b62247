"""Ctrl-C during a training: the step at work is finished first, so that nothing is left half done."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType


class Interruption:
    """While entered, a first Ctrl-C only raises a flag; a second one interrupts at once.

    Signals reach the main thread alone; in any other thread this does nothing.
    """

    def __init__(self) -> None:
        self.wanted = False
        self._before: signal._HANDLER = None

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._flag)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self._before)

    def _flag(self, number: int, frame: FrameType | None) -> None:
        if self.wanted:
            raise KeyboardInterrupt
        self.wanted = True

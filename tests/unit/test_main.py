"""``python -m app``: bad input is told plainly before anything starts; the server answers and stops."""

from __future__ import annotations

import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest
from click.testing import CliRunner, Result
from gunicorn.config import Config

import app.__main__
from app.__main__ import main
from app.serving import gunicorn_options, open_listener, page_address
from app.settings import Settings

ROOT = Path(__file__).parents[2]

# A server like the page's, but for what it serves; the real one takes long to load and has browser tests.
SMALL_SERVER = """
from flask import Flask
from app.serving import PageServer, open_listener
from app.settings import Settings

def load():
    server = Flask("small")
    server.add_url_rule("/", view_func=lambda: "hello")
    return server

PageServer(Settings(), open_listener("127.0.0.1", 0), load).run()
"""

BROKEN_PAGE = """
import sys, types
from fusion.errors import DeviceError

def create_server(settings, pairs):
    raise DeviceError("This machine has no device 'cuda:9'.")

factory = types.ModuleType("app.factory")
factory.create_server = create_server
sys.modules["app.factory"] = factory
from app.__main__ import main
main(["--port", "0"])
"""


def refused(*arguments: str) -> str:
    """Run the command line in this process and return what it says; it must refuse with exit code 2."""
    result: Result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    return result.output


def write_array(path: Path, *shape: int) -> str:
    np.save(path, np.arange(np.prod(shape), dtype=np.float32).reshape(shape))
    return str(path)


def test_bad_settings_are_refused_by_name() -> None:
    assert "port (FUSEVIS_PORT)" in refused("--port", "70000")
    assert "device (FUSEVIS_DEVICE)" in refused("--device", "gpu")
    assert "data_dir (FUSEVIS_DATA_DIR)" in refused("--data-dir", "/no/such/folder")


def test_a_missing_file_of_a_pair_is_named(tmp_path: Path) -> None:
    mri = write_array(tmp_path / "mri.npy", 4, 5)
    assert str(tmp_path / "none.npy") in refused("--pair", mri, str(tmp_path / "none.npy"))


def test_every_pair_is_checked_not_only_the_first(tmp_path: Path) -> None:
    mri, pet = write_array(tmp_path / "mri.npy", 4, 5), write_array(tmp_path / "pet.npy", 4, 5)
    other = write_array(tmp_path / "other.npy", 5, 5)
    said = refused("--pair", mri, pet, "--pair", mri, other)
    assert "4×5" in said
    assert "5×5" in said


def test_the_pixel_limit_applies_to_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mri, pet = write_array(tmp_path / "mri.npy", 4, 5), write_array(tmp_path / "pet.npy", 4, 5)
    monkeypatch.setenv("FUSEVIS_PIXEL_LIMIT", "19")
    assert str(tmp_path / "mri.npy") in refused("--pair", mri, pet)


def test_a_taken_port_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        assert "is taken" in refused("--port", str(other.getsockname()[1]))


def test_an_address_of_another_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUSEVIS_ALLOW_ANYONE", "1")
    # 192.0.2.0/24 is set aside for documentation: no machine has it.
    assert "Cannot listen on 192.0.2.1" in refused("--host", "192.0.2.1")


def test_the_command_line_reaches_the_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mri, pet = write_array(tmp_path / "mri.npy", 4, 5), write_array(tmp_path / "pet.npy", 4, 5)
    monkeypatch.setenv("FUSEVIS_DEVICE", "cuda:1")
    monkeypatch.setenv("FUSEVIS_SERVER_THREADS", "3")
    seen: list[object] = []

    class RecordedServer:
        def __init__(self, settings: Settings, listener: socket.socket, load: object) -> None:
            listener.close()
            seen.append(settings)

        def run(self) -> None:
            seen.append("run")

    monkeypatch.setattr(app.__main__, "PageServer", RecordedServer)
    result = CliRunner().invoke(main, ["--port", "0", "--device", "cpu", "--pair", mri, pet])
    assert result.exit_code == 0, result.output
    settings, run = seen
    assert isinstance(settings, Settings)
    assert run == "run"
    assert (settings.port, settings.device, settings.server_threads) == (0, "cpu", 3)


def test_the_procfile_starts_the_same_server() -> None:
    process, command = (ROOT / "Procfile").read_text(encoding="utf-8").strip().split(": ", 1)
    expanded = subprocess.run(
        ["/bin/sh", "-c", f"printf '%s\\n' {command}"], env={}, capture_output=True, text=True, check=True
    )
    words = expanded.stdout.splitlines()
    assert (process, words[0], words[-1]) == ("web", "gunicorn", "app.factory:create_server()")
    given = Config().parser().parse_args(words[1:])
    expected = gunicorn_options(Settings(server_threads=8)) | {"bind": ["127.0.0.1:8050"]}
    # What the command line does not name is gunicorn's default, which must then be what is wanted.
    defaults = {name: setting.get() for name, setting in Config().settings.items()}
    chosen = {name: defaults[name] if (value := getattr(given, name)) is None else value for name in expected}
    assert chosen | {"loglevel": expected["loglevel"]} == expected


@pytest.mark.parametrize(
    ("environment", "bind"),
    [
        ({"PORT": "5000"}, "127.0.0.1:5000"),
        ({"PORT": "5000", "FUSEVIS_PORT": "6000"}, "127.0.0.1:5000"),
        ({"FUSEVIS_HOST": "0.0.0.0", "FUSEVIS_PORT": "6000"}, "0.0.0.0:6000"),
    ],
)
def test_the_procfile_honours_port_and_host(environment: dict[str, str], bind: str) -> None:
    command = (ROOT / "Procfile").read_text(encoding="utf-8").strip().split(": ", 1)[1]
    expanded = subprocess.run(
        ["/bin/sh", "-c", f"echo {command}"], env=environment, capture_output=True, text=True, check=True
    )
    words = shlex.split(expanded.stdout.replace("(", "").replace(")", ""))
    assert words[words.index("--bind") + 1] == bind


def test_the_address_is_one_that_a_browser_here_can_open() -> None:
    assert page_address(("127.0.0.1", 8050)) == "http://127.0.0.1:8050/"
    assert page_address(("0.0.0.0", 80)) == "http://127.0.0.1:80/"
    assert page_address(("::", 8050, 0, 0)) == "http://[::1]:8050/"


def test_a_listener_listens_at_once() -> None:
    with (
        open_listener("localhost", 0) as listener,
        socket.create_connection(listener.getsockname()[:2], timeout=5) as client,
    ):
        assert client.getpeername()[1] == listener.getsockname()[1]


@contextmanager
def started(program: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_the_server_says_where_it_is_answers_and_stops(stop: signal.Signals) -> None:
    with started(SMALL_SERVER) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+/", line)
        assert address, line
        with urlopen(address.group(), timeout=30) as answer:
            assert answer.read() == b"hello"
        process.send_signal(stop)
        output, errors = process.communicate(timeout=240)
        assert process.returncode == 0, output + errors
        assert "Traceback" not in errors


def answer_to(address: str, line: bytes) -> bytes:
    """Return the whole answer to a request with this first line, or what came of it until the server hung up."""
    host, port = address.removeprefix("http://").rstrip("/").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as client:
        answer = b""
        # A server that has answered need not read megabytes to their end before it hangs up; its answer is there.
        with suppress(BrokenPipeError, ConnectionResetError):
            client.sendall(line + b"\r\nHost: small\r\nConnection: close\r\n\r\n")
        with suppress(ConnectionResetError):
            while part := client.recv(2**16):
                answer += part
        return answer


def test_long_links_are_read_and_longer_ones_get_a_page() -> None:
    with started(SMALL_SERVER) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[4]
        for length, status in ((4095, 200), (8190, 200), (8191, 414), (20_000, 414), (3_000_000, 414)):
            line = b"GET /?x HTTP/1.1".replace(b"x", b"x" * (length - 15))
            assert len(line) == length
            head, _, body = answer_to(address, line).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 %d" % status), length
            assert body == b"hello" if status == 200 else b"<h1>This link is too long</h1>" in body, length
        broken = answer_to(address, b"GET /")
        assert broken.startswith(b"HTTP/1.1 400"), "other mistakes are gunicorn's own business"


def test_a_page_that_cannot_be_made_ends_with_its_reason() -> None:
    with started(BROKEN_PAGE) as process:
        output, errors = process.communicate(timeout=240)
        assert process.returncode == 2, output + errors
        assert "Error: This machine has no device 'cuda:9'." in errors
        assert "Traceback" not in errors


LEAVING = """
import atexit, sys, threading, time
import app.__main__
from app.serving import leave

assert not {"torch", "fusion"} & set(sys.modules), "the process that listens computes nothing"

threading.Thread(target=time.sleep, args=(3600,)).start()
atexit.register(lambda: print("what is to be done at the end"))
leave()
"""


def test_a_process_that_leaves_does_what_is_due_and_waits_for_no_thread() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", LEAVING], cwd=ROOT, capture_output=True, text=True, timeout=240
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "what is to be done at the end\n", "")

"""The routes beside Dash's own: a window byte for byte, errors as JSON, and health."""

from __future__ import annotations

import json
import struct
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.routes import answers, binary, explain
from app.routes.binary import window_bytes
from cache.errors import UserError
from cache.services.changes import ImagePart
from cache.services.explanations import Question
from cache.services.services import EXTENSION, Services
from fusion import JacobianWindow, Reach
from fusion.errors import RegionError
from fusion.saliency.window import Box

PAIR, WEIGHTS = "a" * 64, "b" * 64
VALUES = np.array([[[1.5, -2.25, 0.0], [1e-30, 3.0, 4.0]], [[5.0, 6.0, 7.0], [8.0, 9.0, -0.1]]])


class Refusal(UserError):
    """An error whose message is for the user."""


class FakeServices(Services):
    """Answers any address with one window, and remembers what was asked."""

    window: JacobianWindow | Reach | Exception
    readiness: Any
    asked: list[tuple[Any, ...]]

    def __init__(self, window: JacobianWindow | Reach | Exception, readiness: Any = None) -> None:
        asked: list[tuple[Any, ...]] = []
        parts = {"window": window, "readiness": readiness, "asked": asked, "windows": self, "reaches": self}
        for name, part in parts.items():
            object.__setattr__(self, name, part)

    def at(self, *address: Any) -> JacobianWindow | Reach:
        self.asked.append(address)
        if isinstance(self.window, Exception):
            raise self.window
        return self.window

    def ready(self) -> Any:
        return self.readiness


def window(values: np.ndarray = VALUES) -> JacobianWindow:
    return JacobianWindow(values.astype(np.float32), top=10, left=20, row=11, col=21, shape=(40, 50))


def client_of(services: Services) -> FlaskClient:
    server = Flask("test")
    server.extensions[EXTENSION] = services
    answers.register(server)
    server.register_blueprint(binary.routes)
    server.register_blueprint(explain.routes)
    return server.test_client()


def test_a_reach_in_bytes() -> None:
    services = FakeServices(Reach((64, 2), (8, 0)))
    answer = client_of(services).get(f"/reach/{PAIR}/masknet/{WEIGHTS}/11/21")
    assert struct.unpack("<4i", answer.data) == (64, 2, 8, 0)
    assert services.asked == [(PAIR, "masknet", WEIGHTS, 11, 21)]
    assert "private" in answer.headers["Cache-Control"]
    assert client_of(services).get(f"/reach/{PAIR}/masknet/{WEIGHTS}/11/x").status_code == 404


def test_a_change_in_bytes() -> None:
    asked: list[Any] = []
    part = ImagePart(Box(3, 4, 5, 7), np.arange(6, dtype=np.float32).reshape(2, 3) / 4)

    def answered(*address: Any) -> ImagePart:
        asked.append(address)
        return part

    services = FakeServices(window())
    object.__setattr__(services, "changes", SimpleNamespace(true=answered, predicted=answered))
    client, code = client_of(services), "1s8.0.10.12.ghgh~2a1.-5.0.0"
    path = f"/change/{PAIR}/masknet/{WEIGHTS}"
    expected = struct.pack("<8i", 3, 4, 2, 3, 0, 0, 0, 0) + struct.pack("<6f", 0, 0.25, 0.5, 0.75, 1, 1.25)
    answer = client.get(f"{path}/true/{code}?box=1.2.30.40")
    assert answer.data == expected and "private" in answer.headers["Cache-Control"]
    assert client.get(f"{path}/path/{code}").data == expected
    assert asked == [
        (PAIR, "masknet", WEIGHTS, code, Box(1, 2, 30, 40)),
        (PAIR, "masknet", WEIGHTS, code, "path"),
    ]
    for wrong in (
        f"true/{code}",
        f"true/{code}?box=1.2.3",
        f"true/{code}?box=1.2.3.-4",
        f"all/{code}?box=1.2.3.4",
    ):
        refusal = client.get(f"{path}/{wrong}")
        assert refusal.status_code == 404 and json.loads(refusal.data)["error"].endswith(".")
    assert len(asked) == 2


def test_an_explained_region_in_bytes() -> None:
    asked: list[Any] = []

    def answered(*address: Any) -> np.ndarray:
        asked.append(address)
        if address[-1].of == "median":
            raise RegionError("Of a region its mean can be explained.")
        return np.arange(12, dtype=np.float32).reshape(2, 2, 3)

    services = FakeServices(window())
    object.__setattr__(services, "explanations", SimpleNamespace(at=answered))
    client, path = client_of(services), f"/explain/{PAIR}/masknet/{WEIGHTS}"
    answer = client.get(f"{path}/contrast/b0.0.2.2?against=b1.1.2.2")
    assert answer.data == struct.pack("<8i12f", 2, 2, 3, 1, 1000, 0, 0, 0, *range(12))
    assert "private" in answer.headers["Cache-Control"]
    assert asked == [(PAIR, "masknet", WEIGHTS, Question("contrast", "b0.0.2.2", "b1.1.2.2"))]
    refusal = client.get(f"{path}/median/b0.0.2.2")
    assert 400 <= refusal.status_code < 500 and json.loads(refusal.data)["error"].endswith(".")


def test_a_window_is_eight_integers_and_two_images() -> None:
    services = FakeServices(window())
    answer = client_of(services).get(f"/jacobian/{PAIR}/funfusean/{WEIGHTS}/11/21")
    assert (answer.status_code, answer.mimetype) == (200, "application/octet-stream")
    assert services.asked == [(PAIR, "funfusean", WEIGHTS, 11, 21)]
    expected = struct.pack("<8i", 11, 21, 10, 20, 2, 3, 0, 0)
    expected += struct.pack("<12f", *VALUES.ravel())
    assert answer.data == expected
    assert "private" in answer.headers["Cache-Control"], "no shared cache may keep a patient's image"


@pytest.mark.parametrize(("value", "flag"), [(np.nan, 1), (np.inf, 1), (-2e3, 1), (999.0, 0)])
def test_a_suspicious_window_is_flagged(value: float, flag: int) -> None:
    values = VALUES.copy()
    values[1, 0, 2] = value
    data = window_bytes(window(values))
    assert struct.unpack_from("<8i", data)[6] == flag
    np.testing.assert_array_equal(
        np.frombuffer(data, "<f4", offset=32).reshape(2, 2, 3), values.astype(np.float32)
    )


@pytest.mark.parametrize(
    ("number", "path"), list(enumerate(("", "chain", "window", "whole image", "atlas", "numbers")))
)
def test_a_window_says_how_it_was_computed(number: int, path: str) -> None:
    made = JacobianWindow(VALUES.astype(np.float32), 10, 20, 11, 21, (40, 50), path=path)
    assert struct.unpack_from("<8i", window_bytes(made))[7] == number


def test_an_answer_says_how_long_it_was_computed() -> None:
    answer = client_of(FakeServices(window())).get(f"/jacobian/{PAIR}/funfusean/{WEIGHTS}/11/21")
    name, duration = answer.headers["Server-Timing"].split(";dur=")
    assert name == "compute"
    assert float(duration) >= 0


def test_values_of_any_precision_order_and_layout_are_sent_the_same() -> None:
    plain = window_bytes(window())
    for values in (VALUES, VALUES.astype(">f4"), np.asfortranarray(VALUES.astype(np.float32))):
        assert window_bytes(JacobianWindow(values, 10, 20, 11, 21, (40, 50))) == plain


def test_a_users_error_is_json_with_its_message() -> None:
    services = FakeServices(Refusal("There is no pair “x”."))
    answer = client_of(services).get(f"/jacobian/x/funfusean/{WEIGHTS}/1/2")
    assert (answer.status_code, answer.mimetype) == (404, "application/json")
    assert answer.get_json() == {"error": "There is no pair “x”."}
    assert "Cache-Control" not in answer.headers


def test_an_error_that_passes_says_when_to_ask_again() -> None:
    class Later(Refusal):
        retry_after_s = 2

    answer = client_of(FakeServices(Later("Too many ask."))).get(f"/jacobian/{PAIR}/m/{WEIGHTS}/1/2")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert answer.get_json() == {"error": "Too many ask."}
    assert "Cache-Control" not in answer.headers


def test_another_error_is_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    answer = client_of(FakeServices(ZeroDivisionError("secret"))).get(f"/jacobian/{PAIR}/m/{WEIGHTS}/1/2")
    assert answer.status_code == 500
    assert b"secret" not in answer.data and b"Traceback" not in answer.data
    assert "ZeroDivisionError: secret" in caplog.text


@pytest.mark.parametrize(
    ("row", "col"),
    [("-1", "0"), ("0", "-1"), ("1.5", "0"), ("x", "0"), ("0", "1e3"), ("9" * 3000, "0"), ("٣", "0"), (" 1", "2"),
     ("0", "%00"), ("1%0A", "2"), ("NaN", "0"), ("1;DROP", "0"), ("+1", "2")],
)  # fmt: skip
def test_what_is_no_pixel_is_refused_before_anything_is_asked(row: str, col: str) -> None:
    services = FakeServices(window())
    answer = client_of(services).get(f"/jacobian/{PAIR}/m/{WEIGHTS}/{row}/{col}")
    assert answer.status_code == 404
    assert "whole numbers" in answer.get_json()["error"]
    assert services.asked == []


@pytest.mark.parametrize(
    "path",
    ["/jacobian", "/jacobian/", "/jacobian/a/b/c/1", "/jacobian/a/b/c/1/2/3", "/jacobian/../../etc/passwd/1/2",
     "/jacobian/..%2f..%2fetc/b/c/1/2", "/jacobian//b/c/1/2", "/healthz/x"],
)  # fmt: skip
def test_other_paths_are_not_found(path: str) -> None:
    services = FakeServices(window())
    assert client_of(services).get(path).status_code in (308, 404)
    assert services.asked == []


def test_odd_names_reach_the_services_as_they_are() -> None:
    services = FakeServices(Refusal("no"))
    client_of(services).get("/jacobian/..%00<script>/α β/%ff/1/2")
    assert services.asked == [("..\x00<script>", "α β", "�", 1, 2)]


def test_only_reading_is_allowed() -> None:
    client = client_of(FakeServices(window()))
    for path in ("/healthz", "/readyz", f"/jacobian/{PAIR}/m/{WEIGHTS}/1/2"):
        assert client.post(path).status_code == 405


def test_alive() -> None:
    answer = client_of(FakeServices(window())).get("/healthz")
    assert (answer.status_code, answer.get_json()) == (200, {"status": "alive"})


@pytest.mark.parametrize(
    ("ready", "problems", "code"),
    [
        (True, (), 200),
        (True, ("The store does not answer.",), 200),
        (False, ("MaskNet is not loaded yet.",), 503),
    ],
)
def test_ready(ready: bool, problems: tuple[str, ...], code: int) -> None:
    services = FakeServices(window(), readiness=SimpleNamespace(ready=ready, problems=problems))
    answer = client_of(services).get("/readyz")
    assert answer.status_code == code
    assert json.loads(answer.data) == {"ready": ready, "problems": list(problems)}

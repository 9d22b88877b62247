"""Calls a page's callbacks as a browser does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

Values = dict[tuple[str, str], Any]
"""By id and property of a component."""


Callback = dict[str, Any]
"""As Dash tells a browser of it."""


def on_server(callbacks: Iterable[Callback]) -> list[Callback]:
    """Return the callbacks that the server runs."""
    return [one for one in callbacks if not one["clientside_function"]]


def output_names(callback: Callback) -> list[str]:
    """Return the outputs of a callback, each as ``id.property``."""
    names: list[str] = callback["output"].strip(".").split("...")
    return names


def call(
    client: FlaskClient,
    page: str,
    callback: Callback,
    inputs: Sequence[Any],
    state: Sequence[Any],
    changed: Sequence[str],
) -> TestResponse:
    """Call a callback with the values of its inputs and states, in their order, and return the answer as it is."""
    outputs = [
        dict(zip(("id", "property"), name.rsplit(".", 1), strict=True)) for name in output_names(callback)
    ]
    body = {
        "output": callback["output"],
        "outputs": outputs if callback["output"].startswith("..") else outputs[0],
        "inputs": [dict(one, value=value) for one, value in zip(callback["inputs"], inputs, strict=True)],
        "state": [dict(one, value=value) for one, value in zip(callback["state"], state, strict=True)],
        "changedPropIds": list(changed),
    }
    return client.post(f"{page}/_dash-update-component", json=body)


def ask(client: FlaskClient, page: str, output: str, values: Values, *changed: str) -> Any:
    """Call the callback with this output, and return what it changes by id and property.

    Parameters
    ----------
    client : FlaskClient
        Of the server.
    page : str
        ``""``, ``"/compare"`` or ``"/training"``.
    output : str
        One of its outputs, as ``id.property``.
    values : dict
        Of inputs and states; those that are not here are None.
    *changed : str
        What has changed, as ``id.property``: Dash joins the changes of one turn.
    """
    known: Any = client.get(f"{page}/_dash-dependencies").json
    (callback,) = [one for one in on_server(known) if output in output_names(one)]

    def found(parts: list[dict[str, str]]) -> list[Any]:
        return [values.get((part["id"], part["property"])) for part in parts]

    answer = call(client, page, callback, found(callback["inputs"]), found(callback["state"]), changed)
    assert answer.status_code == 200, answer.text
    answered: Any = answer.json
    return answered["response"]

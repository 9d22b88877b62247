"""Calls a page's callbacks as a browser does."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient

Values = dict[tuple[str, str], Any]
"""By id and property of a component."""


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
    on_server = [one for one in known if not one["clientside_function"]]
    (callback,) = [one for one in on_server if output in one["output"].strip(".").split("...")]

    def filled(parts: list[dict[str, str]]) -> list[dict[str, Any]]:
        return [{**part, "value": values.get((part["id"], part["property"]))} for part in parts]

    several = callback["output"].startswith("..")
    names = callback["output"].strip(".").split("...")
    outputs = [dict(zip(("id", "property"), name.rsplit(".", 1), strict=True)) for name in names]
    body = {
        "output": callback["output"],
        "outputs": outputs if several else outputs[0],
        "inputs": filled(callback["inputs"]),
        "state": filled(callback["state"]),
        "changedPropIds": list(changed),
    }
    answer = client.post(f"{page}/_dash-update-component", json=body)
    assert answer.status_code == 200, answer.text
    answered: Any = answer.json
    return answered["response"]

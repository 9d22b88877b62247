"""A page's callbacks by HTTP, as its browser calls them, without a browser."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from typing import Any

Values = Mapping[tuple[str, str], Any]
"""What stands in the page: by component id and property."""

ANSWER_SECONDS = 300


class DashPage:
    """One open page of a server.

    Parameters
    ----------
    url : str
        Of the page, with a slash at the end.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        with urllib.request.urlopen(f"{url}_dash-dependencies", timeout=ANSWER_SECONDS) as answer:
            self._callbacks: list[dict[str, Any]] = json.load(answer)

    def call(self, output: str, values: Values, changed: str) -> dict[tuple[str, str], Any]:
        """Call the callback that has an output, and return what it changes.

        Parameters
        ----------
        output : str
            One of its outputs, as ``id.property``.
        values : mapping
            Its inputs and states; those that are not there are empty.
        changed : str
            Which input has changed, as ``id.property``.
        """
        (called,) = [
            one
            for one in self._callbacks
            if output in _parts(one["output"]) and not one["clientside_function"]
        ]
        outputs = [dict(zip(("id", "property"), part.rsplit(".", 1), strict=True))
                   for part in _parts(called["output"])]  # fmt: skip

        def filled(parts: list[dict[str, str]]) -> list[dict[str, Any]]:
            return [{**part, "value": values.get((part["id"], part["property"]))} for part in parts]

        body = {
            "output": called["output"],
            "outputs": outputs if called["output"].startswith("..") else outputs[0],
            "inputs": filled(called["inputs"]),
            "state": filled(called["state"]),
            "changedPropIds": [changed],
        }
        request = urllib.request.Request(
            f"{self._url}_dash-update-component",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:
            content = answer.read()
        response = json.loads(content)["response"] if content else {}
        return {
            (id, name): value for id, properties in response.items() for name, value in properties.items()
        }


def _parts(output: str) -> list[str]:
    """Return the outputs of a callback; several stand between dots, as ``..a.x...b.y..``."""
    return output[2:-2].split("...") if output.startswith("..") else [output]

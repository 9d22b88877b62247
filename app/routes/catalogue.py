"""Routes of all pairs that can be chosen: their list as it is now, and small pictures of them."""

from __future__ import annotations

import io

from flask import Blueprint, Response, current_app, jsonify, request

from app.routes.answers import refused
from app.routes.uploads import bringer
from cache.errors import TooBusyError, UserError
from cache.services.services import Services, services_of

routes = Blueprint("catalogue", __name__, url_prefix="/pairs")
routes.register_error_handler(TooBusyError, refused)


@routes.get("")
def listed() -> Response:
    """Answer with the pairs, those of whoever asks first, and with what of the data folder is in none."""
    services = services_of(current_app)
    owner = bringer()
    own = [
        {"address": card.address_of(owner), "label": card.label(owner), "modalities": card.modalities}
        for card in services.uploads.owned(owner)
    ]
    pairs = [
        {
            "address": entry.address,
            "label": menu_label(entry.title, entry.simulated),
            "modalities": entry.modalities,
        }
        for entry in services.scenes.entries()
    ]
    answer = jsonify(pairs=own + pairs, problems=services.scenes.unused_images())
    answer.headers["Cache-Control"] = "no-store"
    return answer


@routes.get("/picture.jpg")
def picture() -> Response:
    """Answer with both images of a pair in small, beside each other; with nothing where it cannot be read.

    An error would stand in the browser's console, and a pair that cannot be read says why when it is chosen.
    """
    from PIL.Image import fromarray

    services = services_of(current_app)
    try:
        with services.scenes.slow.place():
            small = services.scenes.small_picture(request.args.get("pair", ""))
    except TooBusyError:
        raise
    except UserError:
        return Response(status=204, headers={"Cache-Control": "no-store"})
    stream = io.BytesIO()
    fromarray(small).save(stream, "JPEG", quality=80)
    return Response(
        stream.getvalue(), mimetype="image/jpeg", headers={"Cache-Control": "private, max-age=600"}
    )


def pair_choices(services: Services) -> list[tuple[str, str]]:
    """Return (address, label) of all pairs, for a menu."""
    return [(entry.address, menu_label(entry.title, entry.simulated)) for entry in services.scenes.entries()]


def menu_label(title: str, simulated: bool) -> str:
    """Return a pair's name in the menu; simulated ones say so."""
    return f"{title} (simulated)" if simulated and "simulated" not in title.lower() else title

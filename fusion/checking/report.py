"""The outcome of checks as files: JUnit XML for whatever runs tests, and a page with pictures for people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fusion.checking.checks import Check, Pictures
from fusion.colours import Limits, Scale, gradient_colours
from fusion.errors import OutputError
from fusion.methods.base import Method
from fusion.report.fused import picture_address, png_address
from fusion.report.templates import templates

_GAMMA = 0.5


def junit_xml(method: Method, checks: Sequence[Check]) -> str:
    """Return checks as JUnit XML: a test case each."""
    return _filled("junit.xml.jinja", method, checks)


def checks_page(method: Method, checks: Sequence[Check], pictures: Sequence[Pictures]) -> str:
    """Return checks as one HTML page: pictures are part of it, and nothing is loaded from elsewhere."""
    shown = [(one.pair, _addresses(one)) for one in pictures]
    return _filled("checks.html.jinja", method, checks, pictures=shown)


def _filled(template: str, method: Method, checks: Sequence[Check], **more: object) -> str:
    environment = templates(Path(__file__).parent)
    failures = sum(not check.passed for check in checks)
    return environment.get_template(template).render(method=method, checks=checks, failures=failures, **more)


def _addresses(found: Pictures) -> list[tuple[str, str]]:
    end = Limits.of(found.guidance).end(Scale.SIGNED)
    drawn = [gradient_colours(image, Scale.SIGNED, end, _GAMMA) for image in found.guidance]
    gray = zip(("x1", "x2", "fused"), (*found.images, found.fused), strict=True)
    colours = zip(("guidance of x1", "guidance of x2"), drawn, strict=True)
    return [
        *((name, picture_address(np.asarray(image))) for name, image in gray),
        *((name, png_address(image)) for name, image in colours),
    ]


def write_text(path: Path, text: str) -> None:
    """Write a file.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror}). Choose another name.") from error

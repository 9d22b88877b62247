"""The files of ``assets/`` that each page loads: stylesheets in their order, and one module that imports all others.

Dash lists none of them. It would load the entry with a query (``?m=…``), and a module that is loaded with a query is
another one than that without. Here all pages take each module from the same address, and the browser is told of all of
them at once, as it would otherwise learn of each only from the one that imports it. The entry runs as soon as it is
there; Dash starts after it, and so finds the functions of its callbacks, and Plotly's queue in Plotly's place.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from dash import Dash
from dash.development.base_component import Component

from app.guard.headers import allow_scripts
from app.plotly_file import serve_strict_plotly

ASSETS = Path(__file__).resolve().parent.parent / "assets"
LAST_STYLES = ("notices", "projector", "print")
STYLES = {
    "explore": (
        "bootstrap.min",
        "export-menu",
        "page",
        "head",
        "pair-notes",
        "uploads",
        "panels",
        "maps",
        "waiting",
        "side-panels",
        *LAST_STYLES,
    ),
    "compare": (
        "bootstrap.min",
        "export-menu",
        "numbers",
        "compare",
        "maps",
        "page",
        "head",
        "pair-notes",
        "uploads",
        "side-panels",
        *LAST_STYLES,
    ),
    "training": ("bootstrap.min", "page", "head", "panels", "training", "notices"),
}
FIRST_PICTURES = {"explore": "explore/first-view.mjs"}
"""Modules that draw before the page itself is there; each begins as soon as what it imports is."""
IMPORT = re.compile(r"""^(?:import|export)\s(?:[^"']*?\sfrom\s)?["']([^"']+)["'];$""", re.MULTILINE)


def modules(page: str) -> list[str]:
    """Return the modules that a page imports, its entry last: paths within ``assets/``."""
    return [*list(_imported(f"{page}.mjs"))[1:], f"{page}.mjs"]


def _imported(entry: str) -> dict[str, None]:
    """Return a module and all that it imports, in their order: paths within ``assets/``."""
    found: dict[str, None] = {}

    def add(name: str) -> None:
        if name in found:
            return
        found[name] = None
        for path in IMPORT.findall((ASSETS / name).read_text(encoding="utf-8")):
            add(_resolved(PurePosixPath(name).parent / path))

    add(entry)
    return found


def _resolved(path: PurePosixPath) -> str:
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


class ModulePage(Dash):
    """A Dash application whose HTML loads the page's stylesheets and modules.

    Parameters
    ----------
    page : str
        A name in `STYLES`, which is also that of the entry module.
    home : str or None
        Address of the explore page, under which ``assets/`` is served; ``None`` for that page itself.
    *settings, **more
        As for `dash.Dash`.
    """

    def __init__(self, page: str, home: str | None, *settings: Any, **more: Any) -> None:
        more |= {"assets_folder": str(ASSETS), "include_assets_files": False}
        super().__init__(*settings, **more)
        serve_strict_plotly(self.server, self.config.routes_pathname_prefix)
        self.index_string = self.index_string.replace("<html>", '<html lang="en">')
        at = f"{self.config.requests_pathname_prefix if home is None else home}assets/"
        self._styles = "".join(
            f'<link rel="stylesheet" href="{at}styles/{name}.css">\n' for name in STYLES[page]
        )
        first = list(_imported(FIRST_PICTURES[page])) if page in FIRST_PICTURES else []
        others = [name for name in modules(page) if name not in first]
        # Behind the arrays of the first pictures, which wait for few modules; a page without such waits for all.
        later = ' fetchpriority="low"' if first else ""
        self._preloads = "".join(
            f'<link rel="modulepreload" href="{at}{name}"{priority}>\n'
            for names, priority in ((first, ""), (others, later))
            for name in names
        )
        self._first = "".join(
            f'<script type="module" async src="{at}{name}"></script>\n' for name in first[:1]
        )
        self._entry = f"{at}{page}.mjs"
        self.renderer = f'import "{self._entry}"; {self.renderer}'

    def show(self, layout: Callable[[], Component]) -> None:
        """Have the page made by a function, anew for each visitor.

        Dash makes it once to check it, and would then send that one too, in the HTML, so that the browser can check the
        callbacks' ids against it. Here all ids are in every page, against which the browser checks them as well.
        """
        self.layout = layout
        self.validation_layout = None

    def interpolate_index(self, **parts: Any) -> str:  # type: ignore[override]  # Dash calls it by names
        """Make the HTML."""
        parts["css"] = str(parts["css"]) + self._styles + self._preloads
        # Before Dash's own scripts, and without waiting for them: the first pictures need none.
        entry = f'<script type="module" async src="{self._entry}"></script>\n'
        parts["scripts"] = self._first + entry + str(parts["scripts"])
        parts["renderer"] = f'<script id="_dash-renderer" type="module">{self.renderer}</script>'
        allow_scripts(self.csp_hashes())
        return str(super().interpolate_index(**parts))

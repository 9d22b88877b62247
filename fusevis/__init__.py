"""The page from a notebook or a script: `show` starts it in the background, with pairs and methods of the program.

A method is put there by `fusion.register`, also while the page is open: its menu has it when the page is loaded again.
"""

from __future__ import annotations

from fusevis.page import ShownPage, show

__all__ = ["ShownPage", "show"]

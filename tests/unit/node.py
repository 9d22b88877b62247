"""What the pages' modules say, run by Node beside Python."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.__main__ import NODE

ROOT = Path(__file__).parents[2]
SCRIPT = """
import {{ readFileSync }} from "node:fs";
await import("{root}/tests/js/page.mjs");
const module = (path) => import(`{root}/assets/${{path}}.mjs`);
const say = {function};
process.stdout.write(JSON.stringify(await say(module, JSON.parse(readFileSync(0, "utf8")))));
"""


def said_by_node(function: str, given: object) -> Any:
    """Call a function of JavaScript and return what it returns.

    Parameters
    ----------
    function : str
        Its text, ``async (module, given) => …``; ``await module("core/kinds")`` gives a module of ``assets``.
    given : object
        What it is given, as JSON has it.
    """
    script = SCRIPT.format(root=ROOT.as_uri(), function=function)
    done = subprocess.run(
        [NODE, "--input-type=module", "--eval", script],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)

"""The content security policy is enforced: what gets into a page by a hole of ours does not run.

That the pages themselves need nothing else, every test of this folder holds by its empty console.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Server

INTRUDE = """async () => {
  const refused = [];
  document.addEventListener("securitypolicyviolation", (event) => refused.push(event.effectiveDirective));
  const inline = document.createElement("script");
  inline.textContent = "window.inlineRan = true";
  const foreign = document.createElement("script");
  foreign.src = "https://evil.example/x.js";
  const picture = new Image();
  picture.src = "https://evil.example/patient.png";
  document.body.append(inline, foreign, picture);
  document.body.insertAdjacentHTML("beforeend", "<a id=away onclick='window.handlerRan = true'>x</a>");
  document.getElementById("away").click();
  setTimeout("window.evalRan = true");
  await fetch("https://evil.example/").catch(() => {});
  await new Promise((done) => setTimeout(done, 50));
  return { refused: refused.sort(), ran: [window.inlineRan, window.handlerRan, window.evalRan].filter(Boolean) };
}"""
REFUSED = ["connect-src", "img-src", "script-src", "script-src-attr", "script-src-elem", "script-src-elem"]


@pytest.mark.parametrize("path", ["training", "no/such/page"])
def test_what_gets_into_a_page_does_not_run(browser: Browser, server: Server, path: str) -> None:
    page = browser.new_page()
    try:
        page.goto(f"{server.url}{path}")
        assert page.evaluate(INTRUDE) == {"refused": REFUSED, "ran": []}
    finally:
        page.close()

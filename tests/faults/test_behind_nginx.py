"""The pages below a part of an address, behind a real nginx with the lines that docs/deploy.md gives."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError

import pytest
from playwright.sync_api import Page, Response, expect

from benchmarks.browser import chromium
from benchmarks.server import free_port, server_in
from tests.running_server import write_pair

ROOT = Path(__file__).parents[2]
PREFIX = "/fusevis"
WAIT_S = 300
IGNORED = ("GL Driver Message", "did not load after 30 seconds")
"""What a machine without a GPU writes to the console, and a busy one."""
CONFIGURATION = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; absolute_redirect off;
{location}
    }}
}}
"""


def location(port: int, strips: bool) -> str:
    """Return the lines of the guide, for a server at a port."""
    (lines,) = re.findall(
        r"```nginx\n(location .*?)```", (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8"), re.S
    )
    assert "http://127.0.0.1:8050;" in lines
    return str(lines).replace("http://127.0.0.1:8050;", f"http://127.0.0.1:{port}{'/' if strips else ''};")


@contextmanager
def nginx(folder: Path, lines: str) -> Iterator[str]:
    """Start nginx with these lines, and return its address."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        pytest.skip("there is no nginx here")
    port = free_port()
    (folder / "nginx.conf").write_text(CONFIGURATION.format(folder=folder, port=port, location=lines))
    with subprocess.Popen([program, "-p", str(folder), "-c", str(folder / "nginx.conf")]) as process:
        try:
            wait_for(f"http://127.0.0.1:{port}/", folder / "error.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def wait_for(url: str, log: Path) -> None:
    end = time.monotonic() + WAIT_S
    while True:
        try:
            urllib.request.urlopen(url, timeout=WAIT_S).close()
        except HTTPError:
            return
        except OSError:
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.05)


@pytest.mark.parametrize("strips", [False, True], ids=["handed on", "prefix taken away"])
def test_everything_works_below_a_prefix(tmp_path: Path, strips: bool) -> None:
    settings = {"FUSEVIS_DEVICE": "cpu", "FUSEVIS_PREFIX": PREFIX}
    with server_in(tmp_path, write_pair(tmp_path), settings) as server:
        lines = location(int(server.url.rstrip("/").rsplit(":", 1)[1]), strips)
        with nginx(tmp_path, lines) as front, chromium() as browser:
            page = browser.new_page()
            page.set_default_timeout(1000 * WAIT_S)
            expect.set_options(timeout=1000 * WAIT_S)
            answers: list[Response] = []
            told: list[str] = []
            page.on("response", lambda answer: answers.append(answer))
            page.on("console", lambda message: told.append(message.text))
            page.on("pageerror", lambda error: told.append(str(error)))
            use_all(page, front)
            assert [text for text in told if not any(part in text for part in IGNORED)] == []
            asked = [answer.url for answer in answers if answer.url.startswith("http")]
            assert all(address.startswith(f"{front}{PREFIX}") for address in asked)
            assert [answer.url for answer in answers if answer.status >= 400] == []
            for part in (
                "/jacobian/",
                "/jacobians/",
                "/images/",
                "/views",
                "/thumbnail.jpg",
                "/export/",
                "/compare/_dash",
            ):
                assert any(part in address for address in asked), part


def walk_over(page: Page, selector: str) -> None:
    """Move the pointer over a picture, as a person does: a single move may come before somebody listens."""
    box = page.locator(selector).first.bounding_box()
    assert box is not None
    for step in range(1, 40):
        page.mouse.move(box["x"] + box["width"] * step / 40, box["y"] + box["height"] * 0.6)
        page.wait_for_timeout(50)


def use_all(page: Page, front: str) -> None:
    """Open all pages, hover, save a view and open it, export."""
    page.goto(f"{front}{PREFIX}?pair=own&method=weighted_averaging")
    assert page.url.startswith(f"{front}{PREFIX}/?pair=own")
    expect(page.locator("#guidance-status")).to_contain_text("Guidance complete")
    with page.expect_response("**/jacobian/**"):
        walk_over(page, "#panel-fused .nsewdrag")
    page.click("#views-open")
    page.fill("#views-name", "Below")
    page.click("#views-save")
    page.wait_for_function("() => document.querySelector('.view img')?.naturalWidth === 96")
    page.locator(".view a").click()
    page.wait_for_url(re.compile(rf"{re.escape(front + PREFIX)}/\?.*pair=own"))
    page.locator('a[data-page="compare"]').click()
    page.wait_for_url(f"**{PREFIX}/compare?**")
    page.wait_for_selector("#compare-table canvas")
    with page.expect_response("**/jacobians/**"):
        walk_over(page, "#compare-table canvas")
    file = page.evaluate("async (address) => (await fetch(address)).text()",
                         f"{front}{PREFIX}/export/compare.html?pair=own&methods=weighted_averaging")  # fmt: skip
    assert f"{front}{PREFIX}/compare?" in file
    page.goto(f"{front}{PREFIX}/training")
    page.wait_for_selector(f'a[href^="{PREFIX}/"]')

"""What docs/deploy.md and the Containerfile name is there; tests/faults/test_behind_nginx.py tries nginx's lines."""

from __future__ import annotations

import re
from pathlib import Path

from app.guard.hosts import is_own
from app.routes.metrics import ANSWERS
from app.settings import PREFIX, Settings
from cache.counts import COUNTED

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
CONTAINER = (ROOT / "Containerfile").read_text(encoding="utf-8")


def test_settings_that_are_named_exist() -> None:
    named = set(re.findall(rf"\b{PREFIX}([A-Z_]+)", GUIDE + CONTAINER))
    assert len(named) > 10 and named <= {name.upper() for name in Settings.model_fields}


def test_a_container_gets_files_that_are_there_and_all_that_the_page_imports() -> None:
    copied = re.findall(r"^COPY (\S+) ", CONTAINER, re.MULTILINE)
    assert all((ROOT / source).exists() for source in copied)
    assert {"app", "assets", "cache", "callbacks", "fusion", "requirements.txt"} == set(copied)
    host = re.findall(r"FUSEVIS_HOST=(\S+)", CONTAINER)[0]
    assert not is_own(host), "so that it asks for a token, as the guide says"


def test_figures_that_are_named_exist() -> None:
    described = set(re.findall(r"`(fusevis_[a-z_]+)", GUIDE))
    counted = {
        sample
        for metric in (*ANSWERS.collect(), *COUNTED.collect())
        for sample in (metric.name, f"{metric.name}_total")
    }
    own = {
        "fusevis_queue_length",
        "fusevis_store_memory_bytes",
        "fusevis_device",
        "fusevis_device_memory_bytes",
    }
    assert described <= counted | own | {"fusevis_ready"}

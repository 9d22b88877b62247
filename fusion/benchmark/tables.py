"""The ratios of full-image autograd and ours, with what they must reach."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path

import torch
from rich.table import Table

from fusion.benchmark import limits
from fusion.benchmark.figures import Figure
from fusion.benchmark.limits import Limit
from fusion.benchmark.measurement import BATCH, Measurement


def ratio_figures(measurements: Sequence[Measurement], on_cpu: bool) -> list[Figure]:
    """Return the ratios of each method; limits are for the trained networks on a CPU, at 256×256 pixels."""
    found: list[Figure] = []
    for entry in measurements:
        ratios: list[tuple[str, float, dict[str, Limit]]] = [
            ("one Jacobian", entry.baseline / entry.single, limits.JACOBIAN_RATIO),
            (f"a pixel in batches of {BATCH}", entry.baseline / entry.batched, limits.BATCH_RATIO),
        ]
        if entry.guidance is not None and entry.guidance_baseline is not None:
            guidance = entry.guidance_baseline / entry.guidance
            ratios.append(("guidance images", guidance, limits.GUIDANCE_RATIO))
        is_standard = on_cpu and entry.shape == (limits.SIDE, limits.SIDE)
        found += [
            Figure.beside(
                f"{entry.method}: {name}, baseline ÷ ours",
                ratio,
                "×",
                wanted.get(entry.id) if is_standard else None,
            )
            for name, ratio, wanted in ratios
        ]
    return found


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title, title_justify="left")
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number else "left")
    return table


def jacobian_table(measurements: list[Measurement]) -> Table:
    """Return the times of one Jacobian (both inputs)."""
    table = _table(
        "Jacobian images of one pixel, both inputs: median, ms",
        "method",
        "full-image autograd",
        "fusion.jacobian",
        "ratio",
        f"in batches of {BATCH}",
        "ratio",
    )
    for entry in measurements:
        table.add_row(
            entry.method,
            f"{entry.baseline * 1e3:.1f}",
            f"{entry.single * 1e3:.2f}",
            f"{entry.baseline / entry.single:.0f}×",
            f"{entry.batched * 1e3:.2f}",
            f"{entry.baseline / entry.batched:.0f}×",
        )
    return table


def preparation_table(measurements: list[Measurement]) -> Table:
    """Return what is computed once for a pair, before its first Jacobian or tile by tile as one looks."""
    table = _table("Once for a pair, ms", "method", "fusion.prepare")
    for entry in measurements:
        table.add_row(entry.method, f"{entry.prepared * 1e3:.0f}")
    return table


def guidance_table(measurements: list[Measurement]) -> Table:
    """Return the times of both guidance images; the baseline's is its time a pixel, beside them, times all pixels."""
    table = _table(
        "Guidance images, both inputs: seconds",
        "method",
        "all pixels × full-image autograd",
        "fusion.guidance",
        "ratio",
    )
    for entry in measurements:
        whole = entry.guidance_baseline
        if entry.guidance is None or whole is None:
            continue
        table.add_row(
            entry.method, f"{whole:,.0f}", f"{entry.guidance:.1f}", f"{whole / entry.guidance:,.0f}×"
        )
    return table


PAPER_TABLE_2 = {
    "FunFuseAn": (0.003, 198),
    "MaskNet": (0.004, 265),
    "DeepFuse": (0.003, 195),
    "DeepPedestrian": (0.005, 360),
}
"""Seconds for a Jacobian image (GTX 1080 Ti) and for a guidance image (six Tesla V100) in the paper's Table 2."""


def paper_table(measurements: list[Measurement]) -> Table:
    """Return the paper's Table 2 for this machine: both Jacobian images, and both guidance images."""
    table = _table(
        "Table 2 of the paper, for this machine: seconds (the paper's on its GPUs)",
        "method",
        "Jacobian images",
        "paper",
        "a second",
        "guidance images",
        "paper",
    )
    for entry in measurements:
        jacobian, guidance = PAPER_TABLE_2.get(entry.method, (None, None))
        table.add_row(
            entry.method,
            f"{entry.single:.4f}",
            "–" if jacobian is None else f"{jacobian:.3f}",
            f"{1 / entry.single:.0f}",
            "–" if entry.guidance is None else f"{entry.guidance:.1f}",
            "–" if guidance is None else f"{guidance}",
        )
    return table


def error_table(measurements: list[Measurement]) -> Table:
    """Return how far the results are from full-image autograd."""
    table = _table(
        "Largest |difference| / largest |derivative| against full-image autograd",
        "method",
        "Jacobian, float64",
        "Jacobian, float32",
        "guidance, float32",
    )
    for entry in measurements:
        of_guidance = "–" if entry.error_guidance is None else f"{entry.error_guidance:.1e}"
        table.add_row(entry.method, f"{entry.error_double:.1e}", f"{entry.error_single:.1e}", of_guidance)
    return table


def machine_line(device: torch.device) -> str:
    """Describe what the times were measured on."""
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else processor_name()
    return (
        f"{where}; {usable_cores()} cores, torch on {torch.get_num_threads()} threads; "
        f"torch {torch.__version__}, Python {platform.python_version()}"
    )


def processor_name() -> str:
    """Return the processor's name, or its architecture where the system does not tell."""
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

"""What trainings left behind, read with care: cards, curves, Table 1."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fusion.errors import WeightsError
from fusion.report.document import PALETTE, curves_svg, network_colours, upper_ends
from fusion.report.table import ABSENT, COLUMNS, PAPER_TABLE, TableRow, lines, shown
from fusion.report.training import (
    NO_CURVE,
    NetworkReport,
    card_brightness,
    card_facts,
    card_row,
    card_summary,
    checked_folder,
    fused_ids,
    known_problems,
    trained_ids,
    training_report,
    without_curve,
)
from tests.unit.made_up_trainings import card, curve, write_training

ODD_CARDS: list[dict[str, Any]] = [
    {},
    {"recipe": None, "validation": []},
    {
        "recipe": {"lambda": "high", "gamma_ssim": None, "name": 5},
        "validation": {"losses": {"ssim_mri": True}},
    },
    {"validation": {"losses": {"ssim_mri": float("nan"), "l2_pet": {"deep": 1}}, "brightness": 7}},
    {"steps": "many", "seconds": [], "device": 3, "trained_at": {}, "known": {"a": 1}, "interrupted": "no"},
    {"known": ["one", 2, None], "unheard_of": {"deeply": {"nested": [1, {"two": 2}]}}},
]


def networks(folder: Path) -> dict[str, NetworkReport]:
    return {network.method_id: network for network in training_report(folder).networks}


def test_the_papers_table() -> None:
    """Typed from the paper a second time, column by column."""
    assert list(PAPER_TABLE) == ["funfusean", "masknet", "deepfuse", "deep_pedestrian"]
    rows = list(PAPER_TABLE.values())
    assert [row.lambda_ for row in rows] == [0.99] * 4
    assert [row.gamma_ssim for row in rows] == [0.47, 0.5, 0.497, 0.52]
    assert [row.gamma_l2 for row in rows] == [0.5, 0.494, 0.5, 0.5]
    assert [row.ssim_mri for row in rows] == [0.2524, 0.2208, 0.2824, 0.2164]
    assert [row.ssim_pet for row in rows] == [0.2147, 0.2236, 0.2830, 0.2219]
    assert [row.l2_mri for row in rows] == [0.0148, 0.0109, 0.0385, 0.0148]
    assert [row.l2_pet for row in rows] == [0.0094, 0.0115, 0.0338, 0.0175]
    assert max(row.gap or 0 for row in rows) == pytest.approx(0.0377)


def test_a_row_beside_the_papers() -> None:
    own = card_row(card())
    assert own == TableRow(0.99, 0.5, 0.4, 0.2, 0.25, 0.0125, 0.02)
    found = {kind: shown(kind, numbers) for kind, numbers in lines(own, PAPER_TABLE["masknet"])}
    assert list(found) == ["these weights", "paper", "difference"]
    assert found["these weights"] == ("0.99", "0.5", "0.4", "0.2000", "0.2500", "0.0500", "0.0125", "0.0200")
    assert found["difference"] == ("0", "0", "−0.094", "−0.0208", "+0.0264", "+0.0472", "+0.0016", "+0.0085")
    assert [kind for kind, _ in lines(own, None)] == ["these weights"]
    unknown = lines(TableRow(), PAPER_TABLE["masknet"])
    assert [kind for kind, _ in unknown] == ["these weights", "paper"]
    assert shown(*unknown[0]) == (ABSENT,) * len(COLUMNS)


def test_a_card_in_words() -> None:
    content = card(known="The background is gray.", lists=[1, True, None], nothing=None, steps=1234)
    assert card_summary(content) == (
        "recipe cpu · 1,234 steps · 40 min · CPU, x86_64 · 2026-01-02T03:04:05+00:00"
    )
    assert card_summary(card(seconds=6000, interrupted=True)).endswith("interrupted")
    facts = dict(card_facts(content))
    assert facts["recipe → λ"] == "0.99" and facts["validation → losses → ssim mri"] == "0.2"
    assert facts["validation → brightness → frame"] == facts["nothing"] == ABSENT
    assert (facts["interrupted"], facts["lists"]) == ("no", f"1, yes, {ABSENT}")
    assert known_problems(content) == ("The background is gray.",)
    assert card_brightness(content).shown() == ("0.0100", "−0.0200", ABSENT)


@pytest.mark.parametrize("content", ODD_CARDS)
def test_odd_cards_break_nothing(content: dict[str, Any], tmp_path: Path) -> None:
    write_training(tmp_path, "deepfuse", content)
    network = networks(tmp_path)["deepfuse"]
    assert network.row == TableRow() and not network.brightness.known()
    assert all(isinstance(name, str) and isinstance(value, str) for name, value in network.facts)
    assert all(isinstance(remark, str) for remark in network.remarks)
    assert NO_CURVE in network.remarks


@pytest.mark.parametrize("text", ["", "[1]", "null", "{", "\x00"])
def test_damaged_cards_are_named(text: str, tmp_path: Path) -> None:
    write_training(tmp_path, "deepfuse")
    (tmp_path / "deepfuse.json").write_text(text)
    network = networks(tmp_path)["deepfuse"]
    assert network.card == {} and any("deepfuse.json cannot be read" in one for one in network.remarks)


def test_a_complete_training_has_nothing_to_remark(tmp_path: Path) -> None:
    write_training(tmp_path, "masknet", card(), curve())
    report = training_report(tmp_path)
    network = networks(tmp_path)["masknet"]
    assert network.remarks == () and network.has_weights and len(network.curve) == 40
    assert network.paper == PAPER_TABLE["masknet"]
    assert "MaskNet" not in without_curve(report)
    others = [one for one in report.networks if one.method_id != "masknet"]
    assert others and all("no weights of this network" in one.remarks[0] for one in others)


def test_a_card_of_other_weights_is_told(tmp_path: Path) -> None:
    write_training(tmp_path, "deepfuse", card(sha256="0" * 64), curve())
    assert any("for other weights" in one for one in networks(tmp_path)["deepfuse"].remarks)


def test_without_weights_a_card_has_no_numbers(tmp_path: Path) -> None:
    write_training(tmp_path, "deepfuse", card(), curve())
    (tmp_path / "deepfuse.safetensors").unlink()
    network = networks(tmp_path)["deepfuse"]
    assert network.row == TableRow() and not network.has_weights and network.facts


def test_a_damaged_curve_is_named(tmp_path: Path) -> None:
    write_training(tmp_path, "deepfuse", card())
    (tmp_path / "deepfuse.curve.csv").write_text("step,total\n1,2\n")
    network = networks(tmp_path)["deepfuse"]
    assert network.curve == () and "deepfuse.curve.csv cannot be read" in network.remarks[0]


def test_the_weights_that_ship_can_be_reported_on() -> None:
    report = training_report()
    assert tuple(network.method_id for network in report.networks) == trained_ids()
    assert {"funfusean", "masknet", "deepfuse", "deep_pedestrian"} <= set(trained_ids())
    for network in report.networks:
        if network.has_weights:
            assert network.row.numbers() != TableRow().numbers()
            content = json.loads((report.folder / f"{network.method_id}.json").read_text(encoding="utf-8"))
            assert network.row.ssim_mri == content["validation"]["losses"]["ssim_mri"]


def test_methods_that_fuse_alike_are_shown_once() -> None:
    assert "weighted_averaging" in fused_ids() and "weighted_averaging_true" not in fused_ids()
    assert set(trained_ids()) < set(fused_ids())


def test_folders_without_weights_are_refused(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(WeightsError, match="python -m fusion train"):
            checked_folder(folder)
    write_training(tmp_path, "deepfuse")
    assert checked_folder(tmp_path) == tmp_path


def test_curves_are_drawn_with_units_and_colours(tmp_path: Path) -> None:
    write_training(tmp_path, "masknet", card(), curve())
    report = training_report(tmp_path)
    colours = network_colours([network.method_id for network in report.networks])
    svg = curves_svg(report.networks)
    assert svg is not None and svg.startswith("<svg") and svg.rstrip().endswith("</svg>")
    assert colours["masknet"] in svg and colours["funfusean"] not in svg
    assert "<!-- loss (dimensionless) -->" in svg and "<!-- L SSIM, PET -->" in svg
    ends = upper_ends(report.networks)
    late = [point for point in report.networks[1].curve if point.fraction >= 0.1]
    assert ends["ssim"] == pytest.approx(1.05 * max(point.losses["ssim_pet"] for point in late))


def test_without_any_curve_there_is_no_picture(tmp_path: Path) -> None:
    assert curves_svg(training_report(tmp_path).networks) is None
    assert upper_ends(()) == {"ssim": 1.05, "l2": 1.05}


def test_colours_can_be_seen_in_both_themes() -> None:
    """Contrast of at least 3 to 1, as WCAG asks of graphics."""

    def luminance(colour: str) -> float:
        parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    for colour in PALETTE:
        assert 1.05 / (luminance(colour) + 0.05) >= 3, colour
        assert (luminance(colour) + 0.05) / (luminance("#212529") + 0.05) >= 3, colour

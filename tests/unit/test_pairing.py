"""Pairs by the names of files: never of two scenes, never by a guess; what is left over is named with its reason."""

from __future__ import annotations

import itertools
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.data.entries import PairEntry, folder_entries, user_entry
from fusion.data.modalities import Vocabulary, split_words
from fusion.data.pairing import match_names, readings_of

D = Path("d")


def pairs_of(*names: str, modalities: tuple[str, str] | None = None) -> list[tuple[str, str]]:
    entries, _ = folder_entries([D / name for name in names], modalities, D)
    return [
        (entry.paths[0].relative_to(D).as_posix(), entry.paths[1].relative_to(D).as_posix())
        for entry in entries
    ]


def left_over(*names: str, modalities: tuple[str, str] | None = None) -> str:
    """Return why all of these are left out, in one text."""
    entries, problems = folder_entries([D / name for name in names], modalities, D)
    assert entries == ()
    text = "\n".join(problems)
    for name in names:
        assert name in text
    return text


@pytest.mark.parametrize(
    ("first", "second", "address", "modalities"),
    [
        ("mri_3.png", "pet_3.gif", "3", ("MRI", "PET")),
        ("p11_mri.png", "p11_pet.png", "p11", ("MRI", "PET")),
        ("Camp_IR.png", "Camp_Vis.png", "Camp", ("IR", "Vis")),
        ("1-ir.png", "1-vis.png", "1", ("IR", "vis")),
        ("house_ir_1.png", "house_vis_1.png", "house_1", ("IR", "vis")),
        ("01.ir.png", "01.vis.png", "01", ("IR", "vis")),
        ("IR07.png", "VIS07.png", "07", ("IR", "VIS")),
        ("07ir.png", "07vis.png", "07", ("IR", "vis")),
        ("IR/01.png", "vi/01.png", "01", ("IR", "vi")),
        ("train/IR/01.png", "train/VIS/01.png", "train_01", ("IR", "VIS")),
        ("ir/train/01.png", "vi/train/01.png", "train_01", ("IR", "vi")),
        ("train_ir/01.png", "train_vi/01.png", "train_01", ("IR", "vi")),
        ("ir/ir_01.png", "vi/vi_01.png", "01", ("IR", "vi")),
        ("ir/FLIR_00211.jpg", "vi/FLIR_00211.jpg", "FLIR_00211", ("IR", "vi")),
        ("MRI-PET/MRI/11.png", "MRI-PET/PET/11.png", "MRI-PET_11", ("MRI", "PET")),
        ("p11/mri.png", "p11/pet.png", "p11", ("MRI", "PET")),
        ("MRI/T2_05.png", "PET/PET_05.png", "05", ("T2", "PET")),
        ("t1_7.png", "pet_7.png", "7", ("T1", "PET")),
        ("FLAIR_7.png", "ct_7.png", "7", ("FLAIR", "CT")),
        ("MR-T2_7.png", "SPECT-Tc_7.png", "7", ("MR-T2", "SPECT-Tc")),
        ("mri_7.png", "t1_7.png", "7", ("MRI", "T1")),
        ("far_7.png", "near_7.png", "7", ("far", "near")),
        ("over_7.png", "under_7.png", "7", ("over", "under")),
        ("mri_t2_7.png", "pet_t2_7.png", "t2_7", ("MRI", "PET")),
        ("mri_patient_7 left.1.png", "pet_patient_7 left.1.png", "patient_7 left.1", ("MRI", "PET")),
        ("MRI_PET_001_MRI.png", "MRI_PET_001_PET.png", "MRI_PET_001", ("MRI", "PET")),
        ("A_IR.png", "a_vis.png", "A", ("IR", "vis")),
        ("mri_7.png", "own_7.png", "7", ("MRI", "own")),
        ("rgb_1.png", "thermal_1.png", "1", ("RGB", "thermal")),
        ("cropinfrared/FLIR_6.jpg", "crop_LR_visible/FLIR_6.jpg", "FLIR_6", ("cropinfrared", "visible")),
        ("RGB/FLIR_1.jpg", "thermal_8_bit/FLIR_1.jpg", "FLIR_1", ("RGB", "thermal")),
        ("over_exposed_3.png", "under_exposed_3.png", "3", ("over_exposed", "under_exposed")),
        ("overexposure/1.jpg", "underexposure/1.jpg", "1", ("overexposure", "underexposure")),
        ("far_focus/1.jpg", "near_focus/1.jpg", "1", ("far_focus", "near_focus")),
        ("x_EO.png", "x_IR.png", "x", ("EO", "IR")),
        ("C-1__CT.nii.gz", "C-1__PT.nii.gz", "C-1", ("CT", "PT")),
        ("pt_01_mri.png", "pt_01_ct.png", "pt_01", ("MRI", "CT")),
        ("s-1/anat/s-1_T1w.nii", "s-1/pet/s-1_trc-FDG_pet.nii", "s-1_s-1", ("T1W", "FDG_PET")),
        ("s_mri.png", "s_Tc99m.png", "s", ("MRI", "Tc99m")),
    ],
)  # fmt: skip
def test_known_words_say_which_part_is_the_modality(
    first: str, second: str, address: str, modalities: tuple[str, str]
) -> None:
    for names in ((first, second), (second, first)):
        (entry,), problems = folder_entries([D / name for name in names], root=D)
        assert problems == ()
        assert entry.paths == (D / first, D / second)
        assert entry.address == address
        assert entry.modalities == modalities
        assert entry.title.startswith(f"{modalities[0]} / {modalities[1]} {address} (")


def test_without_a_root_the_folder_that_all_share_says_nothing() -> None:
    (entry,), _ = folder_entries([Path("/mri/ct/ir/01.png"), Path("/mri/ct/vi/01.png")])
    assert entry.modalities == ("IR", "vi")
    (entry,), _ = folder_entries([Path("/mri/ir_01.png"), Path("/mri/vi_01.png")])
    assert entry.modalities == ("IR", "vi")


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["Camp_A.png", "Camp_B.png", "Dune_A.png", "Dune_B.png"], "known"),
        (["Camp_1.png", "Dune_1.png"], "known"),
        (["foo_1.png", "bar_1.png", "foo_2.png", "bar_2.png"], "--modalities"),
        (["a/01.png", "b/01.png"], "no folder is named after a modality"),
        (["ir_near.png", "ir_far.png", "vis_near.png", "vis_far.png"], "can be read as"),
        (["t1_ct_1.png", "t2_ct_1.png"], "words for CT"),
        (["t1/ct_1.png", "t2/ct_1.png"], "words for CT"),
        (["ct/pet_1.png", "mri/pet_1.png"], "words for PET"),
        (["mri_-5.png", "pet_5.png"], "only one image"),
        (["p1-mri_3.png", "p2-pet_3.png"], "only one image"),
        (["p1_mri_3.png", "p2_pet_3.png"], "only one image"),
        (["Camp_IR.png", "Dune_Vis.png"], "only one image"),
        (["ir/01.png", "vi/1.png"], "only one image"),
        (["a/mri_1.png", "b/pet_1.png"], "only one image"),
        (["ir_1.png", "infrared_1.png"], "several images of one modality"),
        (["mri_1.png", "MR_1.png"], "several images of one modality"),
        (["mri_1.png", "pet_1.png", "ct_1.png"], "3 modalities"),
        (["ir/1.png", "vi/1.png", "nir/1.png", "swir/1.png"], "4 modalities"),
        (["mri_1.png", "mask_1.png"], "made of inputs"),
        (["ir_1.png", "fused_1.png"], "made of inputs"),
        (["mri_1.png", "own_1.png", "other_1.png"], "known"),
        (["Camp_IR.png", "Camp_own.png"], "known"),
        (["ir/1.png", "crop_LR_visible/1.png", "crop_HR_visible/1.png"], "several images of one modality"),
        (["lr_1_mri.png", "hr_1_pet.png"], "only one image"),
        (["mri_gray_1.png", "pet_grey_1.png"], "only one image"),
        (["pt_1_mri.png", "pt_2_pet.png"], "only one image"),
        (["sub-01/anat/sub-01_T1w.nii", "sub-02/pet/sub-02_pet.nii"], "only one image"),
        (["x_t1.nii", "x_t2.nii", "x_flair.nii", "x_t1ce.nii"], "4 modalities"),
        (["GT/1.jpg", "Segmentation_labels/1.png"], "made of inputs"),
        (["x-A.jpg", "x-B.jpg"], "no part of their names or folders is a modality"),
        (["mri_1"], "without an extension"),
    ],
)
def test_what_is_not_sure_is_left_out_with_the_reason(names: list[str], reason: str) -> None:
    assert reason in left_over(*names)


def test_a_reason_for_one_file_speaks_of_one() -> None:
    assert "is left out: it is made of inputs (masks, labels, fused images), and is none." in left_over(
        "mask_1.png"
    )


@pytest.mark.parametrize(
    "extension",
    ["mha", "mhd", "nrrd", "heic", "jxl", "h5", "mat", "mgz", "fits", "exr", "avif", "MHA"],
)
def test_images_that_cannot_be_read_are_named(extension: str) -> None:
    assert f"(.{extension.lower()})" in left_over(f"mri_1.{extension}", f"pet_1.{extension}")
    assert f"(.{extension.lower()})" in left_over(f"IM0001.{extension}")


@pytest.mark.parametrize("extension", ["nii", "nii.gz"])
def test_volumes_are_pairs_like_other_images(extension: str) -> None:
    assert pairs_of(f"mri_1.{extension}", "pet_1.png") == [(f"mri_1.{extension}", "pet_1.png")]
    assert "only one" in left_over(f"mri_1.{extension}")


def test_other_files_are_not_even_mentioned() -> None:
    names = ["readme_1.txt", "mri_1.json", "notes", "paper.pdf", "mri.csv", "all.zip", "run_1.py"]
    assert folder_entries([D / name for name in names]) == ((), ())


def test_many_files_with_one_reason_make_one_sentence() -> None:
    _, problems = folder_entries([D / f"scan{number}.png" for number in range(200)])
    assert len(problems) == 1
    assert "and 194 more" in problems[0]


def test_two_forms_of_one_letter_are_one_id_in_files_and_folders() -> None:
    composed, decomposed = (unicodedata.normalize(form, "rené ñ") for form in ("NFC", "NFD"))
    assert len(pairs_of(f"mri_{composed}.png", f"pet_{decomposed}.png")) == 1
    assert len(pairs_of(f"ir/{composed}/1.png", f"vi/{decomposed}/1.png")) == 1
    assert len(pairs_of(f"{composed}_IR.png", f"{decomposed}_VIS.png")) == 1


def test_capitals_in_ids_count_only_where_they_tell_pairs_apart() -> None:
    alike = ["mri_a.png", "pet_a.png", "mri_A.png", "pet_A.png"]
    assert sorted(pairs_of(*alike)) == [("mri_A.png", "pet_A.png"), ("mri_a.png", "pet_a.png")]
    assert left_over("mri_a.png", "mri_A.png", "pet_a.PNG".replace("a", "Á"))


def test_modalities_that_the_user_names() -> None:
    names = ["foo_1.png", "bar_1.png", "foo_2.png", "bar_2.png"]
    assert pairs_of(*names, modalities=("foo", "bar")) == [
        ("foo_1.png", "bar_1.png"),
        ("foo_2.png", "bar_2.png"),
    ]
    assert pairs_of(*names, modalities=("1", "2")) == [("bar_1.png", "bar_2.png"), ("foo_1.png", "foo_2.png")]
    three = ["mri_1.png", "pet_1.png", "ct_1.png"]
    entries, problems = folder_entries([D / name for name in three], ("Pet", "CT"))
    assert [entry.modalities for entry in entries] == [("PET", "CT")]
    assert len(problems) == 1
    assert "mri_1.png" in problems[0]
    assert pairs_of("t1/ct_1.png", "t2/ct_1.png", modalities=("T1", "T2")) == [("t1/ct_1.png", "t2/ct_1.png")]
    assert pairs_of("ir/1.png", "vi/1.png", modalities=("VIS", "IR")) == [("vi/1.png", "ir/1.png")]
    assert pairs_of("x-01-B.jpg", "x-01-A.jpg", modalities=("A", "B")) == [("x-01-A.jpg", "x-01-B.jpg")]
    assert pairs_of("mri-t2_1.png", "mri-t1_1.png", modalities=("MRI-T2", "MRI T1")) == [
        ("mri-t2_1.png", "mri-t1_1.png")
    ]


WORDS = st.sampled_from(
    ["mri", "t1", "t2", "pet", "ir", "vis", "near", "far", "ct", "rgb", "mask", "own", "scan"]
)
PARTS = st.one_of(WORDS, st.sampled_from(["1", "2", "p1", "p2", "left", "Camp"]))
NAMES = st.lists(
    st.tuples(
        st.lists(PARTS, max_size=2),
        st.lists(PARTS, min_size=1, max_size=3),
        st.sampled_from(["_", "-", " ", "."]),
    ).map(lambda drawn: (*drawn[0], drawn[2].join(drawn[1]))),
    max_size=7,
    unique=True,
)


@given(names=NAMES)
def test_whatever_the_names_no_file_is_lost_or_in_two_pairs(names: list[tuple[str, ...]]) -> None:
    matches, reasons = match_names(names, Vocabulary())
    paired = [place for match in matches for place in match.places]
    assert sorted([*paired, *reasons]) == list(range(len(names)))
    for match in matches:
        one, two = match.modalities
        assert one.meaning != two.meaning
        # What is not the modality, which folder and name may both tell, is the same in both names.
        first, second = (set(split_words("_".join(names[place]))) for place in match.places)
        told = {word for word in first | second if readings_of([word], Vocabulary())}
        of_modality = {
            word
            for word in told
            if readings_of([word], Vocabulary())[0].modality.kind in (one.kind, two.kind)
        }
        assert first ^ second <= {*split_words(one.text), *split_words(two.text)} | of_modality


@pytest.mark.parametrize("both", [("near", "far"), ("t1", "t2"), ("over", "1_under"), ("t1", "1_t2")])
def test_a_folder_and_a_name_that_contradict_each_other_are_no_modality(both: tuple[str, str]) -> None:
    matches, reasons = match_names([("pet", "1"), both], Vocabulary())
    assert not matches
    assert set(reasons) == {0, 1}


@pytest.mark.parametrize("both", [("mri", "1_t2"), ("t2", "1_mri"), ("t2", "1_t2")])
def test_a_folder_and_a_name_may_tell_the_same(both: tuple[str, str]) -> None:
    matches, _ = match_names([("pet", "1"), both], Vocabulary())
    assert [match.identity for match in matches] == ["1"]


@given(names=NAMES, data=st.data())
def test_the_order_of_files_changes_nothing(names: list[tuple[str, ...]], data: st.DataObject) -> None:
    files = [D.joinpath(*name[:-1], f"{name[-1]}.png") for name in names]
    shuffled = data.draw(st.permutations(files))
    assert folder_entries(files, root=D) == folder_entries(shuffled, root=D)


@given(
    scenes=st.lists(
        st.from_regex(r"[A-Z][a-z]{2,6}[0-9]{0,2}", fullmatch=True), min_size=2, max_size=4, unique=True
    ),
    words=st.permutations(["IR", "Vis", "thermal", "MRI", "PET", "ct"]),
    layout=st.sampled_from(
        ["{0}_{1}", "{1}_{0}", "{1}/{0}", "{0}/{1}", "{0}-{1}", "set/{1}/{0}", "{1}/x_{0}"]
    ),
)
def test_scenes_are_never_mixed(scenes: list[str], words: list[str], layout: str) -> None:
    names = [layout.format(scene, word) + ".png" for scene, word in itertools.product(scenes, words[:2])]
    entries, _ = folder_entries([D / name for name in names], root=D)
    assert len(entries) == len(scenes)
    for entry in entries:
        shown = [
            {scene for scene in scenes if scene in split_words("_".join(path.parts))} for path in entry.paths
        ]
        assert shown[0] == shown[1]
        assert len(shown[0]) == 1


def by_hand(first: str, second: str) -> PairEntry:
    return user_entry(Path("/data/ct") / first, Path("/data/ct") / second)


@pytest.mark.parametrize(
    ("first", "second", "modalities", "address"),
    [
        ("pet_3.gif", "mri_3.gif", ("PET", "MRI"), "3"),
        ("vi/01.png", "ir/01.png", ("vi", "IR"), "01"),
        ("MRI/11.png", "SPECT/11.png", ("MRI", "SPECT"), "11"),
        ("Camp_IR.png", "Camp_Vis.png", ("IR", "Vis"), "Camp"),
        ("RoadScene/ir/FLIR_1.jpg", "RoadScene/vi/FLIR_1.jpg", ("IR", "vi"), "FLIR_1"),
        ("first/mri_7.png", "second/pet_7.png", ("MRI", "PET"), "7"),
        ("mri_3.gif", "pet_4.gif", ("MRI", "PET"), "mri-3-pet-4"),
        ("a_T1.png", "b_pet.png", ("T1", "PET"), "a-t1-b-pet"),
        ("mri_1.png", "mri_2.png", ("MRI x1", "MRI x2"), "mri-1-mri-2"),
        ("own_1.png", "other_1.png", ("own", "other"), "1"),
        ("FLIR_1.jpg", "FLIR_1.jpg", ("x1", "x2"), "1"),
        ("brain.png", "Tracer Uptake.png", ("x1", "x2"), "brain-tracer-uptake"),
        ("mri/x.png", "y.png", ("MRI", "x2"), "x-y"),
        ("x.png", "pet_y.png", ("x1", "PET"), "x-pet-y"),
    ],
)
def test_two_files_named_by_hand_keep_their_order_and_their_words(
    first: str, second: str, modalities: tuple[str, str], address: str
) -> None:
    entry = by_hand(first, second)
    assert entry.modalities == modalities
    assert entry.address == address
    assert [path.name for path in entry.paths] == [Path(first).name, Path(second).name]
    assert entry.title.startswith(" / ".join(modalities))


def test_modalities_given_for_two_files() -> None:
    entry = user_entry(Path("/a/mri_1.png"), Path("/a/pet_1.png"), ("Phase", "GFP"))
    assert entry.modalities == ("Phase", "GFP")
    assert entry.address == "1"


@given(first=st.text(min_size=1, max_size=12), second=st.text(min_size=1, max_size=12))
def test_two_files_of_any_names_have_two_modalities(first: str, second: str) -> None:
    first, second = (name.replace("/", "_").replace("\0", "_") for name in (first, second))
    entry = user_entry(Path("/x") / first, Path("/x") / second)
    assert entry.modalities[0].casefold() != entry.modalities[1].casefold()
    assert entry.address

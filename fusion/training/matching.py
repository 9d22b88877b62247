"""Which file of one folder belongs to which of another, and which pairs must not be torn apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fusion.training.recipes import TrainingError

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".npy")


@dataclass(frozen=True)
class FilePair:
    """Two files that show the same; `folder` is the sub-folder of the first, empty for none."""

    first: Path
    second: Path
    folder: str


def match_files(first: Path, second: Path) -> list[FilePair]:
    """Match the pictures of two folders and their sub-folders by name.

    Names match if they are equal but for the extension, or if they are once the beginning and the end that all
    names of a folder share are taken away: ``mri_1.png … mri_9.png`` and ``pet_1.gif … pet_9.gif`` match.

    Raises
    ------
    TrainingError
        If a folder is missing or empty, or a file has no partner; it names the first few.
    """
    ours, theirs = _pictures(first), _pictures(second)
    if ours.keys() != theirs.keys():
        short_ours, short_theirs = _shortened(ours), _shortened(theirs)
        if short_ours is not None and short_theirs is not None and short_ours.keys() & short_theirs.keys():
            ours, theirs = short_ours, short_theirs
    alone = [path for key, path in ours.items() if key not in theirs]
    alone += [path for key, path in theirs.items() if key not in ours]
    if alone:
        names = ", ".join(str(path) for path in sorted(alone)[:5])
        more = f" and {len(alone) - 5} more" if len(alone) > 5 else ""
        raise TrainingError(
            f"No partner in the other folder: {names}{more}. Give both files of a pair the same name, or remove them."
        )
    return [FilePair(ours[key], theirs[key], _folder(ours[key], first)) for key in sorted(ours)]


def group_files(pairs: Sequence[FilePair], digests: Mapping[Path, str]) -> list[list[FilePair]]:
    """Group pairs that show the same patient or picture, as far as files can tell.

    Parameters
    ----------
    pairs : sequence of FilePair
        All pairs.
    digests : mapping
        A digest of the content of each file.

    Returns
    -------
    list of list of FilePair
        Pairs of the same sub-folder, and pairs that share a picture, are in one group.
    """
    group_of: dict[str, list[FilePair]] = {}
    for pair in pairs:
        marks = [f"picture {digests[path]}" for path in (pair.first, pair.second)]
        if pair.folder:
            marks.append(f"folder {pair.folder}")
        together = [pair]
        for group in {id(group_of[mark]): group_of[mark] for mark in marks if mark in group_of}.values():
            together += group
        for mark, group in list(group_of.items()):
            if group[0] in together:
                group_of[mark] = together
        for mark in marks:
            group_of[mark] = together
    groups = {id(group): group for group in group_of.values()}
    return sorted(
        (sorted(group, key=lambda pair: str(pair.first)) for group in groups.values()),
        key=lambda group: str(group[0].first),
    )


def _pictures(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise TrainingError(f"{folder}: there is no such folder.")
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in IMAGE_SUFFIXES or path.name.startswith("."):
            continue
        key = path.relative_to(folder).with_suffix("").as_posix()
        if key in found:
            raise TrainingError(f"{found[key]} and {path} have the same name. Keep one of them.")
        found[key] = path
    if not found:
        raise TrainingError(f"{folder}: there are no pictures in this folder ({', '.join(IMAGE_SUFFIXES)}).")
    return found


def _shortened(pictures: Mapping[str, Path]) -> dict[str, Path] | None:
    """Take the shared beginning and end of the names away; None where names would become equal."""
    stems = {key: Path(key).name for key in pictures}
    start = _shared_start(list(stems.values()))
    end = _shared_start([stem[start:][::-1] for stem in stems.values()])
    short = {
        (Path(key).parent / stems[key][start : len(stems[key]) - end]).as_posix(): path
        for key, path in pictures.items()
    }
    return short if len(short) == len(pictures) else None


def _shared_start(names: Sequence[str]) -> int:
    """Return how many first characters all names share."""
    length = 0
    for characters in zip(*names, strict=False):
        if len(set(characters)) > 1:
            break
        length += 1
    return length


def _folder(path: Path, root: Path) -> str:
    parent = path.relative_to(root).parent.as_posix()
    return "" if parent == "." else parent

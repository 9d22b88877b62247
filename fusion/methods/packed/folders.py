"""Folders with a method each: finding them, telling what is wrong with one, and making a method of it."""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from fusion.errors import PackedMethodError
from fusion.methods.adapting import Adapted
from fusion.methods.base import Method
from fusion.methods.packed.archive import read_archive
from fusion.methods.packed.description import Description, read_description
from fusion.methods.packed.graph import GraphNetwork, ProgramNetwork
from fusion.methods.packed.onnx_file import DATA_SUFFIX, read_onnx
from fusion.methods.packed.onnx_graph import OnnxNetwork
from fusion.methods.packed.onnx_runtime import check_against_runtime
from fusion.saliency.crops import Locality

VARIABLE = "FUSEVIS_METHODS_DIR"
"""The environment variable that names a folder of such folders."""
MODELS = (".pt2", ".onnx")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
Signature = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class PackedMethod:
    """A folder that holds a method, or should.

    Attributes
    ----------
    path : Path
        The folder.
    foreign : bool
        Whether somebody else has brought its model file: then no other process than its own reads that.
    """

    path: Path
    foreign: bool = False

    @property
    def id(self) -> str:
        """The method's id: the folder's name."""
        return self.path.absolute().name

    def has_valid_id(self) -> bool:
        """Tell whether the folder's name can be an id."""
        return NAME.fullmatch(self.id) is not None

    def signature(self) -> Signature:
        """Return names, times and sizes of the folder's files: what changes when somebody changes one."""
        try:
            kinds = (".toml", DATA_SUFFIX, *MODELS)
            files = sorted(entry for entry in self.path.iterdir() if entry.suffix in kinds)
            return tuple((file.name, (stat := file.stat()).st_mtime_ns, stat.st_size) for file in files)
        except OSError:
            return ()

    def description(self) -> Description:
        """Read the description.

        Raises
        ------
        PackedMethodError
            If it is missing, cannot be read or has something in it that cannot be.
        """
        if not self.has_valid_id():
            raise PackedMethodError(
                f"{self.path}: the folder's name is the method's id. Use letters, digits, _ - and . in it, up to 64."
            )
        return read_description(self._file(".toml"))

    def model(self) -> Path:
        """Return the file with the network.

        Raises
        ------
        PackedMethodError
            If there is none, or there are several.
        """
        return self._file(*MODELS)

    def _file(self, *suffixes: str) -> Path:
        try:
            found = [
                file for file in sorted(self.path.iterdir()) if file.suffix in suffixes and file.is_file()
            ]
        except OSError as error:
            raise PackedMethodError(f"{self.path}: the folder cannot be read ({error.strerror}).") from error
        named = [file for file in found if file.stem == self.id]
        if len(named) == 1 or len(found) == 1:
            return (named or found)[0]
        if len(found) > 1:
            names = ", ".join(file.name for file in found)
            raise PackedMethodError(f"{self.path}: there are {names}. A folder has one of them.")
        kinds = " or ".join(f"{self.id}{suffix}" for suffix in suffixes)
        raise PackedMethodError(
            f"{self.path}: there is no {kinds}. `python -m fusion pack` makes both files of a network of yours."
        )

    def problem(self) -> str:
        """Return what is wrong with the folder, a sentence, or nothing. Weights are not read for it."""
        with _LOCK:
            known = _PROBLEMS.get(self.path)
        signature = self.signature()
        if known is None or known[0] != signature:
            known = signature, self._looked_at()
            with _LOCK:
                _PROBLEMS[self.path] = known
        return known[1]

    def _looked_at(self) -> str:
        try:
            self.description()
            if self.foreign:
                return ""
            self.network(numbers=False)
        except PackedMethodError as error:
            return str(error)
        return ""

    def title(self) -> str:
        """Return the title, the id where there is none."""
        try:
            return self.description().title
        except PackedMethodError:
            return self.id

    def network(self, numbers: bool = True) -> ProgramNetwork:
        """Return the network as it is in the file.

        Parameters
        ----------
        numbers : bool
            Whether to read weights; without them it can be looked at, not run.

        Raises
        ------
        PackedMethodError
            If it cannot be used.
        """
        file = self.model()
        if file.suffix == ".onnx":
            return OnnxNetwork(read_onnx(file, numbers), file)
        return GraphNetwork(read_archive(file, numbers), file)

    def content(self) -> bytes:
        """Return what the model's weights id is of: the file, and what lies beside it."""
        beside = sorted(self.path.glob(f"*{DATA_SUFFIX}")) if self.model().suffix == ".onnx" else []
        return b"".join(
            [self.model().read_bytes(), *(hashlib.sha256(file.read_bytes()).digest() for file in beside)]
        )

    def load_here(self, device: torch.device, locality: Locality | None = None) -> Method:
        """Make a method of the folder whose network runs in this process.

        Parameters
        ----------
        device : torch.device
            Where to run it.
        locality : Locality, optional
            What was found of it before; found out unless given.

        Raises
        ------
        PackedMethodError
            If its files cannot be used.
        NetworkError
            If the network does not fuse images, or has no derivative.
        """
        described = self.description()
        graph = self.network()
        adaptation = described.adaptation
        if graph.rules.batch() == 1:
            adaptation = replace(adaptation, single=True)
        fixed = adaptation.fixed or (graph.rules.fixed() if adaptation.sizes is None else None)
        weights_id = described.weights_id(self.content())
        least = max(adaptation.least, graph.rules.least())
        # Crops may be smaller than images while the network is probed, as it does the same on both.
        own = Adapted(graph, replace(adaptation, least=1))
        checks: tuple[str, ...] = ()
        if locality is None:
            checks = self._checks(graph, described)
            method = Method.from_own(own, self.id, described.title, device, weights_id, fixed, described.note)
        else:
            method = Method(self.id, described.title, own, locality, weights_id, device, described.note)
        own.adaptation, method.checks = replace(adaptation, least=least), checks
        if method.support_radius is not None:
            method.locality = replace(method.locality, least=max(method.locality.least, least))
        return method

    def _checks(self, graph: ProgramNetwork, described: Description) -> tuple[str, ...]:
        """Return what the network was held against, and how far it was apart; refuse one that differs."""
        if not isinstance(graph, OnnxNetwork):
            apart = described.measured.get("difference")
            return (
                (f"outputs and gradients against the original when it was packed: {apart} apart",)
                if apart
                else ()
            )
        found = check_against_runtime(self.model(), graph, described.adaptation)
        if found is None:
            return ("not compared with ONNX Runtime, which is not installed here or does not run it",)
        return (f"values against ONNX Runtime in float32: {found:.1g} of the largest value apart",)


_LOCK = threading.Lock()
_PROBLEMS: dict[Path, tuple[Signature, str]] = {}


def packed_methods(folder: Path | None = None) -> Iterator[PackedMethod]:
    """Yield the folders that hold a method each, or should, by name.

    Parameters
    ----------
    folder : Path, optional
        Where they are; that of the environment unless given. Looked at each time.
    """
    place = folder or os.environ.get(VARIABLE)
    if not place:
        return
    try:
        entries = sorted(entry for entry in Path(place).expanduser().iterdir() if entry.is_dir())
    except OSError:
        return
    yield from (PackedMethod(entry) for entry in entries if not entry.name.startswith((".", "_")))


def packed_at(path: Path) -> PackedMethod | None:
    """Return the method in a folder, or in that of a file; ``None`` where a path names neither."""
    folder = path.parent if path.suffix in (".toml", *MODELS) and path.is_file() else path
    return PackedMethod(folder) if folder.is_dir() else None

"""The chunk store: arrays of Zarr, in a folder or behind any address of fsspec, whose chunks end in a checksum.

A chunk is the result of one unit. Zarr would read a missing one as numbers; here it is an error, so that missing always
means to compute. So does a damaged one, which the log names.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import zarr
from fsspec.implementations.local import LocalFileSystem
from numpy.typing import NDArray
from zarr.abc.store import ByteRequest, Store
from zarr.codecs import Crc32cCodec
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import FsspecStore

from fusion.errors import AtlasError, FuseVisError
from fusion.pair import Pair
from fusion.saliency.atlas_store import CHUNK, METADATA, PART, ChunkFiles
from fusion.saliency.claims import Claims

logger = logging.getLogger(__name__)

PAIRS = "pairs"
SCHEMA = 1
"""Of the arrays; raise it when they get another meaning."""


Claim = Callable[[int], contextlib.AbstractContextManager[bool]]
"""Claims a chunk for a ``with``, which gets False if another process has it."""


class StoreError(FuseVisError):
    """A store cannot be opened, read or written."""


def unreachable(*others: type[Exception]) -> tuple[type[Exception], ...]:
    """Return what is raised where a store does not answer, and others: a client of objects has errors of its own."""
    client = sys.modules.get("botocore.exceptions")
    own = () if client is None else (client.BotoCoreError, client.ClientError)
    return (OSError, *own, *others)


class RemoteChunks(FsspecStore):
    """Zarr's store behind an address of fsspec, for which a chunk that is missing is an error."""

    async def get(
        self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """Read an object; see `zarr.abc.store.Store`."""
        found = await super().get(key, prototype, byte_range)
        if found is None and key.rpartition("/")[2].startswith(CHUNK):
            raise FileNotFoundError(f"there is no chunk {key}")
        return found


class ChunkStore:
    """A place for the results of units, which any number of processes may use at once.

    Parameters
    ----------
    url : str or Path
        A folder, or an address of fsspec such as ``s3://bucket/folder``, ``memory://folder``. It is made when the
        first result comes.

    Attributes
    ----------
    url : str
        The same, absolute where it is a folder.
    folder : Path or None
        The folder, where it is one of this machine.

    Raises
    ------
    StoreError
        If fsspec has no way to such an address here.
    """

    def __init__(self, url: str | Path) -> None:
        try:
            # What others have added since the last look is to be seen.
            self.files, self.root = fsspec.core.url_to_fs(str(url), use_listings_cache=False)
        except (ImportError, ValueError) as error:
            raise StoreError(f"There is no way to a store at {url} here ({error}).") from error
        self.folder = Path(self.root) if isinstance(self.files, LocalFileSystem) else None
        self.url = self.root if self.folder is not None else str(url)

    def array(
        self,
        path: str,
        shape: tuple[int, ...],
        chunk: tuple[int, ...],
        attributes: dict[str, Any],
        dtype: str = "float32",
    ) -> Chunks:
        """Return an array of the store; nothing is read or written yet.

        Parameters
        ----------
        path : str
            Where it lies in the store.
        shape, chunk : tuple of int
            Of the array and of a chunk. There are several along the first axis alone, where they are counted.
        attributes : dict
            What the numbers are, in JSON's types. An array that has others is made anew.
        dtype : {"float32", "float64"}
            Of the numbers.
        """
        return Chunks(self, path, shape, chunk, {"schema": SCHEMA, **attributes}, np.dtype(dtype))

    def prune(self, older_s: float) -> None:
        """Remove arrays that nobody has added to for so many seconds, where the store is a folder."""
        if self.folder is None:
            return
        before = time.time() - older_s
        with contextlib.suppress(OSError):  # another process may be at it
            for described in list(self.folder.glob(f"**/{METADATA}")):
                if described.parent.stat().st_mtime < before:
                    shutil.rmtree(described.parent)

    def put_pair(self, pair: Pair) -> None:
        """Keep the images of a pair, for those who are told its content id alone."""
        chunks = self._pair_array(pair.id, pair.shape)
        if not chunks.done():
            chunks.write(0, pair.images[None])
        elif self.folder is not None:
            # It is used: `prune` counts from now on.
            with contextlib.suppress(OSError):
                os.utime(self.folder / PAIRS / pair.id)

    def pair(self, pair_id: str, shape: tuple[int, int]) -> Pair:
        """Return a pair that was kept.

        Parameters
        ----------
        pair_id : str
            Its content id.
        shape : tuple of int
            (H, W) of its images, pixels.

        Raises
        ------
        StoreError
            If it is not there, or damaged.
        """
        images = self._pair_array(pair_id, shape).read(0)
        if images is None:
            raise StoreError(f"The store {self.url} does not have the images of the pair {pair_id[:12]}.")
        pair = Pair(images[0])
        if pair.id != pair_id:
            raise StoreError(f"The store {self.url} has other images for the pair {pair_id[:12]}.")
        return pair

    def _pair_array(self, pair_id: str, shape: tuple[int, int]) -> Chunks:
        return self.array(f"{PAIRS}/{pair_id}", (1, 2, *shape), (1, 2, *shape), {"pair": pair_id})

    def zarr_store(self, path: str) -> Store:
        """Return Zarr's store of the array at a path."""
        if self.folder is not None:
            return ChunkFiles(self.folder / path)
        return RemoteChunks.from_url(f"{self.url.rstrip('/')}/{path}")


class Chunks:
    """One array of a store, see `ChunkStore.array`."""

    def __init__(
        self,
        store: ChunkStore,
        path: str,
        shape: tuple[int, ...],
        chunk: tuple[int, ...],
        attributes: dict[str, Any],
        dtype: np.dtype[Any],
    ) -> None:
        self._store, self._path, self._dtype = store, path, dtype
        self._shape, self._chunk, self._attributes = shape, chunk, attributes
        self._place = f"{store.root.rstrip('/')}/{path}"
        self._opened: zarr.Array[Any] | None = None

    def __str__(self) -> str:
        return f"{self._store.url.rstrip('/')}/{self._path}"

    def __len__(self) -> int:
        """Return how many chunks there are when all are done."""
        return -(-self._shape[0] // self._chunk[0])

    def done(self) -> frozenset[int]:
        """Return the numbers of the chunks that are there, as others have left them by now.

        Raises
        ------
        StoreError
            If the store cannot be reached.
        """
        files = self._store.files
        try:
            files.invalidate_cache(self._place)
            names = [
                str(entry).rstrip("/").rpartition("/")[2] for entry in files.ls(self._place, detail=False)
            ]
        except FileNotFoundError:
            return frozenset()
        except unreachable() as error:
            raise self._unusable(error) from error
        chunks = (name.split(".")[1] for name in names if name.startswith(CHUNK) and not name.endswith(PART))
        return frozenset(int(number) for number in chunks if number.isdigit()) & frozenset(range(len(self)))

    def read(self, number: int) -> NDArray[Any] | None:
        """Read a chunk; ``None`` where there is none, or it is damaged, which the log says: it has to be computed.

        Parameters
        ----------
        number : int
            Along the first axis, from 0.

        Returns
        -------
        ndarray of the array's dtype, of the shape of a chunk, or None

        Raises
        ------
        StoreError
            If the store cannot be reached.
        """
        try:
            return np.asarray(self._array()[self._slice(number)], dtype=self._dtype)
        except FileNotFoundError:
            return None
        except unreachable() as error:
            raise self._unusable(error) from error
        # What Zarr raises on damage is not documented: many kinds of exception were seen.
        except Exception as error:  # noqa: BLE001 - whatever it is, the numbers are not to be had
            logger.warning(
                "%s: chunk %d is damaged (%s); it is removed and computed anew", self, number, error
            )
            self._remove_chunk(number)
        return None

    def write(self, number: int, values: NDArray[np.floating]) -> None:
        """Put a chunk in its place, in one step.

        Parameters
        ----------
        number : int
            Along the first axis, from 0.
        values : ndarray
            Of the shape of a chunk; kept in the array's dtype.

        Raises
        ------
        StoreError
            If it cannot be written.
        """
        try:
            array = self._array().with_config({"write_empty_chunks": True})
            array[self._slice(number)] = values
        except unreachable(ValueError) as error:
            raise self._unusable(error) from error

    @contextlib.contextmanager
    def claims(self) -> Iterator[Claim]:
        """Let processes of one machine share the chunks among them, where the store is a folder.

        Yields
        ------
        callable
            Claims a chunk for a ``with``, which gets False if another process has it; see `Claims`.

        Raises
        ------
        StoreError
            If the folder cannot be used.
        """
        if self._store.folder is None:
            yield claimed_by_nobody
            return
        folder = self._store.folder / self._path
        with contextlib.ExitStack() as stack:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                claims = stack.enter_context(Claims(folder / ".claims"))
            except (OSError, AtlasError) as error:
                raise self._unusable(error) from error
            yield claims.claimed

    def _remove_chunk(self, number: int) -> None:
        key = self._array().metadata.encode_chunk_key((number, *[0] * (len(self._shape) - 1)))
        with contextlib.suppress(*unreachable()):  # then it is found damaged again
            self._store.files.rm(f"{self._place}/{key}")

    def remove(self) -> None:
        """Remove the array with all its chunks."""
        self._opened = None
        try:
            self._store.files.rm(self._place, recursive=True)
        except FileNotFoundError:
            return
        except unreachable() as error:
            raise self._unusable(error) from error

    def _slice(self, number: int) -> slice:
        return slice(number * self._chunk[0], (number + 1) * self._chunk[0])

    def _array(self) -> zarr.Array[Any]:
        if self._opened is None:
            try:
                self._opened = self._existing()
            except FileNotFoundError:
                self._opened = self._made()
        return self._opened

    def _existing(self) -> zarr.Array[Any]:
        """Open the array that is there, and remove one that is described otherwise than it should be."""
        store = self._store.zarr_store(self._path)
        if not self._store.files.exists(f"{self._place}/{METADATA}"):
            raise FileNotFoundError(self._place)
        try:
            array: zarr.Array[Any] = zarr.open_array(store, mode="r+")
            expected = (self._shape, self._chunk, self._dtype, self._attributes)
            found: Any = (array.shape, array.chunks, array.dtype, dict(array.attrs))
            if found == expected:
                return array
            problem = "it is described otherwise"
        except Exception as error:
            # Whoever does not answer is not damaged.
            if self._store.folder is None and isinstance(error, unreachable()):
                raise
            problem = str(error) or type(error).__name__
        logger.warning("%s cannot be used (%s); it is computed anew", self, problem)
        self.remove()
        raise FileNotFoundError(self._place)

    def _made(self) -> zarr.Array[Any]:
        try:
            return zarr.create_array(
                self._store.zarr_store(self._path),
                shape=self._shape,
                chunks=self._chunk,
                dtype=self._dtype.newbyteorder("<"),
                fill_value=np.nan,
                compressors=[Crc32cCodec()],
                chunk_key_encoding={"name": "default", "separator": "."},
                attributes=self._attributes,
            )
        except zarr.errors.ContainsArrayError:
            return self._existing()  # another process was quicker

    def _unusable(self, error: Exception) -> StoreError:
        return StoreError(f"{self}: the store cannot be used ({error or type(error).__name__}).")


def claimed_by_nobody(number: int) -> contextlib.AbstractContextManager[bool]:
    """Let everybody compute a chunk: what `Chunks.claims` yields where there are no locks."""
    return contextlib.nullcontext(True)

"""Names of file formats by their first bytes, for those that are not read: a message should say what a file is."""

from __future__ import annotations

import re
import zlib

HEAD_BYTES = 4096
"""How many bytes of a file are enough to know its format."""

_MAGICS: tuple[tuple[int, bytes, str], ...] = (
    (344, b"ni1\0", "a NIfTI header without its image"),
    (4, b"ni2\0", "a NIfTI header without its image"),
    (0, b"NRRD000", "an NRRD file"),
    (0, b"ObjectType", "a MetaImage file (.mha, .mhd)"),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file (also MINC, MATLAB 7.3 or NetCDF 4)"),
    (0, b"CDF\x01", "a NetCDF or MINC file"),
    (0, b"CDF\x02", "a NetCDF or MINC file"),
    (0, b"MATLAB 5.0 MAT-file", "a MATLAB file"),
    (0, b"SIMPLE  =", "a FITS file"),
    (0, b"v/1\x01", "an OpenEXR image"),
    (4, b"ftyphei", "a HEIC image"),
    (4, b"ftypmif1", "a HEIF image"),
    (4, b"ftyphev", "a HEIC image"),
    (4, b"ftypavif", "an AVIF image"),
    (4, b"ftypavis", "an AVIF image"),
    (4, b"ftyp", "a video or image in an ISO container"),
    (0, b"\xff\x0a", "a JPEG XL image"),
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL image"),
    (8, b"AVI ", "an AVI video"),
    (0, b"8BPS", "a Photoshop file"),
    (0, b"%PDF", "a PDF document"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"BZh", "a bzip2 archive"),
    (0, b"7z\xbc\xaf", "a 7-Zip archive"),
    (0, b"\x80\x04", "a Python pickle"),
    (0, b"<svg", "an SVG drawing"),
)
_DICOM_WITHOUT_PREAMBLE = re.compile(rb"[\x02\x08]\0[\0-\x20]\0(UL|UI|CS|OB|DA|TM|LO|SH|[\0-\x40]\0\0\0)")


def is_dicom(head: bytes) -> bool:
    """Return whether a file that begins so is DICOM, whatever its free first 128 bytes look like."""
    return head[128:132] == b"DICM" or _DICOM_WITHOUT_PREAMBLE.match(head) is not None


def is_nifti(head: bytes) -> bool:
    """Return whether a file that begins so is NIfTI with its image, packed by gzip or not."""
    head = _unzipped(head) if head.startswith(b"\x1f\x8b") else head
    return head[344:348] == b"n+1\0" or head[4:8] == b"n+2\0"


def is_archive(head: bytes) -> bool:
    """Return whether a file that begins so is a ZIP archive with something in it that may be a series of images."""
    return head.startswith(b"PK\x03\x04") and not is_npz(head)


def is_npz(head: bytes) -> bool:
    """Return whether the first file in a ZIP archive that begins so is an array."""
    length = int.from_bytes(head[26:28], "little")
    return head.startswith(b"PK\x03\x04") and head[30 : 30 + length].endswith(b".npy")


def format_name(head: bytes) -> str | None:
    """Return what a file that begins so is, with its article; ``None`` where nobody knows.

    Parameters
    ----------
    head : bytes
        The first `HEAD_BYTES`, fewer if there are no more.
    """
    if head.startswith(b"\x1f\x8b"):
        unpacked = _unzipped(head)
        inner = "a DICOM file" if is_dicom(unpacked) else format_name(unpacked)
        if inner is not None:
            return f"{inner}, compressed by gzip"
    for offset, magic, name in _MAGICS:
        if head[offset : offset + len(magic)] == magic:
            return name
    if head[:4] in (b"\x5c\x01\0\0", b"\0\0\x01\x5c") and len(head) >= 348:
        return "an Analyze 7.5 header"
    if re.match(rb"P[1-7]\s", head):
        return "a PNM image"
    return None


def _unzipped(head: bytes) -> bytes:
    """Return the beginning of what gzip has packed."""
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, HEAD_BYTES)
    except zlib.error:
        return b""

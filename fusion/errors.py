"""The errors that a user can cause, each with a message written for that user."""

from __future__ import annotations

from pathlib import Path


class FuseVisError(Exception):
    """Base of every error that is somebody's input rather than our fault.

    The message says what is wrong and what to do about it; it is shown as it stands on the
    command line and on the page. Anything that is not a ``FuseVisError`` is a defect.
    """


class ImageFileError(FuseVisError):
    """An image file that cannot be used.

    Parameters
    ----------
    path : Path or str
        The file, or the name of the array, that the message is about.
    problem : str
        What is wrong, and what to do about it.
    """

    def __init__(self, path: Path | str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path


class MissingFileError(ImageFileError):
    """There is no such file."""


class EmptyFileError(ImageFileError):
    """The file has no bytes, or the image no pixels."""


class UnreadableImageError(ImageFileError):
    """The file is not an image in a format that can be read, or it is damaged."""


class UnsupportedImageError(ImageFileError):
    """The file was read, but it is not one gray or colour image (a stack, a volume, complex numbers)."""


class NonFiniteImageError(ImageFileError):
    """The image has NaN or infinite values."""


class TooManyPixelsError(ImageFileError):
    """The image has more pixels than the limit allows; found before decoding it."""


class DifferentSizesError(FuseVisError):
    """The two images of a pair differ in height or width."""


class UnknownMethodError(FuseVisError):
    """No method is registered under this id."""


class UnknownPairError(FuseVisError):
    """No pair is known under this address."""


class PairError(FuseVisError):
    """Something that a program gives as a pair is none."""


class PixelOutsideImageError(FuseVisError):
    """The principal pixel is not a pixel of the fused image."""


class WeightsError(FuseVisError):
    """A weight file is missing, damaged or made for another network."""


class NetworkError(FuseVisError):
    """A network does not map two (B, 1, H, W) images to one of the same shape."""


class PrecisionError(NetworkError):
    """A network does not run on float64 images."""


class NoDerivativeError(NetworkError):
    """A network has no derivative, on images of any size: it is random, or autograd cannot differentiate it."""


class PackedMethodError(FuseVisError):
    """A folder with a method of one's own cannot be used: its description, its model file, or what is in it."""


class RulesError(FuseVisError):
    """A file of rules that a network must keep cannot be used."""


class SupportRadiusError(FuseVisError):
    """A declared support radius is not the one found by probing."""


class DeviceError(FuseVisError):
    """The requested device does not exist on this machine."""


class Cancelled(FuseVisError):
    """A long computation was stopped on request."""


class OutputError(FuseVisError):
    """Results cannot be written where they were asked for."""


class RegionError(FuseVisError):
    """A region of interest cannot be used: its file, its box, or its size."""


class ChangeError(FuseVisError):
    """A painted change of the inputs cannot be used."""


class AtlasError(FuseVisError):
    """An atlas cannot be made, opened or read."""

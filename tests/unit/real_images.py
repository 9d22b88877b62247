"""Small images of every real number type, for hypothesis."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

REAL_TYPES = [
    "uint8",
    "int8",
    ">u2",
    "int16",
    "uint32",
    "int32",
    "uint64",
    "int64",
    "float16",
    "float32",
    ">f8",
]


def real_images(dtype: str) -> st.SearchStrategy[Any]:
    finite: dict[str, Any] = {"allow_nan": False, "allow_infinity": False} if "f" in dtype else {}
    shapes = arrays.array_shapes(min_dims=2, max_dims=2, max_side=4)
    return arrays.arrays(dtype, shapes, elements=arrays.from_dtype(np.dtype(dtype), **finite))

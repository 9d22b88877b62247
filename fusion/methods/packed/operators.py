"""Operators of torch that the program of a method from a file may call: arithmetic on tensors and nothing else.

None of them reads or writes files, memory that nobody has filled, or random numbers.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import torch

from fusion.methods.packed.expressions import LARGEST

_LAYERS = """
conv1d conv2d conv_transpose2d convolution pad constant_pad_nd reflection_pad2d replication_pad2d
avg_pool2d max_pool2d max_pool2d_with_indices adaptive_avg_pool2d adaptive_max_pool2d _adaptive_avg_pool2d
batch_norm _native_batch_norm_legit_no_training _native_batch_norm_legit instance_norm group_norm layer_norm
native_layer_norm native_group_norm rms_norm linear dropout feature_dropout alpha_dropout
scaled_dot_product_attention _scaled_dot_product_flash_attention_for_cpu pixel_shuffle pixel_unshuffle
channel_shuffle upsample_nearest2d _upsample_nearest_exact2d upsample_bilinear2d upsample_bicubic2d
_upsample_bilinear2d_aa _upsample_bicubic2d_aa grid_sampler grid_sampler_2d affine_grid_generator im2col col2im
"""
_ACTIVATIONS = """
relu relu6 leaky_relu prelu _prelu_kernel elu celu selu gelu silu mish sigmoid tanh hardtanh hardsigmoid
hardswish softplus softsign softmax _softmax log_softmax _log_softmax log_sigmoid log_sigmoid_forward threshold glu
hardshrink softshrink
"""
_POINTWISE = """
add sub rsub subtract mul multiply div divide true_divide reciprocal neg negative abs absolute sqrt rsqrt square pow
float_power exp exp2 expm1 log log1p log2 log10 sin cos tan asin acos atan atan2 arctan2 sinh cosh asinh acosh atanh
erf erfc sinc clamp clip clamp_min clamp_max maximum minimum fmax fmin where lerp addcmul addcdiv sign sgn floor ceil
round trunc frac remainder fmod floor_divide logaddexp logaddexp2 heaviside hypot nan_to_num isnan isfinite isinf
eq ne lt le gt ge equal logical_and logical_or logical_not logical_xor bitwise_and bitwise_or bitwise_not bitwise_xor
__and__ __or__ __xor__ masked_fill real imag view_as_real view_as_complex complex angle polar conj
"""
_REDUCTIONS = """
sum mean amax amin aminmax max min std var var_mean std_mean norm linalg_vector_norm prod cumsum cumprod logsumexp
argmax argmin any all topk sort argsort median quantile
"""
_SHAPES = """
cat concat concatenate stack hstack vstack view reshape _unsafe_view _reshape_alias view_as reshape_as flatten
unflatten squeeze unsqueeze permute transpose t numpy_T swapaxes swapdims moveaxis movedim slice select narrow
index_select split split_with_sizes chunk tensor_split unbind unsafe_chunk unsafe_split expand expand_as repeat
repeat_interleave tile roll flip rot90 contiguous clone alias detach unfold index gather scatter scatter_add
slice_scatter select_scatter index_put masked_select take_along_dim tril triu diagonal diag_embed diff
lift_fresh_copy lift_fresh as_strided_copy meshgrid one_hot ravel
"""
_PRODUCTS = "matmul mm bmm addmm baddbmm addbmm dot mv outer einsum kron cosine_similarity cdist linalg_norm"
_TRANSFORMS = """
fft_fft fft_ifft fft_rfft fft_irfft fft_fft2 fft_ifft2 fft_rfft2 fft_irfft2 fft_fftn fft_ifftn fft_fftshift
fft_ifftshift
"""
_MAKERS = """
zeros ones full zeros_like ones_like full_like new_zeros new_ones new_full arange linspace eye scalar_tensor
"""
_TYPES = "to _to_copy type_as fill copy zero"
ADMITTED = frozenset(
    " ".join(
        (_LAYERS, _ACTIVATIONS, _POINTWISE, _REDUCTIONS, _SHAPES, _PRODUCTS, _TRANSFORMS, _MAKERS, _TYPES)
    ).split()
)
"""Names of torch's operations, each with all its forms but those that write elsewhere; with one ``_`` behind it too."""
SKIPPED = frozenset({"_assert_tensor_metadata", "sym_constrain_range", "sym_constrain_range_for_size"})
"""What only repeats what held when the program was made."""
FLOAT_MAKERS = frozenset({"zeros", "ones", "full", "linspace", "eye", "scalar_tensor", "arange"})
"""What makes decimals of the precision that is usual, not of that of the images, where nothing else is said."""


def admitted(target: str) -> Any | None:
    """Return an operation of torch by its name in a program, if it is on the list.

    Parameters
    ----------
    target : str
        As ``torch.ops.aten.conv2d.default``.
    """
    parts = target.split(".")
    if parts[:3] != ["torch", "ops", "aten"] or len(parts) != 5:
        return None
    name, form = parts[3:]
    plain = name[:-1] if name.endswith("_") and not name.endswith("__") else name
    if plain not in ADMITTED | SKIPPED or "out" in form or not form.isidentifier():
        return None
    found = getattr(getattr(torch.ops.aten, name, None), form, None)
    return found if isinstance(found, torch._ops.OpOverload) else None


def _checked(step: Callable[..., Any]) -> Callable[..., Any]:
    """Bound the numbers that come of arithmetic on sizes."""

    def bounded(*values: Any) -> Any:
        if not all(isinstance(value, bool | int | float) for value in values):
            raise TypeError("sizes are numbers")
        result = step(*values)
        if isinstance(result, int) and abs(result) > LARGEST:
            raise OverflowError("a size is too large")
        return result

    return bounded


SIZES: dict[str, Callable[..., Any]] = {
    "_operator.add": _checked(operator.add),
    "_operator.sub": _checked(operator.sub),
    "_operator.mul": _checked(operator.mul),
    "_operator.floordiv": _checked(operator.floordiv),
    "_operator.mod": _checked(operator.mod),
    "_operator.neg": _checked(operator.neg),
    "_operator.pos": _checked(operator.pos),
    "_operator.truediv": _checked(operator.truediv),
    "_operator.eq": _checked(operator.eq),
    "_operator.ne": _checked(operator.ne),
    "_operator.lt": _checked(operator.lt),
    "_operator.le": _checked(operator.le),
    "_operator.gt": _checked(operator.gt),
    "_operator.ge": _checked(operator.ge),
    "_operator.and_": _checked(operator.and_),
    "_operator.or_": _checked(operator.or_),
    "torch.sym_max": _checked(max),
    "torch.sym_min": _checked(min),
    "torch.sym_int": _checked(int),
    "torch.sym_float": _checked(float),
    "torch.sym_not": _checked(operator.not_),
    "math.ceil": _checked(math.ceil),
    "math.floor": _checked(math.floor),
    "math.trunc": _checked(math.trunc),
    "torch.ops.aten.sym_size.int": lambda tensor, dimension: tensor.shape[dimension],
    "torch.ops.aten.sym_numel.default": lambda tensor: tensor.numel(),
}
"""Arithmetic on sizes, by its name in a program."""


def asserted(holds: Any, message: str = "") -> None:
    """Raise an error where something about sizes does not hold that a program relies on."""
    if not holds:
        raise ValueError(f"the network was exported for other sizes ({message[:200]})")


SIZES["torch.ops.aten._assert_scalar.default"] = asserted

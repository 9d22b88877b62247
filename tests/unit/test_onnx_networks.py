"""Networks from ONNX files: the numbers of ONNX Runtime and of the original, and derivatives of the original."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor, nn

import fusion
from fusion.errors import PackedMethodError
from fusion.methods.adapting import Adaptation
from fusion.methods.packed.folders import PackedMethod
from fusion.methods.packed.onnx_file import read_onnx
from fusion.methods.packed.onnx_graph import OnnxNetwork
from fusion.methods.packed.onnx_runtime import check_against_runtime
from tests.unit.onnx_files import average, exported, model_of, node, write_onnx
from tests.unit.packed_folders import Tiny

onnxruntime = pytest.importorskip("onnxruntime")


def network_of(path: Path) -> OnnxNetwork:
    return OnnxNetwork(read_onnx(path), path)


def noise(*shape: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def whole(*numbers: int) -> NDArray[np.int64]:
    return np.array(numbers, dtype=np.int64)


def decimals(*numbers: float) -> NDArray[np.float32]:
    return np.array(numbers, dtype=np.float32)


Constants = dict[str, NDArray[Any]]
Case = tuple[list[onnx.NodeProto], Constants]


def one(kind: str, constants: Constants | None = None, **attributes: Any) -> Case:
    """Return one operator of x1, which has four channels here, with constants behind it."""
    names = " ".join(constants or ())
    return [node(kind, f"x1 {names}", **attributes)], constants or {}


def arithmetic(kind: str) -> Case:
    return [node("Abs", "x2", "a"), node("Add", "a one", "b"), node(kind, "x1 b")], {"one": decimals(1.5)}


def resized(
    scales: tuple[float, ...] | None, sizes: tuple[int, ...] | None = None, **attributes: Any
) -> Case:
    constants: Constants = {}
    if scales is not None:
        constants["scales"] = decimals(*scales)
    if sizes is not None:
        constants["sizes"] = whole(*sizes)
    names = f"x1 _ {'scales' if scales else '_'} {'sizes' if sizes else ''}"
    return [node("Resize", names, **attributes)], constants


NORM: Constants = {
    "s": noise(4),
    "b": noise(4, seed=1),
    "m": noise(4, seed=2),
    "v": np.abs(noise(4, seed=3)) + 0.5,
}
CASES: dict[str, tuple[Case, int]] = {
    **{kind: (one(kind), 18) for kind in (
        "Relu", "Sigmoid", "Tanh", "Exp", "Abs", "Neg", "LeakyRelu", "Elu", "Selu", "Celu", "Softplus", "Softsign",
        "HardSwish", "HardSigmoid", "Erf", "Sin", "Cos", "Identity", "GlobalAveragePool", "GlobalMaxPool", "Softmax",
        "LogSoftmax", "Mish", "ThresholdedRelu", "Flatten", "Dropout",
    )},
    **{kind: (arithmetic(kind), 18) for kind in ("Add", "Sub", "Mul", "Div", "Min", "Max", "Mean", "Sum")},
    "Gelu": (one("Gelu"), 20),
    "Gelu by tanh": (one("Gelu", approximate="tanh"), 20),
    "Softmax of old": (one("Softmax", axis=1), 11),
    "Softmax of channels": (one("Softmax", axis=1), 13),
    "Sqrt, Log, Pow": (
        ([node("Abs", "x1", "a"), node("Add", "a c", "p"), node("Sqrt", "p", "q"), node("Log", "q", "l"),
          node("Pow", "p three", "w"), node("Reciprocal", "p", "r"), node("Sum", "l w r")],
         {"c": decimals(1), "three": decimals(3)}), 18),
    "PRelu": (one("PRelu", {"slope": noise(4, 1, 1)}), 16),
    "PRelu of one": (one("PRelu", {"slope": noise(1)}), 16),
    "Clip": (one("Clip", {"low": np.array(-0.5, np.float32), "high": np.array(0.7, np.float32)}), 13),
    "Clip above": (([node("Clip", "x1 _ high")], {"high": np.array(0.3, np.float32)}), 13),
    "Conv": (one("Conv", {"w": noise(3, 4, 3, 3), "b": noise(3)}, pads=[1, 1, 1, 1]), 18),
    "Conv apart": (one("Conv", {"w": noise(3, 4, 3, 3)}, pads=[2, 1, 0, 3], dilations=[2, 1], strides=[1, 2]), 18),
    "Conv of groups": (one("Conv", {"w": noise(8, 2, 3, 3)}, group=2, auto_pad="SAME_UPPER", strides=[2, 2]), 18),
    "Conv before": (one("Conv", {"w": noise(3, 4, 2, 2)}, auto_pad="SAME_LOWER"), 18),
    "ConvTranspose": (
        one("ConvTranspose", {"w": noise(4, 3, 3, 3), "b": noise(3)}, strides=[2, 2], pads=[1, 1, 1, 1],
            output_padding=[1, 1]), 18),
    "ConvTranspose uneven": (one("ConvTranspose", {"w": noise(4, 3, 3, 3)}, strides=[2, 2], pads=[0, 0, 1, 1]), 18),
    "MaxPool": (one("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]), 18),
    "MaxPool uneven": (one("MaxPool", kernel_shape=[2, 2], strides=[2, 2], auto_pad="SAME_UPPER"), 18),
    "MaxPool up": (one("MaxPool", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1), 18),
    "AveragePool": (one("AveragePool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]), 18),
    "AveragePool counted": (
        one("AveragePool", kernel_shape=[3, 3], strides=[1, 2], pads=[0, 1, 1, 1], count_include_pad=1), 18),
    "AveragePool uneven": (one("AveragePool", kernel_shape=[2, 2], strides=[1, 1], auto_pad="SAME_LOWER"), 18),
    "BatchNormalization": (one("BatchNormalization", NORM, epsilon=1e-3), 15),
    "InstanceNormalization": (one("InstanceNormalization", {"s": NORM["s"], "b": NORM["b"]}), 18),
    "LayerNormalization": (one("LayerNormalization", {"s": noise(15), "b": noise(15)}, axis=-1), 17),
    "GroupNormalization of groups": (
        one("GroupNormalization", {"s": noise(2), "b": noise(2, seed=1)}, num_groups=2), 18),
    "GroupNormalization": (one("GroupNormalization", {"s": NORM["s"], "b": NORM["b"]}, num_groups=2), 21),
    "LpNormalization": (one("LpNormalization", axis=1, p=2), 18),
    "Pad": (one("Pad", {"p": whole(0, 1, 2, 0, 0, 0, 1, 3), "v": np.array(0.7, np.float32)}), 13),
    "Pad by reflection": (one("Pad", {"p": whole(0, 0, 2, 1, 0, 0, 1, 3)}, mode="reflect"), 13),
    "Pad by edges": (one("Pad", {"p": whole(0, 0, 2, 1, 0, 0, 1, 3)}, mode="edge"), 13),
    "Pad around": (one("Pad", {"p": whole(0, 0, 2, 1, 0, 0, 1, 3)}, mode="wrap"), 19),
    "Pad of axes": (([node("Pad", "x1 p _ axes", mode="reflect")], {"p": whole(1, 2), "axes": whole(-1)}), 18),
    "Pad below 0": (one("Pad", {"p": whole(0, 0, -1, -2, 0, 0, 0, 1)}), 13),
    "Resize nearest": (resized((1, 1, 2, 3), mode="nearest"), 18),
    "Resize nearest by the floor": (
        resized((1, 1, 1.5, 0.5), mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"),
        18),
    "Resize nearest exact": (
        resized((1, 1, 0.5, 1.5), mode="nearest", nearest_mode="round_prefer_ceil"), 18),
    "Resize linear": (resized((1, 1, 2, 0.5), mode="linear"), 18),
    "Resize linear to corners": (
        resized(None, (1, 4, 20, 31), mode="linear", coordinate_transformation_mode="align_corners"), 13),
    "Resize linear to sizes": (
        resized(None, (1, 4, 20, 31), mode="linear", coordinate_transformation_mode="pytorch_half_pixel"), 13),
    "Resize cubic": (resized((1, 1, 2, 2), mode="cubic", cubic_coeff_a=-0.75), 18),
    "Resize of axes": (resized((2, 2), mode="linear", axes=[2, 3]), 18),
    "DepthToSpace": (one("DepthToSpace", blocksize=2), 18),
    "DepthToSpace by columns": (one("DepthToSpace", blocksize=2, mode="CRD"), 18),
    "SpaceToDepth": (
        ([node("Slice", "x1 a b c", "s"), node("SpaceToDepth", "s", blocksize=2)],
         {"a": whole(0, 0), "b": whole(12, 14), "c": whole(2, 3)}), 18),
    "Slice with steps": (
        one("Slice", {"a": whole(1, -9), "b": whole(2**62, -1), "c": whole(2, 3), "s": whole(2, 3)}), 18),
    "Slice backwards": (one("Slice", {"a": whole(-1), "b": whole(-(2**62)), "c": whole(3), "s": whole(-1)}), 18),
    "Split": (([node("Split", "x1 sizes", "p q", axis=1), node("Relu", "p", "r"), node("Concat", "q r", axis=1)],
               {"sizes": whole(1, 3)}), 13),
    "Split in parts": (([node("Split", "x1", "p q", axis=3, num_outputs=2), node("Sigmoid", "q")], {}), 18),
    "Split of old": (([node("Split", "x1", "p q", axis=1, split=[1, 3]), node("Identity", "q")], {}), 11),
    "ReduceMean of old": (one("ReduceMean", axes=[2, 3]), 11),
    "ReduceMean": (one("ReduceMean", {"axes": whole(1)}, keepdims=0), 18),
    "ReduceSum": (one("ReduceSum", {"axes": whole(1, -1)}), 13),
    "ReduceMax": (one("ReduceMax", {"axes": whole(1)}), 18),
    "ReduceMin": (one("ReduceMin"), 18),
    "ReduceL2": (one("ReduceL2", {"axes": whole(1)}), 18),
    "ReduceL1": (one("ReduceL1", axes=[1]), 13),
    "ReduceLogSumExp": (one("ReduceLogSumExp", {"axes": whole(1)}), 18),
    "Reshape": (one("Reshape", {"s": whole(0, 2, 2, -1)}), 14),
    "Transpose": (one("Transpose", perm=[0, 2, 3, 1]), 18),
    "Squeeze, Unsqueeze": (
        ([node("Unsqueeze", "x1 a", "u"), node("Transpose", "u", "t", perm=[0, 2, 1, 3, 4]), node("Squeeze", "t b")],
         {"a": whole(1), "b": whole(2)}), 13),
    "Unsqueeze of old": (([node("Unsqueeze", "x1", axes=[-1])], {}), 11),
    "Gather": (one("Gather", {"i": whole(2, 0, -1)}, axis=1), 18),
    "Gather one": (one("Gather", {"i": np.array(1, np.int64)}, axis=1), 18),
    "Tile": (one("Tile", {"t": whole(1, 2, 1, 1)}), 18),
    "Expand": (
        ([node("ReduceMax", "x1 a", "m"), node("Shape", "x1", "s"), node("Expand", "m s")], {"a": whole(2, 3)}), 18),
    "MatMul": (one("MatMul", {"w": noise(15, 6)}), 18),
    "Gemm": (
        ([node("GlobalAveragePool", "x1", "g"), node("Flatten", "g", "f"),
          node("Gemm", "f w b", transB=1, alpha=0.5, beta=2.0)], {"w": noise(6, 4), "b": noise(6)}), 18),
    "Einsum": (([node("Einsum", "x1 x2", equation="bchw,bchw->bhw")], {}), 18),
    "Where": (([node("Greater", "x1 x2", "g"), node("Where", "g x1 x2")], {}), 18),
    "comparisons": (
        ([node("GreaterOrEqual", "x1 x2", "g"), node("Not", "g", "n"), node("Cast", "n", "c", to=1),
          node("Mul", "c x1")], {}), 18),
    "ConstantOfShape": (
        ([node("Shape", "x1", "s"), node("ConstantOfShape", "s", "o"), node("Concat", "o x1", axis=1)], {}), 18),
    "Constant": (([node("Constant", "", "c", value_float=0.25), node("Mul", "x1 c")], {}), 18),
    "arithmetic on sizes": (
        ([node("Shape", "x1", "s", start=2), node("Add", "s s", "d"), node("Sub", "d one", "e"),
          node("Div", "e two", "f"), node("Shape", "x1", "t", end=2), node("Concat", "t f", "g", axis=0),
          node("Resize", "x1 _ _ g", mode="linear")],
         {"one": whole(1), "two": whole(2)}), 18),
    "a scale worked out": (
        ([node("Shape", "x1", "s"), node("Gather", "s i", "c"), node("Cast", "c", "f", to=1), node("Sqrt", "f", "r"),
          node("Div", "x1 r")], {"i": np.array(1, np.int64)}), 18),
    "GridSample": (
        ([node("Tanh", "x2", "t"), node("Slice", "t a b c", "u"), node("Transpose", "u", "g", perm=[0, 2, 3, 1]),
          node("GridSample", "x1 g", align_corners=1)], {"a": whole(0), "b": whole(2), "c": whole(1)}), 16),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_an_operator_has_the_values_of_onnx_runtime_and_derivatives(tmp_path: Path, name: str) -> None:
    (nodes, constants), opset = CASES[name]
    path = tmp_path / "own.onnx"
    path.write_bytes(model_of(nodes, constants, opset, channels=4).SerializeToString())
    images = [torch.from_numpy(noise(1, 4, 13, 15, seed=seed)) for seed in (7, 8)]
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    asked = {entry.name for entry in session.get_inputs()}
    given = {key: image.numpy() for key, image in zip(("x1", "x2"), images, strict=True) if key in asked}
    (wanted,) = session.run(None, given)
    network = network_of(path)
    found = network(*images)
    assert tuple(found.shape) == wanted.shape
    np.testing.assert_allclose(found.numpy(), wanted, rtol=2e-4, atol=2e-5)
    doubled = [image.double().requires_grad_() for image in images]
    result = network.double()(*doubled)
    assert result.dtype == torch.float64
    direction = torch.from_numpy(noise(1, 4, 13, 15, seed=9)).double()
    gradient = torch.autograd.grad(result.square().sum(), doubled[0])[0]
    step = 1e-6
    with torch.no_grad():
        ends = [network(doubled[0] + sign * step * direction, doubled[1]).square().sum() for sign in (1, -1)]
    measured = float(ends[0] - ends[1]) / (2 * step)
    assert float((gradient * direction).sum()) == pytest.approx(measured, rel=1e-4, abs=1e-5)


class Dense(nn.Module):
    """Three layers, each of all before it, padded by reflection; the two images' shares by softmax."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.layers = nn.ModuleList(
            nn.Conv2d(2 + 4 * index, 4, 3, padding=1, padding_mode="reflect") for index in range(3)
        )
        self.last = nn.Conv2d(14, 2, 1)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        found = torch.cat((x1, x2), dim=1)
        for layer in self.layers:
            found = torch.cat((found, F.leaky_relu(layer(found), 0.2)), dim=1)
        shares = torch.softmax(self.last(found), dim=1)
        return (shares * torch.cat((x1, x2), dim=1)).sum(dim=1, keepdim=True)


class Pyramid(nn.Module):
    """Halved and doubled again, with norms, a squeeze and excitation, and a size taken from another value."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.first = nn.Sequential(nn.Conv2d(2, 6, 3, padding=1), nn.BatchNorm2d(6), nn.PReLU(6))
        self.deep = nn.Sequential(
            nn.MaxPool2d(2), nn.Conv2d(6, 6, 3, padding=1), nn.InstanceNorm2d(6, affine=True), nn.GELU()
        )
        self.up = nn.ConvTranspose2d(6, 6, 2, stride=2)
        self.squeeze = nn.Linear(6, 6)
        self.last = nn.Conv2d(12, 4, 3, padding=1)
        self.shuffle = nn.PixelShuffle(2)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        near = self.first(torch.cat((x1, x2), dim=1))
        deep = self.deep(near)
        excited = torch.sigmoid(self.squeeze(near.mean((2, 3))))[:, :, None, None]
        wide = F.interpolate(deep, size=near.shape[2:], mode="bilinear", align_corners=False)
        both = torch.cat((self.up(deep) + wide, near * excited), dim=1)
        return torch.clamp(F.avg_pool2d(self.shuffle(self.last(both)), 2) + x1, 0, 1)


@pytest.mark.parametrize("make", [Tiny, Dense, Pyramid])
def test_an_exported_network_has_values_and_derivatives_of_the_original(
    tmp_path: Path, make: type[nn.Module]
) -> None:
    original = make().eval()
    path = tmp_path / "own.onnx"
    path.write_bytes(exported(original))
    network = network_of(path)
    difference = check_against_runtime(path, network, Adaptation())
    assert difference is not None and difference < 1e-5
    original, network = original.double(), network.double()
    for shape in ((1, 1, 18, 26), (2, 1, 24, 20)):
        images = [torch.rand(shape, dtype=torch.float64, requires_grad=True) for _ in range(2)]
        results = [one(*images) for one in (original, network)]
        weighting = torch.rand(shape, dtype=torch.float64)
        gradients = [torch.autograd.grad((result * weighting).sum(), images) for result in results]
        # The exporter has made one layer of a convolution and its norm, in float32.
        torch.testing.assert_close(results[1], results[0], rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-5, atol=1e-6)


def test_a_network_that_is_read_wrongly_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "own.onnx"
    path.write_bytes(average().SerializeToString())
    network = network_of(path)
    network.get_buffer("weight_0").add_(0.001)
    with pytest.raises(PackedMethodError, match=r"differs from ONNX Runtime by 0\.002"):
        check_against_runtime(path, network, Adaptation())


def test_a_folder_with_an_onnx_file_is_a_method_that_hovers_on_the_chain(tmp_path: Path) -> None:
    folder = write_onnx(tmp_path / "own", exported(Tiny()))
    here = PackedMethod(folder).load_here(torch.device("cpu"))
    original = fusion.Method.from_module(Tiny(), "tiny", "Tiny")
    assert here.support_radius == original.support_radius == (1, 1)
    pair = fusion.Pair.from_arrays(*np.random.default_rng(0).random((2, 20, 24)))
    ours, theirs = (fusion.jacobian(method, pair, (7, 9), "float64") for method in (here, original))
    np.testing.assert_allclose(ours.values, theirs.values, rtol=1e-6, atol=1e-9)
    assert ours.path == "chain"


def test_weights_beside_the_file_are_read_and_are_part_of_the_id(tmp_path: Path) -> None:
    folder = write_onnx(tmp_path / "own", exported(Tiny()))
    inside = PackedMethod(folder).load_here(torch.device("cpu"))
    onnx.save_model(
        onnx.load(str(folder / "own.onnx")), str(folder / "own.onnx"), save_as_external_data=True, location="w.data",
        size_threshold=0,
    )  # fmt: skip
    packed = PackedMethod(folder)
    assert (folder / "w.data").is_file() and packed.problem() == ""
    beside = packed.load_here(torch.device("cpu"))
    images = torch.rand(2, 1, 1, 16, 16)
    assert torch.equal(inside.network(*images), beside.network(*images))
    changed = bytearray((folder / "w.data").read_bytes())
    changed[1] ^= 1
    (folder / "w.data").write_bytes(changed)
    assert PackedMethod(folder).load_here(torch.device("cpu")).weights_id != beside.weights_id


def test_sizes_that_the_file_names_are_kept(tmp_path: Path) -> None:
    model = average()
    for entry in model.graph.input:
        entry.type.tensor_type.shape.dim[2].dim_param = "8*h"
        entry.type.tensor_type.shape.dim[0].dim_value = 1
    path = tmp_path / "own.onnx"
    path.write_bytes(model.SerializeToString())
    network = network_of(path)
    assert network.rules.batch() == 1
    with pytest.raises(ValueError, match="a height that is a multiple of 8, not 12"):
        network(torch.rand(1, 1, 12, 9), torch.rand(1, 1, 12, 9))

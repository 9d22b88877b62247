"""The numerical core of FuseVis: fusion methods and their per-pixel saliency. Knows nothing of Dash."""

from __future__ import annotations

from fusion.colours import guidance_rgb
from fusion.errors import FuseVisError
from fusion.fusing import fuse, fuse_colour
from fusion.methods.base import Method
from fusion.methods.registry import load_method, method_ids, register
from fusion.pair import Pair, load_pair
from fusion.saliency.estimated_guidance import GuidanceEstimate, estimated_guidance
from fusion.saliency.explained_regions import region_jacobian
from fusion.saliency.guidance import guidance
from fusion.saliency.influence_images import InfluenceImages, influence_images
from fusion.saliency.jacobian import jacobian, jacobians, prepare, prepare_method
from fusion.saliency.poles import near_pole
from fusion.saliency.reach import Reach, reach_map, reach_of_linearity
from fusion.saliency.response import Response, response, response_map
from fusion.saliency.shift import shift_sensitivity
from fusion.saliency.window import JacobianWindow
from fusion.statistics.regions import air_mask

__version__ = "0.1.0"

__all__ = [
    "FuseVisError",
    "GuidanceEstimate",
    "InfluenceImages",
    "JacobianWindow",
    "Method",
    "Pair",
    "Reach",
    "Response",
    "air_mask",
    "estimated_guidance",
    "fuse",
    "fuse_colour",
    "guidance",
    "guidance_rgb",
    "influence_images",
    "jacobian",
    "jacobians",
    "load_method",
    "load_pair",
    "method_ids",
    "near_pole",
    "prepare",
    "prepare_method",
    "reach_map",
    "reach_of_linearity",
    "region_jacobian",
    "register",
    "response",
    "response_map",
    "shift_sensitivity",
]

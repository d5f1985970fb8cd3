"""torchvision's own detectors, for slates: built without weights, which are taken over by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torchvision.models import detection, get_weight

from training.checkpoints import CLASSES, CheckpointError

#: What is fetched from torchvision may fail in these ways: no network, no space, a file cut short.
UNREACHABLE = (OSError, RuntimeError)


def _two_stage(build: Callable[..., Any], longest_side: int) -> nn.Module:
    network: nn.Module = build(
        weights=None,
        weights_backbone=None,
        num_classes=len(CLASSES),
        min_size=longest_side,
        max_size=longest_side,
        rpn_post_nms_top_n_test=200,
        box_detections_per_img=20,
    )
    return network


def _one_stage(build: Callable[..., Any], longest_side: int) -> nn.Module:
    network: nn.Module = build(
        weights=None,
        weights_backbone=None,
        num_classes=len(CLASSES),
        min_size=longest_side,
        max_size=longest_side,
        score_thresh=0.05,
        topk_candidates=200,
        detections_per_img=20,
    )
    return network


def _ssdlite(longest_side: int) -> nn.Module:
    network: Any = detection.ssdlite320_mobilenet_v3_large(
        weights=None,
        weights_backbone=None,
        num_classes=len(CLASSES),
        score_thresh=0.05,
        topk_candidates=200,
        detections_per_img=20,
    )
    # Its boxes are parts of the picture, which it squeezes into a square: of any size.
    network.transform.fixed_size = (longest_side, longest_side)
    built: nn.Module = network
    return built


#: By torchvision's names.
TORCHVISION: dict[str, Callable[[int], nn.Module]] = {
    "fasterrcnn_resnet50_fpn_v2": partial(_two_stage, detection.fasterrcnn_resnet50_fpn_v2),
    "retinanet_resnet50_fpn_v2": partial(_one_stage, detection.retinanet_resnet50_fpn_v2),
    "fcos_resnet50_fpn": partial(_one_stage, detection.fcos_resnet50_fpn),
    "ssdlite320_mobilenet_v3_large": _ssdlite,
}


def pretrained_state(weights: str) -> dict[str, Tensor]:
    """A state dict from a safetensors file, or by torchvision's name. Raises CheckpointError."""
    if Path(weights).suffix == ".safetensors":
        try:
            return load_file(weights)
        except (OSError, SafetensorError) as error:
            raise CheckpointError(f"The backbone weights {weights} cannot be read.") from error
    try:
        named = get_weight(weights)
    except ValueError as error:
        raise CheckpointError(
            f"{weights} is neither a safetensors file nor weights that torchvision knows."
        ) from error
    try:
        state: dict[str, Tensor] = named.get_state_dict(progress=False, check_hash=True)
    except UNREACHABLE as error:
        raise CheckpointError(f"The weights {weights} cannot be fetched here ({error}).") from error
    return state


def adopt(network: nn.Module, body: nn.Module, state: dict[str, Tensor], name: str) -> None:
    """Weights of a whole detector but for what tells other classes apart, or of a classifier for `body`.

    Raises CheckpointError when the backbone's are not all among them.
    """
    whole = any(key.startswith("backbone.") for key in state)
    into = network if whole else body
    own = into.state_dict()
    fitting = {key: value for key, value in state.items() if key in own and own[key].shape == value.shape}
    needed = [key for key in own if not whole or key.startswith("backbone.")]
    # Weights of frozen norms do not count batches.
    missing = [key for key in needed if key not in fitting and not key.endswith("num_batches_tracked")]
    if missing:
        raise CheckpointError(f"The weights {name} do not fit: they lack {missing[0]} in the right shape.")
    into.load_state_dict(fitting, strict=False)

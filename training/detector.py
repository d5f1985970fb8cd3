"""The network: a registry of architectures built from torchvision's public parts, and their safe loading.

Our own are Faster R-CNN (Ren et al. 2015) with a feature pyramid (Lin et al. 2017) on a light backbone; the
others are torchvision's (training.architectures). All have three outputs: background, open, closed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.models import get_model
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor
from torchvision.ops import Conv2dNormActivation, MultiScaleRoIAlign
from torchvision.ops.misc import FrozenBatchNorm2d

from training.architectures import TORCHVISION, adopt, pretrained_state
from training.checkpoints import CLASSES, Card, CheckpointError, read_checkpoint

#: Pictures are scaled from [0, 1] to [-1, 1]: what the ImageNet weights of the backbone were trained with.
MEAN = STD = [0.5, 0.5, 0.5]
LONGEST_SIDE = 512
#: Width of the feature pyramid.
CHANNELS = 96


def _mobilenet_v2() -> nn.Module:
    # The last block of stride 8, 16 and 32; the 1x1 convolution to 1280 channels after is for classifying.
    return _pyramid("mobilenet_v2", {"6": 32, "13": 96, "17": 320})


def _mobilenet_v3() -> nn.Module:
    return _pyramid("mobilenet_v3_large", {"6": 40, "12": 112, "15": 160}, norm_eps=1e-3)


def _pyramid(name: str, channels: dict[str, int], *, norm_eps: float = 1e-5) -> nn.Module:
    """A classifier's features, cut after its last used block, with an FPN over the blocks in `channels`."""
    features = get_model(name, weights=None, norm_layer=FrozenBatchNorm2d).features
    body = nn.Sequential(*list(features.children())[: int(max(channels, key=int)) + 1])
    pyramid: nn.Module = BackboneWithFPN(
        body,
        return_layers={block: str(level) for level, block in enumerate(channels)},
        in_channels_list=list(channels.values()),
        out_channels=CHANNELS,
    )
    setattr(pyramid, "norm_eps", norm_eps)  # noqa: B010 of the batch norms that `load_backbone` folds
    return pyramid


class SlateHead(nn.Module):
    """Regions (N x 96 x 14 x 14) to vectors (N x 512).

    The regions are twice as fine as usual: whether the sticks are apart is a matter of a few pixels.
    """

    def __init__(self) -> None:
        super().__init__()
        self.shrink = Conv2dNormActivation(CHANNELS, CHANNELS, 3, stride=2, norm_layer=None)
        self.gather = nn.Linear(CHANNELS * 7 * 7, 512)

    def forward(self, regions: Tensor) -> Tensor:
        return torch.relu(self.gather(self.shrink(regions).flatten(1)))


def _slate_rcnn(backbone: Callable[[], nn.Module], longest_side: int) -> nn.Module:
    network: nn.Module = FasterRCNN(
        backbone(),
        min_size=longest_side,
        max_size=longest_side,
        image_mean=MEAN,
        image_std=STD,
        # Slates fill 7 to 90 % of the width and are half to 1.6 times as wide as high.
        rpn_anchor_generator=AnchorGenerator(
            sizes=((32, 48), (68, 96), (136, 192), (272, 400)), aspect_ratios=((0.62, 1.0, 1.6),) * 4
        ),
        rpn_pre_nms_top_n_train=600,
        rpn_post_nms_top_n_train=300,
        rpn_pre_nms_top_n_test=200,
        rpn_post_nms_top_n_test=50,
        rpn_batch_size_per_image=128,
        box_roi_pool=MultiScaleRoIAlign(["0", "1", "2"], output_size=14, sampling_ratio=1),
        box_head=SlateHead(),
        box_predictor=FastRCNNPredictor(512, len(CLASSES)),
        box_score_thresh=0.05,
        box_detections_per_img=20,
        box_batch_size_per_image=16,
        box_positive_fraction=0.4,
    )
    fold_norms(network)
    return network


#: Whole detectors with random weights, by the longest side of the pictures they see.
BUILDERS: dict[str, Callable[[int], nn.Module]] = {
    "fasterrcnn_mobilenet_v2_fpn": partial(_slate_rcnn, _mobilenet_v2),
    "fasterrcnn_mobilenet_v3_large_fpn": partial(_slate_rcnn, _mobilenet_v3),
    **TORCHVISION,
}


def build_network(name: str, *, longest_side: int = LONGEST_SIDE) -> nn.Module:
    """A detector with random weights. Raises CheckpointError for a name that is not registered."""
    if name not in BUILDERS:
        raise CheckpointError(f"The architecture {name} is unknown; known are {', '.join(sorted(BUILDERS))}.")
    return BUILDERS[name](longest_side)


def backbone_body(network: nn.Module) -> nn.Module:
    """The part that comes from a classifier, block by block."""
    backbone: Any = network.backbone
    body: nn.Module = backbone.body if hasattr(backbone, "body") else backbone.features[0]
    return body


def keep_norms(network: nn.Module) -> None:
    """Batch norms of the backbone as they were learned: the few pictures of a batch would spoil them."""
    for module in network.backbone.modules():  # type: ignore[union-attr]
        if isinstance(module, nn.BatchNorm2d):
            module.eval()


def fold_norms(module: nn.Module) -> None:
    """Folds each frozen batch norm into the convolution before it, as its bias: same result in one step."""
    children = list(module.named_children())
    for (_, before), (name, norm) in pairwise(children):
        if isinstance(before, nn.Conv2d) and isinstance(norm, FrozenBatchNorm2d):
            _fold(before, norm)
            setattr(module, name, nn.Identity())
    for _, child in children:
        fold_norms(child)


def _fold(convolution: nn.Conv2d, norm: FrozenBatchNorm2d) -> None:
    scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
    convolution.weight.data *= scale[:, None, None, None]
    convolution.bias = nn.Parameter(norm.bias - norm.running_mean * scale)


def load_backbone(network: nn.Module, weights: str) -> None:
    """Weights learned elsewhere: a safetensors file in torchvision's keys, or a torchvision name.

    Our own architectures take ImageNet weights for the backbone, torchvision's also a whole detector's.
    A name such as `MobileNet_V2_Weights.IMAGENET1K_V2` is fetched once into torch's hub cache.
    Raises CheckpointError when the weights do not fit.
    """
    state = pretrained_state(weights)
    backbone: Any = network.backbone
    if not hasattr(backbone, "norm_eps"):
        adopt(network, backbone_body(network), state, Path(weights).name)
        return
    body = backbone.body
    wanted = {f"{number}.{key}" for number in body for key in body[number].state_dict()}
    folded = _folded_state(
        {key.removeprefix("features."): value.float() for key, value in state.items()},
        eps=backbone.norm_eps,
    )
    missing = wanted - folded.keys()
    if missing:
        raise CheckpointError(f"The backbone weights {Path(weights).name} lack {sorted(missing)[0]}.")
    try:
        body.load_state_dict({key: folded[key] for key in wanted})
    except RuntimeError as error:
        raise CheckpointError(f"The backbone weights {Path(weights).name} have other shapes.") from error


def _folded_state(state: dict[str, Tensor], *, eps: float) -> dict[str, Tensor]:
    """Convolutions with the batch norms after them folded in, by the keys of a folded network."""
    folded = {}
    for key, value in state.items():
        if value.dim() != 4:
            if f"{key.rsplit('.', 1)[0]}.running_mean" not in state:
                folded[key] = value
            continue
        stem, number = key.removesuffix(".weight").rsplit(".", 1)
        norm = f"{stem}.{int(number) + 1}" if number.isdigit() else ""
        if f"{norm}.running_var" in state:
            scale = state[f"{norm}.weight"] * (state[f"{norm}.running_var"] + eps).rsqrt()
            folded[f"{stem}.{number}.bias"] = state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale
            value = value * scale[:, None, None, None]
        folded[key] = value
    return folded


def load_network(path: Path, *, longest_side: int | None = None) -> tuple[Card, nn.Module]:
    """Card and network (in evaluation mode, on the CPU) of a checkpoint. Raises CheckpointError.

    `longest_side` builds it for another size of picture than the card's.
    """
    card, arrays = read_checkpoint(path)
    network = build_network(card.architecture, longest_side=longest_side or card.longest_side)
    try:
        network.load_state_dict({key: torch.from_numpy(array) for key, array in arrays.items()})
    except RuntimeError as error:
        raise CheckpointError(
            f"The weights of {path.name} do not fit the architecture {card.architecture}."
        ) from error
    return card, network.eval()


def as_arrays(state: dict[str, Tensor]) -> dict[str, np.ndarray]:
    """A state dict as arrays that `write_checkpoint` takes."""
    return {key: value.detach().cpu().numpy() for key, value in state.items()}

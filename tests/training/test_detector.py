from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision.models import get_model
from torchvision.ops import Conv2dNormActivation
from torchvision.ops.misc import FrozenBatchNorm2d

from training.checkpoints import CheckpointError, write_checkpoint
from training.detector import (
    BUILDERS,
    as_arrays,
    backbone_body,
    build_network,
    fold_norms,
    keep_norms,
    load_backbone,
    load_network,
)

NAMES = ("fasterrcnn_mobilenet_v2_fpn", "fasterrcnn_mobilenet_v3_large_fpn")
THEIRS = (
    "fasterrcnn_resnet50_fpn_v2",
    "fcos_resnet50_fpn",
    "retinanet_resnet50_fpn_v2",
    "ssdlite320_mobilenet_v3_large",
)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def backbone_file(folder: Path, classifier: nn.Module, **changes: torch.Tensor) -> Path:
    path = folder / "backbone.safetensors"
    state = {key: value for key, value in classifier.state_dict().items() if key.startswith("features")}
    save_file(state | changes, path)
    return path


def shaken(classifier: nn.Module) -> nn.Module:
    """Batch norms with statistics and weights that are not those of a fresh network."""
    for module in classifier.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.running_mean, module.bias.data):
                tensor.uniform_(-0.2, 0.2)
            for tensor in (module.running_var, module.weight.data):
                tensor.uniform_(0.7, 1.3)
    return classifier


@pytest.mark.parametrize("name", NAMES + THEIRS)
def test_every_architecture_trains_and_detects(name: str) -> None:
    assert {*NAMES, *THEIRS} == set(BUILDERS)
    network = build_network(name, longest_side=96)
    picture = torch.rand(3, 54, 96)
    target = {"boxes": torch.tensor([[10.0, 10, 60, 40]]), "labels": torch.tensor([1])}
    keep_norms(network.train())
    losses = network([picture, picture], [target, target])
    assert all(torch.isfinite(loss) for loss in losses.values())
    sum(losses.values()).backward()
    assert all(weight.grad is not None for weight in backbone_body(network).parameters())
    with torch.inference_mode():
        answer = network.eval()([picture])[0]
    assert len(answer["boxes"]) <= 20
    assert set(answer["labels"].tolist()) <= {0, 1, 2}


def test_an_unknown_architecture_is_named() -> None:
    with pytest.raises(CheckpointError, match="resnet9000 is unknown; known are fasterrcnn_mobilenet_v2_fpn"):
        build_network("resnet9000")


def test_folding_norms_changes_nothing_but_the_number_of_steps() -> None:
    block = Conv2dNormActivation(3, 8, 3, norm_layer=FrozenBatchNorm2d)
    block[1].running_mean.uniform_(-1, 1)
    block[1].running_var.uniform_(0.5, 2)
    block[1].bias.uniform_(-1, 1)
    picture = torch.rand(1, 3, 9, 9)
    before = block(picture)
    fold_norms(block)
    assert isinstance(block[1], nn.Identity)
    torch.testing.assert_close(block(picture), before)


@pytest.mark.parametrize(
    ("name", "classifier", "last"),
    [(NAMES[0], "mobilenet_v2", 17), (NAMES[1], "mobilenet_v3_large", 15)],
)
def test_a_loaded_backbone_gives_the_features_of_the_classifier(
    tmp_path: Path, name: str, classifier: str, last: int
) -> None:
    trained = shaken(get_model(classifier, weights=None)).eval()
    network = build_network(name)
    load_backbone(network, str(backbone_file(tmp_path, trained)))
    picture = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        expected = trained.features[: last + 1](picture)
        features = network.backbone.body(picture)["2"]
    torch.testing.assert_close(features, expected, atol=1e-4, rtol=1e-3)


def test_backbones_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    network = build_network(NAMES[0])
    with pytest.raises(CheckpointError, match="lack "):
        load_backbone(network, str(backbone_file(tmp_path, get_model("mobilenet_v3_small", weights=None))))
    odd = backbone_file(
        tmp_path, get_model("mobilenet_v2", weights=None), **{"features.0.0.weight": torch.rand(32, 3, 5, 5)}
    )
    with pytest.raises(CheckpointError, match="other shapes"):
        load_backbone(network, str(odd))
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_backbone(network, str(tmp_path / "none.safetensors"))
    with pytest.raises(CheckpointError, match="neither a safetensors file nor"):
        load_backbone(network, "No_Such_Weights.V1")


def test_a_network_comes_back_from_its_checkpoint(tmp_path: Path) -> None:
    network = build_network(NAMES[0], longest_side=96)
    path = tmp_path / "t.safetensors"
    write_checkpoint(
        path, as_arrays(network.state_dict()), half=False, name="t", architecture=NAMES[0], longest_side=96
    )
    card, again = load_network(path)
    assert card.architecture == NAMES[0]
    assert all(torch.equal(value, again.state_dict()[key]) for key, value in network.state_dict().items())
    assert load_network(path, longest_side=128)[1].transform.max_size == 128


def test_weights_of_another_architecture_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.safetensors"
    network = build_network(NAMES[1])
    write_checkpoint(path, as_arrays(network.state_dict()), name="t", architecture=NAMES[0], longest_side=96)
    with pytest.raises(CheckpointError, match="do not fit the architecture"):
        load_network(path)

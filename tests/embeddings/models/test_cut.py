"""A backbone cut in two says what the whole says."""

import pytest
import torch

from embeddings.errors import TrainingError
from embeddings.inference import for_inference
from embeddings.models.cut import Cut
from embeddings.models.poster_net import PosterNet
from embeddings.models.registry import build_model

PAIR = "mobilenet_v2+efficientnet_lite0"


def net_of(arch: str) -> PosterNet:
    torch.manual_seed(0)
    return build_model(arch, 4, 16, init="none").eval()


@pytest.mark.parametrize(
    ("arch", "n_stages", "n_channels"),
    [
        ("mobilenet_v2", 14, 96),
        ("efficientnet_lite0", 12, 112),
        (PAIR, 13, 96 + 112),
        ("resnet18", 6, 128),
        ("custom_cnn", 2, None),
        ("resnet101v2_stage3", 25, 1024),
        ("inception_v3_mixed7a", 13, 768),
    ],
)
def test_both_sides_of_a_cut_say_what_the_whole_says(
    arch: str, n_stages: int, n_channels: int | None
) -> None:
    net, x = net_of(arch), torch.rand(2, 3, 128, 96)
    names = list(net.state_dict())
    cut = Cut(net.backbone, n_stages)
    with torch.inference_mode():
        maps = cut.trunk(x)
        assert torch.allclose(cut.rest(maps), net.forward_features(x), atol=1e-5)
    assert maps.ndim == 4
    assert n_channels is None or maps.shape[1] == n_channels
    assert list(net.state_dict()) == names, "the net is whole again"


def test_a_net_made_ready_for_answering_is_cut_too() -> None:
    net, x = for_inference(net_of(PAIR), torch.device("cpu")), torch.rand(2, 3, 96, 64)
    cut = Cut(net.backbone, 13)
    with torch.inference_mode():
        assert torch.equal(cut.rest(cut.trunk(x)), net.forward_features(x))


def test_a_cut_leaves_modes_as_they_were() -> None:
    net = net_of("mobilenet_v2").train()
    Cut(net.backbone, 14)
    assert all(module.training for module in net.modules())


def test_only_what_comes_after_the_cut_gets_gradients() -> None:
    net = net_of(PAIR)
    cut = Cut(net.backbone, 13)
    with torch.no_grad():
        maps = cut.trunk(torch.rand(2, 3, 96, 64))
    cut.rest(maps).sum().backward()
    stages = net.backbone.stages()
    assert all(parameter.grad is None for stage in stages[:13] for parameter in stage.parameters())
    assert all(parameter.grad is not None for stage in stages[13:] for parameter in stage.parameters())


def test_a_net_whose_stages_do_not_follow_one_another_is_refused() -> None:
    with pytest.raises(TrainingError, match=r"cannot be cut after stage 3.*optim.freeze_stages"):
        Cut(net_of("vit_b_16").backbone, 3)


def test_branches_with_maps_of_different_sizes_are_refused() -> None:
    with pytest.raises(TrainingError, match=r"different sizes there \(24 x 16 and 48 x 32\)"):
        Cut(net_of(PAIR).backbone, 5)

from __future__ import annotations

import pytest
import torch
from torch import nn

from embeddings.fused import FusedConvolution, fuse_convolutions
from embeddings.inference import fold_batch_norms
from embeddings.models.lite0 import EfficientNetLite0, SameConv2d


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("activation", [None, nn.ReLU(), nn.ReLU6(), nn.SiLU(), nn.Hardswish()])
@pytest.mark.parametrize("groups", [1, 8])
def test_one_step_gives_what_two_give(groups: int, activation: nn.Module | None, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    convolution = nn.Conv2d(8, 16, 3, stride=2, padding=1, groups=groups).to(dtype)
    x = (8 * torch.randn(2, 8, 15, 12)).to(dtype).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        expected = convolution(x) if activation is None else activation(convolution(x))
        got = FusedConvolution(convolution, activation)(x)
    assert got.dtype == dtype and got.shape == expected.shape
    # A value between two steps of a number format is rounded once here, and twice there.
    error = (got - expected).float().abs() / expected.float().abs().clamp(min=1)
    assert error.max() <= (1e-5 if dtype == torch.float32 else 2**-6)


@pytest.mark.parametrize("size", [(15, 12), (16, 13)])
def test_padding_that_is_not_the_same_on_both_sides_is_kept(size: tuple[int, int]) -> None:
    torch.manual_seed(1)
    convolution = SameConv2d(4, 6, 3, stride=2)
    x = torch.randn(2, 4, *size)
    with torch.inference_mode():
        assert torch.allclose(FusedConvolution(convolution, None)(x), convolution(x), atol=1e-5)


def test_a_whole_net_is_fused_and_answers_the_same() -> None:
    torch.manual_seed(2)
    net = EfficientNetLite0().eval().requires_grad_(False)
    posters = torch.rand(3, 3, 72, 48)
    with torch.inference_mode():
        fold_batch_norms(net)
        before = net(posters)
        assert fuse_convolutions(net) == 49
        after = net(posters)
    left = [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.ReLU6)]
    assert not left and (before - after).abs().max() < 1e-5


def test_what_the_library_cannot_do_or_what_may_not_follow_is_left_alone() -> None:
    reflecting = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"), nn.ReLU())
    named = nn.Sequential(nn.Conv2d(3, 4, 3, padding="same"), nn.ReLU())
    unordered = nn.ModuleList([nn.Conv2d(3, 4, 1), nn.ReLU()])
    assert [fuse_convolutions(net) for net in (reflecting, named, unordered)] == [0, 0, 0]
    between = nn.Sequential(nn.Conv2d(3, 4, 1), nn.MaxPool2d(2), nn.ReLU())
    assert fuse_convolutions(between) == 1
    assert isinstance(between[2], nn.ReLU)

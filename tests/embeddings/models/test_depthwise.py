"""Depthwise convolutions that leave bfloat16 where its gradient is slow."""

import pytest
import torch
from torch import nn

from embeddings.models.depthwise import WideGradientConv2d, is_slow_in_bfloat16, widen_slow_gradients
from embeddings.models.registry import build_model


@pytest.mark.parametrize(
    ("kernel", "stride", "groups", "slow"),
    [(3, 1, 8, False), (3, 2, 8, True), (5, 1, 8, True), (3, 2, 1, False)],
)
def test_large_and_strided_depthwise_filters_are_the_slow_ones(
    kernel: int, stride: int, groups: int, slow: bool
) -> None:
    assert is_slow_in_bfloat16(nn.Conv2d(8, 8, kernel, stride, groups=groups)) is slow


def test_names_weights_and_answers_are_kept() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 8, 1), nn.Conv2d(8, 8, 3, 2, 1, groups=8, bias=False), nn.Conv2d(8, 8, 3, groups=8)
    )
    x = torch.rand(1, 3, 9, 9)
    before, state = net(x), {name: value.clone() for name, value in net.state_dict().items()}
    widen_slow_gradients(net)
    assert [type(layer) for layer in net] == [nn.Conv2d, WideGradientConv2d, nn.Conv2d]
    assert torch.equal(net(x), before)
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())


def test_under_autocast_the_slow_gradient_is_that_of_float32() -> None:
    torch.manual_seed(0)
    convolution = WideGradientConv2d(8, 8, 3, 2, 1, groups=8)
    x = torch.rand(2, 8, 9, 9, dtype=torch.bfloat16)
    with torch.autocast("cpu", torch.bfloat16):
        convolution(x).float().sum().backward()
    narrow = convolution.weight.grad
    convolution.zero_grad()
    convolution(x.float()).sum().backward()
    assert narrow is not None
    assert torch.allclose(narrow, convolution.weight.grad, rtol=1e-6)  # type: ignore[arg-type]


def test_mobilenet_has_its_four_strided_ones_widened() -> None:
    net = build_model("mobilenet_v2", 4, 16, init="none")
    assert sum(isinstance(module, WideGradientConv2d) for module in net.modules()) == 4

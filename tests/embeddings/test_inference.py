from __future__ import annotations

import pytest
import torch
from torch import nn

from embeddings.devices import autocast_dtype
from embeddings.inference import fold_batch_norms, for_inference
from embeddings.models import PosterNet, build_model

CPU = torch.device("cpu")


def trained(arch: str) -> PosterNet:
    """A net whose batch norms have seen pictures, so that folding them does something."""
    torch.manual_seed(2)
    net = build_model(arch, 4, 16)
    for _ in range(30):
        net.train()(torch.rand(6, 3, 72, 48))
    return net.eval()


@pytest.mark.parametrize(
    ("arch", "n_folded"), [("custom_cnn", 7), ("mobilenet_v2", 52), ("efficientnet_lite0", 49)]
)
def test_folding_takes_every_batch_norm_away_and_keeps_the_answer(arch: str, n_folded: int) -> None:
    net = trained(arch)
    posters = torch.rand(3, 3, 72, 48)
    with torch.inference_mode():
        before = net(posters)
        assert fold_batch_norms(net) == n_folded
        after = net(posters)
    assert not [m for m in net.backbone.modules() if isinstance(m, nn.BatchNorm2d)]
    assert (before.logits - after.logits).abs().max() < 1e-4
    assert (before.embedding - after.embedding).abs().max() < 1e-4


def test_a_batch_norm_before_its_convolution_is_left_alone() -> None:
    net = nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 4, 1), nn.ReLU(), nn.BatchNorm2d(4)).eval()
    assert fold_batch_norms(net) == 0
    assert sum(isinstance(layer, nn.BatchNorm2d) for layer in net) == 2


@pytest.mark.parametrize("arch", ["custom_cnn", "mobilenet_v2+efficientnet_lite0"])
def test_the_fast_copy_answers_nearly_as_the_net_and_the_net_stays_as_it_was(arch: str) -> None:
    net = trained(arch)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    posters = (torch.rand(5, 3, 72, 48) * 255).to(torch.uint8)
    with torch.inference_mode():
        expected, got = net(posters), for_inference(net, CPU)(posters)
    assert got.embedding.dtype == torch.float32
    assert (expected.embedding * got.embedding).sum(1).min() > 0.99
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())


def test_only_backbones_are_narrowed_and_only_where_the_hardware_can(monkeypatch: pytest.MonkeyPatch) -> None:
    net = trained("mobilenet_v3_small+custom_cnn")
    for dtype in (None, torch.bfloat16):
        monkeypatch.setattr("embeddings.inference.autocast_dtype", lambda _, dtype=dtype: dtype)
        fast = for_inference(net, CPU)
        weights = [w for name, w in fast.backbone.state_dict().items() if name.endswith("weight")]
        assert weights and {w.dtype for w in weights} == {dtype or torch.float32}
        assert {p.dtype for p in (*fast.neck.parameters(), *fast.head.parameters())} == {torch.float32}
        assert {branch.mean.dtype for branch in fast.backbone.branches} == {torch.float32}
        with torch.inference_mode():
            assert torch.isfinite(fast(torch.rand(2, 3, 72, 48)).logits).all()


def test_the_number_format_of_a_device_is_one_that_torch_computes_in() -> None:
    assert autocast_dtype(CPU) in (None, torch.bfloat16)

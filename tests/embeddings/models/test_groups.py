from __future__ import annotations

import pytest
import torch

from embeddings.models import build_model, freeze_backbone, param_groups


def test_the_backbone_learns_slower_and_vectors_do_not_decay() -> None:
    net = build_model("mobilenet_v3_small", 3)
    groups = {group["name"]: group for group in param_groups(net, 1e-2, 0.1, 0.05)}
    assert set(groups) == {"backbone", "backbone_no_decay", "head", "head_no_decay"}
    assert groups["backbone"]["lr"] == pytest.approx(1e-3) and groups["head"]["lr"] == 1e-2
    assert groups["head"]["weight_decay"] == 0.05 and groups["head_no_decay"]["weight_decay"] == 0
    assert all(p.ndim == 1 for p in groups["backbone_no_decay"]["params"])
    counted = sum(p.numel() for group in groups.values() for p in group["params"])
    assert counted == sum(p.numel() for p in net.parameters())


def test_frozen_parameters_are_in_no_group() -> None:
    net = build_model("mobilenet_v3_small", 3)
    freeze_backbone(net)
    assert {group["name"] for group in param_groups(net, 1e-2)} == {"head", "head_no_decay"}
    assert {group["name"] for group in param_groups(net, 1e-2, backbone_lr_scale=0)} == {
        "head",
        "head_no_decay",
    }


@pytest.mark.parametrize(
    "arch", ["mobilenet_v2", "resnet18", "custom_cnn", "mobilenet_v2+efficientnet_lite0"]
)
def test_a_frozen_stage_keeps_weights_and_statistics_while_the_rest_learns(arch: str) -> None:
    net = build_model(arch, 3)
    net.train()
    freeze_backbone(net, until=-2)
    before = {name: tensor.clone() for name, tensor in net.backbone.state_dict().items()}
    optimizer = torch.optim.SGD(param_groups(net, 1.0, 1.0))
    net(torch.rand(4, 3, 64, 48)).logits.square().mean().backward()
    optimizer.step()
    stages = net.backbone.stages()
    frozen = {id(t) for stage in stages[:-2] for t in (*stage.parameters(), *stage.buffers())}
    for name, tensor in (*net.backbone.named_parameters(), *net.backbone.named_buffers()):
        if id(tensor) in frozen:
            assert torch.equal(tensor, before[name]), name
    learning = [p for stage in stages[-2:] for p in stage.parameters()]
    assert all(p.requires_grad for p in learning)


def test_thawing_lets_everything_learn_again() -> None:
    net = build_model("mobilenet_v2", 3).train()
    freeze_backbone(net)
    assert not any(p.requires_grad for p in net.backbone.parameters())
    freeze_backbone(net, until=0)
    assert all(p.requires_grad for p in net.parameters())
    assert all(module.training for module in net.modules())

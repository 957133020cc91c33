"""A neck that also reads what maps of every depth look like."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from embeddings.checkpoint import CheckpointManifest
from embeddings.checkpoint_weights import load_net, save_checkpoint
from embeddings.errors import InvalidRequestError, TrainingError
from embeddings.inference import for_inference
from embeddings.models.backbone import Backbone
from embeddings.models.cut import Cut
from embeddings.models.poster_net import NetSpec, PosterNet
from embeddings.models.registry import build_model

PAIR = "mobilenet_v2+efficientnet_lite0"
# The last stage of each width and size, and the channels there.
MOBILENET = {0: 32, 1: 16, 3: 24, 6: 32, 10: 64, 13: 96, 16: 160, 17: 320}
LITE0 = {0: 32, 1: 16, 3: 24, 5: 40, 8: 80, 11: 112, 15: 192, 16: 320}


def levelled(arch: str) -> PosterNet:
    torch.manual_seed(0)
    return build_model(arch, 5, 16, spec=NetSpec(arch, 5, width=64, height=96, levels=True)).eval()


def recorded(backbone: Backbone, x: Tensor) -> list[Tensor]:
    """What each stage gives, recorded while the net works as it always does."""
    maps: list[Tensor] = []
    hooks = [
        stage.register_forward_hook(lambda _, __, out: maps.append(out.double()))
        for stage in backbone.stages()
    ]
    with torch.inference_mode():
        backbone.forward_pooled((x - backbone.mean) / backbone.std)
    for hook in hooks:
        hook.remove()
    return maps


@pytest.mark.parametrize(("arch", "ends"), [("mobilenet_v2", MOBILENET), ("efficientnet_lite0", LITE0)])
def test_features_are_the_pooled_ones_and_each_depths_means_and_deviations(
    arch: str, ends: dict[int, int]
) -> None:
    net, plain, x = levelled(arch), build_model(arch, 5, 16).eval(), torch.rand(3, 3, 96, 64)
    plain.backbone.load_state_dict(net.backbone.state_dict())
    assert net.backbone.taps == tuple(ends)
    assert net.num_features == plain.num_features + 2 * sum(ends.values())
    maps = recorded(plain.backbone, x)
    expected = [maps[-1].mean((2, 3))]
    for end in ends:
        expected += [maps[end].mean((2, 3)), maps[end].std((2, 3), correction=0)]
    with torch.inference_mode():
        found = net.forward_features(x).double()
    assert torch.allclose(found[:, : plain.num_features], plain.forward_features(x).double(), atol=1e-5)
    # Where a channel says the same everywhere the root has no slope, hence the thousandth.
    assert torch.allclose(found, torch.cat(expected, dim=1), atol=2e-3)


def test_what_is_constant_over_a_poster_gives_finite_gradients() -> None:
    net = levelled("mobilenet_v2").train()
    net(torch.full((2, 3, 96, 64), 0.5)).logits.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in net.parameters() if p.grad is not None)


def test_a_pair_reads_the_levels_of_both_also_when_made_ready_for_answering() -> None:
    net, x = levelled(PAIR), torch.rand(2, 3, 96, 64)
    assert net.num_features == 2 * 1280 + 2 * sum(MOBILENET.values()) + 2 * sum(LITE0.values())
    fast = for_inference(net, torch.device("cpu"))
    with torch.inference_mode():
        assert torch.allclose(fast(x).embedding, net(x).embedding, atol=0.02)


def test_a_checkpoint_remembers_that_it_reads_levels(
    tmp_path: Path, tiny_manifest: CheckpointManifest
) -> None:
    net, x = levelled("mobilenet_v2"), torch.rand(2, 3, 96, 64)
    save_checkpoint(tmp_path, net, replace(tiny_manifest, arch="mobilenet_v2"), "float32")
    with torch.inference_mode():
        assert torch.equal(load_net(tmp_path)(x).logits, net(x).logits)


@pytest.mark.parametrize("arch", ["densenet121", "vit_b_16", "mlp", f"{PAIR}+custom_cnn"])
def test_a_net_whose_last_map_is_not_averaged_is_refused_with_a_choice_of_others(arch: str) -> None:
    with pytest.raises(InvalidRequestError, match=r"no row of stages .* choose mobilenet_v2"):
        levelled(arch)


def test_stored_maps_of_frozen_stages_and_levels_exclude_each_other() -> None:
    with pytest.raises(TrainingError, match=r"reads levels needs all its stages: set optim\.frozen_views"):
        Cut(levelled(PAIR).backbone, 13)

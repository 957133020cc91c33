from __future__ import annotations

from pathlib import Path

import pytest
import torch

from embeddings.errors import InvalidRequestError
from embeddings.models import NetSpec, PosterNet, architecture_names, build_model, summary
from embeddings.models.torchvision_nets import torchvision_names

POSTERS = torch.rand((2, 3, 96, 64), generator=torch.Generator().manual_seed(0))

# Families of torchvision, with real numbers; the slow test below builds all their members without any.
FAMILIES = (
    "mobilenet_v2",
    "mobilenet_v3_small",
    "resnet18",
    "efficientnet_b0",
    "squeezenet1_1",
    "shufflenet_v2_x0_5",
    "mnasnet0_5",
    "regnet_y_400mf",
    "densenet121",
    "googlenet",
)
OURS = ("custom_cnn", "mlp", "cnn3", "cnn3_stride2", "mini_vgg", "efficientnet_lite0")


def n_parameters(net: PosterNet) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


@pytest.mark.parametrize("arch", [*OURS, *FAMILIES, "mobilenet_v3_small+efficientnet_lite0"])
def test_an_architecture_gives_unit_embeddings_and_logits_in_one_pass(arch: str) -> None:
    net = build_model(arch, 7, 32, spec=NetSpec(arch, 7, width=64, height=96)).eval()
    with torch.inference_mode():
        output = net(POSTERS)
    assert output.embedding.shape == (2, 32) and output.logits.shape == (2, 7)
    assert torch.allclose(output.embedding.norm(dim=1), torch.ones(2), atol=1e-5)
    assert torch.isfinite(output.logits).all()


@pytest.mark.parametrize("arch", ["custom_cnn", "mobilenet_v2", "efficientnet_lite0"])
def test_one_pass_answers_as_the_two_halves_do(arch: str) -> None:
    net = build_model(arch, 3).eval()
    with torch.inference_mode():
        features = net.forward_features(POSTERS)
        assert features.shape == (2, net.num_features)
        assert torch.equal(net.forward_head(features).logits, net(POSTERS).logits)


@pytest.mark.parametrize("arch", ["custom_cnn", "mobilenet_v2"])
def test_bytes_and_fractions_of_the_same_picture_give_the_same_answer(arch: str) -> None:
    net = build_model(arch, 3).eval()
    pixels = (POSTERS * 255).to(torch.uint8)
    with torch.inference_mode():
        assert torch.equal(net(pixels).logits, net(pixels.float() / 255).logits)


def test_the_custom_cnn_has_its_published_parameter_count() -> None:
    assert n_parameters(build_model("custom_cnn", 25)) == pytest.approx(856_000, rel=0.01)


def test_the_mlp_has_its_published_parameter_count_at_its_published_input() -> None:
    net = build_model("mlp", 25, spec=NetSpec("mlp", 25, width=224, height=224))
    assert n_parameters(net) == pytest.approx(154_800_000, rel=0.001)


def test_the_second_half_of_a_pair_sees_its_own_normalisation() -> None:
    pair = build_model("mobilenet_v2+efficientnet_lite0", 3).eval()
    first, second = pair.backbone.branches
    with torch.inference_mode():
        features = pair.forward_features(POSTERS)
        assert torch.equal(features[:, :1280], first(POSTERS))
        assert torch.equal(features[:, 1280:], second(POSTERS))
    assert not torch.equal(first.mean, second.mean)


def test_every_classification_model_of_torchvision_is_known() -> None:
    names = architecture_names()
    assert {"vgg16", "densenet169", "efficientnet_b4", "convnext_tiny", "vit_b_16", "regnet_y_16gf"} < set(
        names
    )
    assert not [name for name in names if "rcnn" in name or "segmentation" in name or name.startswith("r3d")]


@pytest.mark.slow
@pytest.mark.parametrize("arch", [name for name in torchvision_names() if not name.startswith("regnet")])
def test_every_classification_model_of_torchvision_builds_and_runs(arch: str) -> None:
    with torch.device("meta"):
        net = build_model(arch, 7).eval()
        size = net.backbone.image_size
        output = net(torch.rand(2, 3, size or 240, size or 160))
    assert output.embedding.shape == (2, 256) and output.logits.shape == (2, 7)
    assert net.backbone.stages()


def test_an_unknown_name_is_answered_with_names_that_exist() -> None:
    with pytest.raises(InvalidRequestError, match=r"no architecture 'resnet19': choose one of custom_cnn"):
        build_model("resnet19", 3)


def test_a_transformer_names_the_size_that_it_reads() -> None:
    net = build_model("vit_b_32", 3).eval()
    with pytest.raises(InvalidRequestError, match="reads 224x224 pixels and got 64x96"):
        net(POSTERS)


def test_the_summary_counts_every_parameter_once() -> None:
    net = build_model("custom_cnn", 25)
    lines = summary(net, (160, 240)).splitlines()
    rows = [line.split() for line in lines[1:-1]]
    assert sum(int(row[-1].replace(",", "")) for row in rows) == n_parameters(net)
    first_conv = next(row for row in rows if row[0] == "backbone.features.0")
    assert first_conv == ["backbone.features.0", "Conv2d", "32x240x160", "896"]
    assert lines[-1].startswith("custom_cnn: 854,457 parameters")


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("arch", "file", "num_features"),
    [
        ("mobilenet_v2", "mobilenet_v2_onnx_in1k.safetensors", 1280),
        ("efficientnet_lite0", "efficientnet_lite0_in1k_q8.safetensors", 1280),
        ("inception_v3_mixed7a", "inception_v3_to_mixed7a_in1k_q8.safetensors", 1280),
        ("resnet101v2_stage3", "resnet101v2_slim_stage3_in1k_q7.safetensors", 1024),
    ],
)
def test_real_imagenet_weights_tell_posters_of_one_film_from_others(
    arch: str, file: str, num_features: int, real_data: Path
) -> None:
    """The same poster, smaller and mirrored, is nearer to itself than any other is."""
    from embeddings.transforms import Preprocessing, read_pixels

    net = build_model(arch, 3, init=str(real_data / "weights" / file)).eval()
    paths = sorted((real_data / "posters").iterdir())[:6000:1000]

    def features(width: int) -> torch.Tensor:
        pixels = [torch.tensor(read_pixels(path, Preprocessing(width, width * 3 // 2))) for path in paths]
        with torch.inference_mode():
            found = net.forward_features(torch.stack(pixels).permute(0, 3, 1, 2))
        assert found.shape == (len(paths), num_features)
        return torch.nn.functional.normalize(found - found.mean(0), dim=1)

    similarity = features(128) @ features(112).T
    assert similarity.argmax(1).tolist() == list(range(len(paths)))

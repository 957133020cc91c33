from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from embeddings.errors import CheckpointError, InvalidRequestError
from embeddings.models import build_model
from embeddings.models.lite0 import SameConv2d, same_padding
from embeddings.models.pretrained import read_weights
from embeddings.models.registry import check_names
from embeddings.models.torchvision_nets import torchvision_weights


def test_int8_is_multiplied_by_its_scale_and_halves_are_widened(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file(
        {
            "conv.weight": torch.tensor([[2, -4], [3, 0]], dtype=torch.int8),
            "conv.weight.scale": torch.tensor([0.5, 10.0]),
            "bias": torch.tensor([1.5], dtype=torch.float16),
            "n": torch.tensor(7),
        },
        path,
    )
    weights = read_weights(path)
    assert weights["conv.weight"].tolist() == [[1.0, -2.0], [30.0, 0.0]]
    assert weights["bias"].dtype == torch.float32
    assert weights["n"].item() == 7
    assert "conv.weight.scale" not in weights


def test_int8_without_its_scale_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file({"conv.weight": torch.zeros((2, 2), dtype=torch.int8)}, path)
    with pytest.raises(CheckpointError, match=r"conv\.weight as int8 without a fitting conv\.weight\.scale"):
        read_weights(path)


@pytest.mark.parametrize("content", [b"", b"junk", b"\xff" * 100, b"\x08\0\0\0\0\0\0\0{}      "])
def test_a_file_that_is_no_safetensors_is_refused_or_does_not_fit(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError):
        build_model("mobilenet_v2", 3, init=str(path))


def test_weights_saved_from_torchvision_load_without_their_classifier(tmp_path: Path) -> None:
    from embeddings.torchvision_ops import torchvision

    torch.manual_seed(3)
    whole = torchvision.models.mobilenet_v3_small()
    path = tmp_path / "w.safetensors"
    save_file(whole.state_dict(), path)
    net = build_model("mobilenet_v3_small", 3, init=str(path))
    expected = dict(whole.state_dict())
    loaded = net.backbone.net.state_dict()
    assert loaded and all(torch.equal(tensor, expected[name]) for name, tensor in loaded.items())


def test_weights_of_another_net_are_refused_with_what_does_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file(build_model("resnet18", 3).backbone.net.state_dict(), path)
    with pytest.raises(CheckpointError, match=r"is for another net: it lacks features\.0\.0\.weight"):
        build_model("mobilenet_v2", 3, init=str(path))


def test_a_weights_file_that_is_absent_is_named() -> None:
    with pytest.raises(CheckpointError, match=r"no weights file absent\.safetensors"):
        build_model("mobilenet_v2", 3, init="absent.safetensors")
    with pytest.raises(CheckpointError, match="efficientnet_lite0 has no downloadable weights"):
        build_model("efficientnet_lite0", 3, init="imagenet")


def test_an_unknown_name_of_weights_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="torchvision has no weights 'IMAGENET9'"):
        build_model("mobilenet_v2", 3, init="IMAGENET9")


def test_without_a_network_the_cure_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise urllib.error.URLError("no route to host")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.urlopen", refuse)
    with pytest.raises(CheckpointError, match=r"could not be downloaded .*give a safetensors file"):
        build_model("mobilenet_v3_small", 3, init="imagenet")


def test_a_pair_takes_one_source_each(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file(build_model("mobilenet_v3_small", 3).backbone.net.state_dict(), path)
    net = build_model("mobilenet_v3_small+custom_cnn", 3, init=f"{path}+none")
    stored = read_weights(path)["features.0.0.weight"]
    assert torch.equal(net.backbone.branches[0].net.features[0][0].weight, stored)
    with pytest.raises(InvalidRequestError, match="2 architectures got 3 sources"):
        build_model("mobilenet_v3_small+custom_cnn", 3, init="none+none+none")


@pytest.mark.parametrize(("size", "expected"), [(4, (0, 1)), (5, (1, 1)), (6, (0, 1)), (7, (1, 1))])
def test_same_padding_puts_the_odd_pixel_after(size: int, expected: tuple[int, int]) -> None:
    assert same_padding(size, 3, 2) == expected


def test_a_same_convolution_gives_tensorflows_known_answer() -> None:
    """tf.nn.conv2d of 1..16 with a kernel of ones, 3x3, stride 2, padding SAME."""
    conv = SameConv2d(1, 1, 3, 2)
    torch.nn.init.ones_(conv.weight)
    x = torch.arange(1.0, 17.0).view(1, 1, 4, 4)
    assert conv(x).flatten().tolist() == [54.0, 45.0, 72.0, 54.0]


@pytest.mark.parametrize("arch", ["vit_b_16", "regnet_y_16gf"])
@pytest.mark.parametrize("name", ["IMAGENET1K_V1", "IMAGENET1K_SWAG_E2E_V1", "IMAGENET1K_SWAG_LINEAR_V1"])
def test_torchvisions_names_of_weights_are_known_without_a_download(arch: str, name: str) -> None:
    check_names(arch, name)
    assert name in torchvision_weights(arch)

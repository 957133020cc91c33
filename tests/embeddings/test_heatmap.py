from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from embeddings.encoder import Encoder
from embeddings.errors import InvalidRequestError
from embeddings.heatmap import Heatmap, genre_heatmap
from embeddings.models import NetSpec, PosterNet, build_model
from embeddings.models.backbone import Backbone

pytest.importorskip("captum", reason="the heatmap extra is not installed")


class ColourDetector(Backbone):
    """Three maps that are the three colours of the input; its features are their means."""

    def __init__(self) -> None:
        super().__init__(3, (0.0,) * 3, (1.0,) * 3)
        self.map = torch.nn.Conv2d(3, 3, 1, bias=False)
        with torch.no_grad():
            self.map.weight.copy_(torch.eye(3).view(3, 3, 1, 1))

    def forward_pooled(self, x: torch.Tensor) -> torch.Tensor:
        return self.map(x).mean((2, 3))

    def stages(self) -> list[torch.nn.Module]:
        return [self.map]


@pytest.fixture
def colour_net() -> PosterNet:
    """Genre i is the share of colour i: red, green, blue."""
    spec = NetSpec("colours", 3, 3, dropout=0.0, norm="none", activation="none")
    net = PosterNet(ColourDetector(), spec).eval()
    with torch.no_grad():
        for linear in (net.neck[1], net.head):
            linear.weight.copy_(torch.eye(3))
            linear.bias.zero_()
    return net


@pytest.mark.parametrize(("column", "where"), [(0, "left"), (2, "right"), (1, "nowhere")])
def test_the_heat_lies_where_the_evidence_is(column: int, where: str, colour_net: PosterNet) -> None:
    pixels = np.zeros((12, 8, 3), np.uint8)
    pixels[:, :4, 0] = 255
    pixels[:, 4:, 2] = 255
    heat = genre_heatmap(colour_net, pixels, column)
    assert heat.shape == (12, 8) and heat.dtype == np.float32
    expected = np.zeros((12, 8), np.float32)
    expected[:, {"left": slice(0, 4), "right": slice(4, 8), "nowhere": slice(0, 0)}[where]] = 1.0
    assert np.allclose(heat, expected)


@pytest.mark.parametrize(
    "arch", ["custom_cnn", "mobilenet_v3_small", "swin_t", "custom_cnn+efficientnet_lite0"]
)
def test_every_kind_of_net_gives_a_map_and_keeps_no_hooks(arch: str) -> None:
    torch.manual_seed(0)
    net = build_model(arch, 3).eval()
    heat = genre_heatmap(net, np.random.default_rng(0).integers(0, 255, (96, 64, 3), dtype=np.uint8), 1)
    assert heat.shape == (96, 64)
    assert heat.min() >= 0 and heat.max() in (0.0, 1.0)
    assert not [module for module in net.modules() if module._forward_hooks or module._backward_hooks]


def test_a_net_without_a_map_says_so() -> None:
    net = build_model("mlp", 3, spec=NetSpec("mlp", 3, width=8, height=12)).eval()
    with pytest.raises(InvalidRequestError, match="mlp has no map of features"):
        genre_heatmap(net, np.zeros((12, 8, 3), np.uint8), 0)


def test_the_encoder_draws_it_over_the_poster(tiny_checkpoint: Path, tmp_path: Path) -> None:
    encoder = Encoder.load(tiny_checkpoint, "cpu")
    path = tmp_path / "poster.jpg"
    Image.effect_noise((800, 1200), 90).convert("RGB").save(path)
    heatmap = encoder.heatmap(path, "Horror")
    assert heatmap.genre == "Horror" and heatmap.values.shape == (72, 48)
    drawn = Image.open(io.BytesIO(heatmap.png()))
    assert (drawn.format, drawn.size) == ("PNG", (500, 750))


def test_the_picture_glows_where_the_heat_is_and_is_grey_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "poster.png"
    Image.new("RGB", (80, 120), (90, 90, 90)).save(path)
    values = np.zeros((12, 8), np.float32)
    values[:6] = 1.0
    drawn = np.asarray(Image.open(io.BytesIO(Heatmap("Drama", values, path).png()))).astype(int)
    assert len(set(drawn[110, 40])) == 1
    assert drawn[10, 40, 0] > drawn[110, 40, 0] + 50


def test_a_genre_that_the_encoder_does_not_know_is_refused(tiny_checkpoint: Path) -> None:
    with pytest.raises(InvalidRequestError, match="no genre 'Opera': choose of Action"):
        Encoder.load(tiny_checkpoint, "cpu").heatmap(b"", "Opera")

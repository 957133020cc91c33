"""What augmentation does to pictures whose answer is known."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from embeddings.training.augment import augment
from embeddings.training.augment_damage import blur, frame, jpeg_artifacts, pass_through_smaller_size
from embeddings.training.config import AugmentConfig
from embeddings.training.mixing import make_mixer

NOTHING = AugmentConfig(**dict.fromkeys(AugmentConfig.model_fields, 0))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def posters() -> torch.Tensor:
    """Eight smooth random pictures, uint8, (8, 3, 96, 64)."""
    rng = np.random.default_rng(0)
    blocks = rng.integers(0, 255, (8, 6, 4, 3), dtype=np.uint8)
    pictures = [
        np.asarray(Image.fromarray(block).resize((64, 96), Image.Resampling.BICUBIC)) for block in blocks
    ]
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)


def test_without_any_change_posters_stay_as_they_are(posters: torch.Tensor) -> None:
    changed = augment(posters, NOTHING, generator())
    torch.testing.assert_close(changed, posters.float() / 255, atol=1e-4, rtol=0)


def test_flip_mirrors_left_and_right(posters: torch.Tensor) -> None:
    changed = augment(posters, NOTHING.model_copy(update={"flip": 1.0}), generator())
    torch.testing.assert_close(changed, posters.flip(3).float() / 255, atol=1e-4, rtol=0)


def test_crop_shows_a_part_that_is_larger_than_its_share(posters: torch.Tensor) -> None:
    """On a ramp from 0 to 1, the visible span is the window's width."""
    ramp = (torch.linspace(0, 255, 64).view(1, 1, 1, 64)).expand(8, 3, 96, 64).to(torch.uint8)
    changed = augment(ramp, NOTHING.model_copy(update={"crop": 0.36}), generator())
    spans = (changed[..., -1] - changed[..., 0]).mean(dim=(1, 2))
    assert (spans > 0.78).all()
    assert (spans < 1.0).all()
    assert len(set(spans.tolist())) == 8, "each poster is cropped in its own way"


def test_rotation_keeps_the_picture_plane_square(posters: torch.Tensor) -> None:
    """A disc stays a disc: turning must not depend on the aspect of the poster."""
    y, x = torch.meshgrid(torch.arange(96) - 47.5, torch.arange(64) - 31.5, indexing="ij")
    disc = ((x**2 + y**2) < 20**2).to(torch.uint8).mul(255).expand(4, 3, 96, 64).contiguous()
    changed = augment(disc, NOTHING.model_copy(update={"rotate": 90.0}), generator(3))
    # Outside the middle square the mirrored surroundings come into view.
    middle = (slice(None), slice(None), slice(22, 74), slice(6, 58))
    assert (changed - disc.float() / 255)[middle].abs().mean() < 0.03, "only its rim may be blurred"


def test_greyscale_leaves_three_equal_channels(posters: torch.Tensor) -> None:
    changed = augment(posters, NOTHING.model_copy(update={"greyscale": 1.0}), generator())
    assert (changed[:, 0] - changed[:, 2]).abs().max() < 0.02


def test_everything_at_once_stays_within_bounds_and_is_decided_by_the_generator(
    posters: torch.Tensor,
) -> None:
    wild = AugmentConfig(
        rotate=20, shift=0.2, zoom_out=0.3, shear=10, greyscale=0.3, border=0.5, jpeg=0.5, low_resolution=0.5,
        blur=0.5, erase=0.5, randaugment_ops=2,
    )  # fmt: skip
    first, again = augment(posters, wild, generator(1)), augment(posters, wild, generator(1))
    assert torch.equal(first, again)
    assert not torch.equal(first, augment(posters, wild, generator(2)))
    assert first.shape == posters.shape
    assert first.min() >= 0
    assert first.max() <= 1
    assert torch.isfinite(first).all()


def test_augmentation_leaves_its_input_alone(posters: torch.Tensor) -> None:
    before = posters.clone()
    augment(posters, AugmentConfig(border=1.0, jpeg=1.0, erase=1.0), generator())
    assert torch.equal(posters, before)


def test_jpeg_artifacts_are_those_of_a_real_jpeg_encoder(posters: torch.Tensor) -> None:
    """At Pillow's quality 30, our picture is far nearer to Pillow's than the original is."""
    original = posters[:1].float() / 255
    noisy = (original + 0.1 * torch.randn(original.shape, generator=generator())).clamp(0, 1)

    buffer = io.BytesIO()
    Image.fromarray((noisy[0] * 255).round().byte().permute(1, 2, 0).numpy()).save(
        buffer, "JPEG", quality=30, subsampling=0
    )
    real = torch.from_numpy(np.asarray(Image.open(buffer)).copy()).permute(2, 0, 1).float() / 255
    seeds = range(200)
    quality = [25 + 65 * float(torch.rand(1, generator=generator(seed))) for seed in seeds]
    nearest = min(seeds, key=lambda seed: abs(quality[seed] - 30))
    ours = jpeg_artifacts(noisy, generator(nearest))[0]
    assert (ours - real).abs().mean() < (noisy[0] - real).abs().mean() / 3


def test_a_frame_surrounds_the_whole_picture(posters: torch.Tensor) -> None:
    framed = frame(torch.full((8, 3, 96, 64), 0.37), generator())
    assert torch.allclose(framed[:, :, 40:56, 25:40], torch.tensor(0.37), atol=1e-4)
    edges = torch.cat([framed[:, :, 0], framed[:, :, -1]], dim=-1)
    assert (edges.std(dim=-1) < 1e-4).all(), "the frame has one colour"
    assert ((edges.mean(-1) - 0.37).abs() > 0.01).any(dim=1).all()


@pytest.mark.parametrize("change", [blur, pass_through_smaller_size])
def test_smoothing_keeps_the_mean_and_lessens_detail(change, posters: torch.Tensor) -> None:  # type: ignore[no-untyped-def]
    noise = torch.rand(4, 3, 96, 64, generator=generator(5))
    smooth = change(noise, generator(1))
    assert smooth.shape == noise.shape
    assert smooth.mean() == pytest.approx(float(noise.mean()), abs=0.01)
    assert smooth.std() < noise.std()


def test_mixup_mixes_targets_as_it_mixes_pictures() -> None:
    images = torch.tensor([0.0, 1.0]).view(2, 1, 1, 1).expand(2, 3, 4, 4)
    targets = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    mix = make_mixer(AugmentConfig(mixup=1.0, mix_chance=1.0))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        mixed, told = mix(images, targets)
    share = float(mixed[0, 0, 0, 0])
    assert 0 < share < 1
    assert told[0].tolist() == pytest.approx([share, 1 - share])


def test_cutmix_tells_the_share_of_the_pasted_area() -> None:
    images = torch.tensor([0.0, 1.0]).view(2, 1, 1, 1).expand(2, 3, 32, 32)
    mix = make_mixer(AugmentConfig(cutmix=1.0, mix_chance=1.0))
    with torch.random.fork_rng():
        torch.manual_seed(3)
        mixed, told = mix(images, torch.tensor([[0.0], [1.0]]))
    assert float(told[0, 0]) == pytest.approx(float(mixed[0].mean()), abs=1e-5)


def test_without_mixing_batches_pass_untouched() -> None:
    images, targets = torch.rand(2, 3, 4, 4), torch.rand(2, 2)
    mixed, told = make_mixer(NOTHING)(images, targets)
    assert mixed is images
    assert told is targets

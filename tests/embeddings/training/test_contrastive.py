"""The contrastive term against answers worked out by hand."""

import math

import pytest
import torch
import torch.nn.functional as F

from embeddings.training.contrastive import genre_contrast

COMEDY, DRAMA = [1.0, 0.0], [0.0, 1.0]


def test_one_equal_and_one_other_poster_cost_what_the_softmax_says() -> None:
    """Cosines 1 to the poster of like genre and 0 to the other, twice; the third poster has no kin."""
    embeddings = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    targets = torch.tensor([COMEDY, COMEDY, DRAMA])
    expected = -math.log(math.exp(2.0) / (math.exp(2.0) + 1))
    assert float(genre_contrast(embeddings, targets, temperature=0.5)) == pytest.approx(expected, rel=1e-5)


def test_posters_that_share_nothing_cost_nothing() -> None:
    embeddings = F.normalize(torch.randn(2, 4, generator=torch.Generator().manual_seed(0)), dim=1)
    assert float(genre_contrast(embeddings, torch.tensor([COMEDY, DRAMA]))) == 0.0


def test_targets_are_drawn_to_by_the_square_of_the_genres_shared() -> None:
    """Equal cosines make the softmax even, so the loss is log 2 however the kin are weighed."""
    embeddings = torch.tensor([[1.0, 0.0]] * 3)
    targets = torch.tensor([[1.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    assert float(genre_contrast(embeddings, targets)) == pytest.approx(math.log(2), rel=1e-5)
    moved = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    # Posters 0 and 2 have kin at cosine 1 of weight 1, and at cosine 0 of weight (1/2)²; 1 sees both at 0.
    near, far = -math.log(math.e / (math.e + 1)), -math.log(1 / (math.e + 1))
    expected = (2 * (near + far / 4) / 1.25 + math.log(2)) / 3
    assert float(genre_contrast(moved, targets, temperature=1.0)) == pytest.approx(expected, rel=1e-5)


def test_following_the_gradient_brings_posters_of_like_genres_together() -> None:
    generator = torch.Generator().manual_seed(1)
    free = torch.randn(40, 8, generator=generator).requires_grad_()
    targets = torch.eye(4)[torch.arange(40) % 4]
    optimizer = torch.optim.SGD([free], lr=5.0)
    for _ in range(200):
        loss = genre_contrast(F.normalize(free, dim=1), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    rows = F.normalize(free.detach(), dim=1)
    nearest = (rows @ rows.T - 2 * torch.eye(40)).argmax(dim=1)
    assert (nearest % 4 == torch.arange(40) % 4).all()

"""Metric learning beside the genre loss: embeddings of posters with like genres are drawn together."""

from __future__ import annotations

import torch
from torch import Tensor

_SHARPNESS = 2.0
"""Power of the shared genres: two of three in common draws four times as strongly as one of three."""


def genre_contrast(embeddings: Tensor, targets: Tensor, temperature: float = 0.1) -> Tensor:
    """How far each poster's neighbours in the batch are from being those with its genres.

    For each poster the other ones are weighed by the square of the genres
    shared (Jaccard; of targets between 0 and 1 its continuous form); the loss
    is the cross-entropy of the softmax of cosines against these weights.

    Args:
        embeddings: Float, (n, dim), rows of unit length.
        targets: Genres in [0, 1], (n, n_genres): labels, or what teachers or mixing made of them.
        temperature: Of the softmax; lower looks at the nearest only.

    Returns:
        One number, mean over the posters that share a genre with another one; 0 where none does.

    Source:
        P. Khosla et al., "Supervised Contrastive Learning", NeurIPS 2020, equation 2, with
        graded instead of equal labels.
    """
    cosines = embeddings @ embeddings.T / temperature
    itself = torch.eye(len(cosines), dtype=torch.bool, device=cosines.device)
    shared = targets @ targets.T
    sizes = targets.sum(dim=1)
    either = sizes[:, None] + sizes[None] - shared
    alike = (shared / either.clamp_min(1e-6)).pow(_SHARPNESS).masked_fill(itself, 0.0)
    total = alike.sum(dim=1)
    said = torch.log_softmax(cosines.masked_fill(itself, -torch.inf), dim=1).masked_fill(itself, 0.0)
    each = -(alike * said).sum(dim=1) / total.clamp_min(1e-6)
    has_kin = total > 0
    return (each * has_kin).sum() / has_kin.sum().clamp_min(1)

"""Weights from a file: float32, float16, or int8 with a scale per output channel; never a pickle."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from embeddings.errors import CheckpointError

SCALE_SUFFIX = ".scale"


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file and widen its tensors to float32.

    float16 and bfloat16 are widened; an int8 tensor ``name`` is multiplied by
    its ``name.scale`` (one factor per output channel). Integer buffers such as
    ``num_batches_tracked`` stay as they are.

    Raises:
        CheckpointError: The file is missing, truncated, or no safetensors file.
    """
    try:
        stored = load_file(path)
    except FileNotFoundError as error:
        raise CheckpointError(f"there is no weights file {path}: check the path") from error
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path} is not a readable safetensors file ({error}): copy it again from its source"
        ) from error
    return {name: _widen(name, stored, path) for name in stored if not name.endswith(SCALE_SUFFIX)}


def _widen(name: str, stored: dict[str, Tensor], path: Path) -> Tensor:
    tensor = stored[name]
    if tensor.dtype == torch.int8:
        scale = stored.get(name + SCALE_SUFFIX)
        if scale is None or scale.numel() != tensor.shape[0]:
            raise CheckpointError(
                f"{path} stores {name} as int8 without a fitting {name}{SCALE_SUFFIX}: copy it again"
            )
        return tensor.float() * scale.float().view(-1, *[1] * (tensor.ndim - 1))
    return tensor.float() if tensor.is_floating_point() else tensor


def load_into(
    module: nn.Module, weights: dict[str, Tensor], source: str, prefixes: tuple[str, ...] = ()
) -> None:
    """Put ``weights`` into ``module``; every tensor of the module must be there and fit.

    Args:
        module: Changed in place.
        weights: Names to tensors.
        source: What messages call the weights.
        prefixes: Names that start so may stand in ``weights`` without a place in the module: classifiers.

    Raises:
        CheckpointError: A tensor is missing, left over, or of another shape.
    """
    wanted = module.state_dict()
    missing = [k for k in wanted if k not in weights and not k.endswith("num_batches_tracked")]
    left_over = [
        k
        for k in weights
        if k not in wanted and not k.endswith("num_batches_tracked") and not k.startswith(prefixes)
    ]
    misfits = [k for k in wanted if k in weights and weights[k].shape != wanted[k].shape]
    for kind, names in (("lacks", missing), ("has besides", left_over), ("has in another shape", misfits)):
        if names:
            raise CheckpointError(
                f"{source} is for another net: it {kind} {', '.join(names[:3])}"
                f"{f' and {len(names) - 3} more' if len(names) > 3 else ''}; name its architecture"
            )
    module.load_state_dict({k: v for k, v in weights.items() if k in wanted}, strict=False)

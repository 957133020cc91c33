"""A checkpoint's weights: written narrow, aside and whole; read back wide and checked."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import save_file
from torch import Tensor

from embeddings.checkpoint import MANIFEST_NAME, WEIGHTS_NAME, CheckpointManifest
from embeddings.errors import CheckpointError, OnesheetError
from embeddings.models.poster_net import NetSpec, PosterNet
from embeddings.models.pretrained import SCALE_SUFFIX, load_into, read_weights
from embeddings.models.registry import build_from_spec

Dtype = Literal["float32", "float16", "int8"]

_IN_MANIFEST = ("arch", "n_genres", "embedding_dim")


def net_arguments(spec: NetSpec) -> dict[str, Any]:
    """The part of ``spec`` that a manifest keeps under ``net``."""
    return {name: value for name, value in asdict(spec).items() if name not in _IN_MANIFEST}


def save_checkpoint(
    directory: Path, net: PosterNet, manifest: CheckpointManifest, dtype: Dtype = "float16"
) -> CheckpointManifest:
    """Write weights and manifest; a reader finds the old checkpoint or the new one.

    Args:
        directory: Where it goes; made if absent. Other files in it stay.
        net: The net, on any device.
        manifest: Its arch, net, embedding_dim and weights_sha256 are taken from ``net``.
        dtype: How filters and matrices are stored: ``int8`` has one scale per output channel.
            Vectors (biases, batch-norm statistics) always stay float32.

    Returns:
        The manifest as written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=".saving-", dir=directory))
    try:
        weights_path = aside / WEIGHTS_NAME
        save_file(_narrow(net.state_dict(), dtype), weights_path)
        written = replace(
            manifest,
            arch=net.spec.arch,
            net=net_arguments(net.spec),
            embedding_dim=net.spec.embedding_dim,
            weights_sha256=_sha256(weights_path),
        )
        written.write(aside)
        for name in (WEIGHTS_NAME, MANIFEST_NAME):
            _sync(aside / name)
            # A reader between the two renames sees weights that do not match their digest, and says so.
            (aside / name).replace(directory / name)
    finally:
        shutil.rmtree(aside)
    return written


def load_net(directory: Path, manifest: CheckpointManifest | None = None) -> PosterNet:
    """Build the net of a checkpoint and load its weights, widened to float32.

    Args:
        directory: The checkpoint.
        manifest: Its manifest, where it was read before.

    Returns:
        The net, on the CPU, in evaluation mode.

    Raises:
        CheckpointError: A file is missing, damaged, or does not belong to the other.
    """
    manifest = manifest or CheckpointManifest.read(directory)
    path = directory / WEIGHTS_NAME
    if not path.is_file():
        raise CheckpointError(f"{directory} has no {WEIGHTS_NAME}: copy the checkpoint again")
    if _sha256(path) != manifest.weights_sha256:
        raise CheckpointError(
            f"{path} is not the file that {MANIFEST_NAME} describes: copy the checkpoint again"
        )
    try:
        spec = NetSpec(manifest.arch, len(manifest.genres), manifest.embedding_dim, **manifest.net)
        net = build_from_spec(spec)
    except (TypeError, ValueError, KeyError, RuntimeError, OnesheetError) as error:
        raise CheckpointError(
            f"{directory} describes a net that cannot be built ({error}): train it again"
        ) from error
    load_into(net, read_weights(path), str(path))
    return net.eval()


def _narrow(state: dict[str, Tensor], dtype: Dtype) -> dict[str, Tensor]:
    stored: dict[str, Tensor] = {}
    for name, tensor in state.items():
        tensor = tensor.detach().cpu().contiguous()
        if tensor.ndim < 2 or not tensor.is_floating_point() or dtype == "float32":
            stored[name] = tensor
        elif dtype == "float16":
            stored[name] = tensor.half()
        else:
            stored[name], stored[name + SCALE_SUFFIX] = _quantize(tensor)
    return stored


def _quantize(tensor: Tensor) -> tuple[Tensor, Tensor]:
    """int8 with one scale per output channel, so that scale * int8 is nearest to ``tensor``."""
    scale = tensor.abs().flatten(1).amax(1).clamp_min(torch.finfo(torch.float32).tiny) / 127.0
    shaped = scale.view(-1, *[1] * (tensor.ndim - 1))
    return (tensor / shaped).round().clamp(-127, 127).to(torch.int8), scale


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())

"""Architectures by name and where their first weights come from."""

from __future__ import annotations

from pathlib import Path
from urllib.error import URLError

from embeddings.errors import CheckpointError, InvalidRequestError
from embeddings.models.backbone import Backbone
from embeddings.models.ensemble import BranchedBackbone
from embeddings.models.lite0 import EfficientNetLite0
from embeddings.models.poster_net import NetSpec, PosterNet
from embeddings.models.pretrained import load_into, read_weights
from embeddings.models.scratch import SCRATCH_NETS
from embeddings.models.teachers import InceptionMixed7a, ResNet101V2Stage3
from embeddings.models.torchvision_nets import TorchvisionNet, torchvision_names, torchvision_weights

_FILE_ONLY: dict[str, type[EfficientNetLite0 | InceptionMixed7a | ResNet101V2Stage3]] = {
    "efficientnet_lite0": EfficientNetLite0,
    "inception_v3_mixed7a": InceptionMixed7a,
    "resnet101v2_stage3": ResNet101V2Stage3,
}


def architecture_names() -> tuple[str, ...]:
    """Every name that ``build_model`` knows; two of them joined by ``+`` make a pair."""
    return (*SCRATCH_NETS, *_FILE_ONLY, *torchvision_names())


def build_model(
    arch: str,
    n_genres: int,
    embedding_dim: int = 256,
    *,
    init: str = "none",
    spec: NetSpec | None = None,
) -> PosterNet:
    """Build a net by name.

    Args:
        arch: One of ``architecture_names()``, or several joined by ``+``: features side by side.
        n_genres: Width of the head.
        embedding_dim: Width of the embedding.
        init: ``none``; ``imagenet`` (torchvision downloads its best weights); ``auto``: ``imagenet`` where
            torchvision has weights, ``none`` for nets that are trained from scratch; a torchvision weight
            name such as ``IMAGENET1K_V1``; or a safetensors file. For a pair, one for all or one for
            each, joined by ``+``.
        spec: Everything else (size, dropout, neck); its arch, n_genres and embedding_dim are overridden.

    Raises:
        InvalidRequestError: The name is unknown.
        CheckpointError: The weights are missing or do not fit.
    """
    base = spec or NetSpec(arch, n_genres)
    full = NetSpec(**{**vars(base), "arch": arch, "n_genres": n_genres, "embedding_dim": embedding_dim})
    names = arch.split("+")
    inits = _split_init(init, len(names))
    branches = [_build_backbone(name, full, start) for name, start in zip(names, inits, strict=True)]
    if full.levels:
        for branch in branches:
            branch.read_levels()
    return PosterNet(branches[0] if len(branches) == 1 else BranchedBackbone(branches), full)


def build_from_spec(spec: NetSpec) -> PosterNet:
    """Build the net that ``spec`` describes, with random weights."""
    return build_model(spec.arch, spec.n_genres, spec.embedding_dim, spec=spec)


def check_names(arch: str, init: str) -> None:
    """Refuse what no net can be built from, without building one.

    Raises:
        InvalidRequestError: An architecture or a name of weights is unknown, or there are too few or too many
            sources of weights.
        CheckpointError: A weights file is missing.
    """
    names = arch.split("+")
    for name in names:
        if name not in architecture_names():
            raise _unknown_architecture(name)
    for name, source in zip(names, _split_init(init, len(names)), strict=True):
        _check_source(name, source)


def _check_source(name: str, source: str) -> None:
    if source == "none" or (source == "auto" and name not in _FILE_ONLY) or Path(source).is_file():
        return
    if source.endswith(".safetensors"):
        raise CheckpointError(f"there is no weights file {source}: check the path")
    if name not in torchvision_names():
        raise _only_files(name, source)
    if source not in ("imagenet", "DEFAULT", *torchvision_weights(name)):
        raise _unknown_weights(name, source)


def _split_init(init: str, n: int) -> list[str]:
    parts = [init] if Path(init).is_file() else init.split("+")
    if len(parts) == 1:
        parts = parts * n
    if len(parts) != n:
        raise InvalidRequestError(
            f"{n} architectures got {len(parts)} sources of weights ({init}): give one each"
        )
    return parts


def _build_backbone(name: str, spec: NetSpec, init: str) -> Backbone:
    if name in torchvision_names():
        return _build_torchvision(name, init)
    if name in SCRATCH_NETS:
        backbone: Backbone = SCRATCH_NETS[name](spec)
    elif name in _FILE_ONLY:
        backbone = _FILE_ONLY[name]()
    else:
        raise _unknown_architecture(name)
    if init == "none" or (init == "auto" and name in SCRATCH_NETS):
        return backbone
    if not Path(init).is_file():
        raise _only_files(name, init)
    module = backbone.net if isinstance(backbone, InceptionMixed7a) else backbone
    load_into(module, read_weights(Path(init)), init)
    return backbone


def _build_torchvision(name: str, init: str) -> Backbone:
    if init == "none":
        return TorchvisionNet(name)
    if init.endswith(".safetensors") or Path(init).is_file():
        backbone = TorchvisionNet(name)
        prefixes = (backbone.classifier_name.partition(".")[0], "AuxLogits", "aux")
        load_into(backbone.net, read_weights(Path(init)), init, prefixes)
        return backbone
    weights = "DEFAULT" if init in ("auto", "imagenet") else init
    try:
        return TorchvisionNet(name, weights)
    except (URLError, OSError) as error:
        raise CheckpointError(
            f"the {weights} weights of {name} could not be downloaded ({error}): "
            "connect, or give a safetensors file"
        ) from error
    except (KeyError, ValueError, AttributeError) as error:
        raise _unknown_weights(name, init) from error


def _only_files(name: str, init: str) -> CheckpointError:
    return CheckpointError(
        f"{name} has no downloadable weights and {init!r} is no file: give a safetensors file"
    )


def _unknown_weights(name: str, init: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"torchvision has no weights {init!r} for {name}: give imagenet, none, a file, or one of its names, "
        f"{', '.join(torchvision_weights(name))}",
        "init",
    )


def _unknown_architecture(name: str) -> InvalidRequestError:
    return InvalidRequestError(f"there is no architecture {name!r}: choose one of {_sample_names()}", "arch")


def _sample_names() -> str:
    return (
        ", ".join((*SCRATCH_NETS, *_FILE_ONLY))
        + ", or any torchvision classification model such as mobilenet_v2"
    )

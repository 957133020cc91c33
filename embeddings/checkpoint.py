"""What a checkpoint says about itself: ``checkpoint.json``, read without torch.

A checkpoint is a directory of ``checkpoint.json``, ``model.safetensors`` and
a model card. Nothing in it is executed or unpickled.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import CheckpointError
from embeddings.genres import GenreVocabulary
from embeddings.transforms import Preprocessing

FORMAT_VERSION = 1
MANIFEST_NAME = "checkpoint.json"
WEIGHTS_NAME = "model.safetensors"
BUNDLED = Path(__file__).parent / "weights" / "default"

_MAX_MANIFEST_BYTES = 4_000_000


@dataclass(frozen=True)
class Calibration:
    """Platt scaling: the probability of a genre is sigmoid(scale * logit + bias).

    Args:
        scale: One factor per genre; 1 / T of a temperature T.
        bias: One summand per genre.
    """

    scale: tuple[float, ...]
    bias: tuple[float, ...]

    @classmethod
    def none(cls, n_genres: int) -> Calibration:
        """The plain sigmoid."""
        return cls((1.0,) * n_genres, (0.0,) * n_genres)

    def apply(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Calibrated probabilities, float32, (n, n_genres), of logits (n, n_genres)."""
        scaled = logits.astype(np.float64) * np.asarray(self.scale) + np.asarray(self.bias)
        # The tanh form of the sigmoid neither overflows nor warns.
        probs: NDArray[np.float64] = 0.5 * (1.0 + np.tanh(0.5 * scaled))
        return probs.astype(np.float32)


@dataclass(frozen=True)
class CheckpointManifest:
    """Everything about a checkpoint but its weights.

    Args:
        arch: Name of the architecture.
        net: The other arguments of the net (size, dropout, neck), as ``NetSpec`` names them.
        embedding_dim: Width of the embedding.
        genres: Names of the genres, in column order.
        thresholds: Calibrated probability at and above which each genre is chosen.
        calibration: From logits to probabilities.
        preprocessing: From a poster to the input.
        weights_sha256: Digest of ``model.safetensors``, hexadecimal.
        provenance: Where it comes from: data, split, seed, recipe, date.
        metrics: Figures, with what they were measured on.
        history: How it learnt: one row for each epoch, with ``epoch`` and the figures after it;
            empty where the checkpoint does not tell.
    """

    arch: str
    net: Mapping[str, Any]
    embedding_dim: int
    genres: GenreVocabulary
    thresholds: tuple[float, ...]
    calibration: Calibration
    preprocessing: Preprocessing
    weights_sha256: str = ""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    history: tuple[Mapping[str, float], ...] = ()

    def __post_init__(self) -> None:
        n = len(self.genres)
        for name, values in (
            ("thresholds", self.thresholds),
            ("calibration scales", self.calibration.scale),
            ("calibration biases", self.calibration.bias),
        ):
            if len(values) != n or not np.isfinite(values).all():
                raise ValueError(f"{n} genres need as many finite {name}, got {list(values)!r}")

    @property
    def fingerprint(self) -> str:
        """Digest of all that decides an answer: weights, preprocessing, genres, calibration."""
        decisive = self.to_json()
        for key in ("format_version", "provenance", "metrics", "history", "fingerprint"):
            decisive.pop(key, None)
        text = json.dumps(decisive, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """The content of ``checkpoint.json``, without its fingerprint."""
        content = {f.name: getattr(self, f.name) for f in fields(self)}
        content |= {
            "format_version": FORMAT_VERSION,
            "net": dict(self.net),
            "genres": list(self.genres),
            "thresholds": list(self.thresholds),
            "calibration": {"scale": list(self.calibration.scale), "bias": list(self.calibration.bias)},
            "preprocessing": asdict(self.preprocessing),
            "provenance": dict(self.provenance),
            "metrics": dict(self.metrics),
            "history": [dict(row) for row in self.history],
        }
        return content

    def write(self, directory: Path) -> None:
        """Write ``checkpoint.json`` into ``directory``."""
        content = self.to_json() | {"fingerprint": self.fingerprint}
        text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
        (directory / MANIFEST_NAME).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, directory: Path) -> CheckpointManifest:
        """Read and check ``checkpoint.json``.

        Raises:
            CheckpointError: It is missing, no JSON, of another format version, or a value is unfit.
        """
        path = directory / MANIFEST_NAME
        content = _read_json(path)
        version = content.pop("format_version", None)
        if version != FORMAT_VERSION:
            raise CheckpointError(
                f"{path} has format version {version!r}, this onesheet reads {FORMAT_VERSION}: "
                "use the release that wrote it, or train again"
            )
        stated = content.pop("fingerprint", None)
        try:
            manifest = _parse(content)
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"{path} is unfit ({error}): copy the checkpoint again from its source"
            ) from error
        if stated != manifest.fingerprint:
            raise CheckpointError(f"{path} was changed after it was written: copy the checkpoint again")
        return manifest


def _read_json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MAX_MANIFEST_BYTES:
            raise CheckpointError(f"{path} is larger than any manifest: name a checkpoint directory")
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CheckpointError(
            f"{path.parent} is no checkpoint ({MANIFEST_NAME}: {error.strerror}): name a checkpoint directory"
        ) from error
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is not JSON ({error}): copy the checkpoint again") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path} holds no JSON object: copy the checkpoint again")
    return content


def _parse(content: dict[str, Any]) -> CheckpointManifest:
    known = {f.name for f in fields(CheckpointManifest)}
    content = {"history": []} | content  # checkpoints of the first release do not tell how they learnt
    unknown, missing = set(content) - known, known - set(content)
    if unknown or missing:
        raise ValueError(f"unknown keys {sorted(unknown)}, missing keys {sorted(missing)}")
    for key in ("net", "calibration", "preprocessing", "provenance", "metrics"):
        if not isinstance(content[key], dict):
            raise ValueError(f"{key} must be an object, got {type(content[key]).__name__}")
    for key in ("arch", "weights_sha256"):
        if not isinstance(content[key], str):
            raise ValueError(f"{key} must be text, got {content[key]!r}")
    embedding_dim = content["embedding_dim"]
    if type(embedding_dim) is not int or not 1 <= embedding_dim <= 65_536:
        raise ValueError(f"embedding_dim must be 1 to 65536, got {embedding_dim!r}")
    if not all(isinstance(genre, str) for genre in content["genres"]):
        raise ValueError("genres must be texts")
    calibration = content["calibration"]
    return CheckpointManifest(
        **{
            **content,
            "genres": GenreVocabulary(tuple(content["genres"])),
            "thresholds": _floats(content["thresholds"]),
            "calibration": Calibration(_floats(calibration["scale"]), _floats(calibration["bias"])),
            "preprocessing": Preprocessing(**content["preprocessing"]),
            "history": _epochs(content["history"]),
        }
    )


def _floats(values: object) -> tuple[float, ...]:
    if not isinstance(values, list):
        raise ValueError(f"a list of numbers was expected, got {values!r}")
    return tuple(float(value) for value in values)


def _epochs(rows: object) -> tuple[dict[str, float], ...]:
    if not isinstance(rows, list) or not all(isinstance(row, dict) and "epoch" in row for row in rows):
        raise ValueError(f"history must be a list of epochs, got {rows!r:.80}")
    epochs = tuple({name: float(value) for name, value in row.items()} for row in rows)
    if not np.isfinite([value for row in epochs for value in row.values()]).all():
        raise ValueError("history must hold finite numbers")
    return epochs

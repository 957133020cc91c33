"""Whether a poster shows much lettering: a linear reading of its embedding, kept beside the checkpoint.

``lettering.json`` belongs to one encoder and says so by its fingerprint; after a new training it is
fitted again, on posters that somebody looked at one by one (0: less than a quarter of the poster is
lettering, 1: a quarter, 2: a third or more):

    python -m embeddings.lettering benchmarks/lettering_labels.csv ../shared/data/posters
"""

from __future__ import annotations

import csv
import functools
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from numpy.typing import NDArray

from embeddings.checkpoint import BUNDLED
from embeddings.errors import LabelsError
from embeddings.readings import load_reading

if TYPE_CHECKING:
    from embeddings.encoder import Encoder

LETTERING_NAME = "lettering.json"
CERTAIN = 0.85
"""Probability from which it is said: of unseen posters, some in fifty reach it (``docs/similar.md``)."""
_FOLDS, _LEAST_OF_EACH = 5, 10
_C = 16.0


@dataclass(frozen=True)
class LetteringModel:
    """Logistic regression from embeddings to whether a quarter of the poster is lettering.

    Args:
        fingerprint: Of the encoder whose embeddings it reads.
        weight: embedding_dim numbers.
        bias: One number.
        metrics: How well it does on labelled posters that it was not fitted on.
    """

    fingerprint: str
    weight: list[float]
    bias: float
    metrics: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what is not one row of numbers and a number with a ValueError."""
        if np.asarray(self.weight, np.float32).ndim != 1 or np.asarray(self.bias, np.float32).ndim:
            raise ValueError("its weight is not one row of numbers, or its bias not one number")

    def probs(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """How likely a quarter of each poster or more is lettering, float32, (n,), each in [0, 1].

        Args:
            embeddings: float32, (n, embedding_dim), unit rows.
        """
        logits = embeddings @ self._row + np.float32(self.bias)
        probs: NDArray[np.float32] = 1 / (1 + np.exp(-logits))
        return probs

    def shows_much(self, embeddings: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Whether that is certain, bool, (n,), of embeddings (n, embedding_dim)."""
        certain: NDArray[np.bool_] = self.probs(embeddings) >= CERTAIN
        return certain

    @functools.cached_property
    def _row(self) -> NDArray[np.float32]:
        return np.asarray(self.weight, np.float32)


def find_lettering(directory: Path, fingerprint: str) -> LetteringModel | None:
    """The reading kept in a checkpoint; None where it has none, or one of another encoder.

    Args:
        directory: The checkpoint.
        fingerprint: Of the encoder whose embeddings are to be read.

    Raises:
        CheckpointError: ``lettering.json`` is damaged.
    """
    path = directory / LETTERING_NAME
    try:
        changed = path.stat().st_mtime_ns
    except (FileNotFoundError, NotADirectoryError):
        return None
    model = _read(path, changed)
    return model if model.fingerprint == fingerprint else None


@functools.lru_cache(maxsize=4)
def _read(path: Path, _changed: int) -> LetteringModel:
    cure = (
        f"fit it with `python -m embeddings.lettering LABELS.csv POSTERS_DIR --model {path.parent}`, "
        "or delete it"
    )
    return load_reading(LetteringModel, path, cure)


def fit_lettering(
    embeddings: NDArray[np.float32], grades: NDArray[np.int64], fingerprint: str
) -> LetteringModel:
    """Fit on all labelled posters; each is also judged by a model fitted on four fifths of the others.

    Args:
        embeddings: float32, (n, embedding_dim), unit rows.
        grades: int64, (n,): 0, 1 or 2.
        fingerprint: Of the encoder.

    Raises:
        LabelsError: Fewer than ten posters have much lettering, or have little.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    much = grades >= 1
    if min(much.sum(), (~much).sum()) < _LEAST_OF_EACH:
        raise LabelsError(
            f"of {len(much)} posters {much.sum()} have much lettering: at least "
            f"{_LEAST_OF_EACH} with and {_LEAST_OF_EACH} without are needed"
        )
    regression = LogisticRegression(C=_C, max_iter=1000)
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    unseen = cross_val_predict(regression, embeddings, much, cv=folds, method="predict_proba")[:, 1]
    said = unseen >= CERTAIN
    metrics = {
        "n": len(much),
        "n_much": int(much.sum()),
        "n_said": int(said.sum()),
        "precision": round(float(much[said].mean()), 3) if said.any() else None,
        "recall": round(float(said[much].mean()), 3),
    }
    fitted = regression.fit(embeddings, much)
    weight, bias = fitted.coef_[0].astype(np.float64).round(5).tolist(), round(float(fitted.intercept_[0]), 5)
    return LetteringModel(fingerprint, weight, bias, metrics)


def read_grades(path: Path) -> dict[str, int]:
    """Grades 0 to 2 by movie id, from the columns ``Id`` and ``lettering``.

    Raises:
        LabelsError: A column is missing, or a grade is none of the three.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    try:
        grades = {row["Id"]: int(row["lettering"]) for row in rows}
    except (KeyError, TypeError, ValueError) as error:
        raise LabelsError(
            f"{path} has a row without Id or a whole number as lettering ({error}): see its first lines"
        ) from error
    if wrong := sorted(set(grades.values()) - {0, 1, 2}):
        raise LabelsError(f"{path} grades lettering as {wrong[0]}: 0, 1 and 2 are the grades")
    return grades


def fit_from_grades(encoder: Encoder, grades: Mapping[str, int], posters_dir: Path) -> LetteringModel:
    """Encode the labelled posters that are there, and fit.

    Raises:
        LabelsError: Too few of the posters are there.
    """
    from embeddings.encoded import Poster
    from embeddings.training.labels import find_posters

    paths = find_posters(posters_dir, list(grades))
    encoded = encoder.encode([Poster(movie_id, paths[movie_id]) for movie_id in sorted(paths)])
    found = np.array([grades[movie_id] for movie_id in encoded.movie_ids], dtype=np.int64)
    return fit_lettering(encoded.embeddings, found, encoder.fingerprint)


@click.command()
@click.argument("labels", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("posters_dir", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--model", type=click.Path(file_okay=False, path_type=Path), default=BUNDLED)
def main(labels: Path, posters_dir: Path, model: Path) -> None:
    """Fit lettering.json for a checkpoint."""
    from embeddings.encoder import Encoder

    fitted = fit_from_grades(Encoder.load(model), read_grades(labels), posters_dir)
    (model / LETTERING_NAME).write_text(json.dumps(asdict(fitted)) + "\n", encoding="utf-8")
    click.echo(json.dumps(fitted.metrics))


if __name__ == "__main__":
    main()

"""Which decade a poster looks like: a linear reading of its embedding, kept beside the checkpoint.

``eras.json`` belongs to one encoder and says so by its fingerprint; after a
new training it is fitted again:

    python -m embeddings.eras ../shared/data/labels.csv ../shared/data/posters
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from numpy.typing import NDArray

from embeddings.checkpoint import BUNDLED
from embeddings.errors import CheckpointError, LabelsError
from embeddings.readings import load_reading

if TYPE_CHECKING:
    from embeddings.encoder import Encoder

ERAS_NAME = "eras.json"
_FIRST_DECADE, _LAST_DECADE = 1930, 2010
_TEST_SHARE = 0.2


@dataclass(frozen=True)
class EraModel:
    """Softmax regression from embeddings to decades.

    Args:
        fingerprint: Of the encoder whose embeddings it reads.
        eras: Names, oldest first.
        weight: (embedding_dim, n_eras), as nested lists.
        bias: n_eras numbers.
        metrics: How well it does on posters it has not seen, beside the most frequent era.
    """

    fingerprint: str
    eras: list[str]
    weight: list[list[float]]
    bias: list[float]
    metrics: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse arrays that do not fit the eras with a ValueError."""
        shapes = np.asarray(self.weight, np.float32).shape, np.asarray(self.bias, np.float32).shape
        n_eras = len(self.eras)
        if len(shapes[0]) != 2 or shapes[0][1] != n_eras or shapes[1] != (n_eras,):
            raise ValueError(f"its arrays do not fit its {n_eras} eras")

    def predict(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities, float32, (n, n_eras), rows summing to 1, of embeddings (n, embedding_dim)."""
        logits = embeddings @ np.asarray(self.weight, np.float32) + np.asarray(self.bias, np.float32)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        probs: NDArray[np.float32] = powers / powers.sum(axis=1, keepdims=True)
        return probs

    @classmethod
    def read(cls, directory: Path, fingerprint: str) -> EraModel:
        """Read ``eras.json`` of a checkpoint.

        Raises:
            CheckpointError: There is none, it is damaged, or it was fitted on another encoder.
        """
        path = directory / ERAS_NAME
        cure = f"fit it with `python -m embeddings.eras LABELS.csv POSTERS_DIR --model {directory}`"
        if not path.is_file():
            raise CheckpointError(f"the checkpoint {directory} knows no eras: {cure}")
        model = load_reading(cls, path, cure)
        if model.fingerprint != fingerprint:
            raise CheckpointError(f"{path} was fitted on another encoder: {cure}")
        return model


def era_of(year: int) -> str:
    """Name of the era of a year.

    Example:
        >>> era_of(1987), era_of(1921), era_of(2019)
        ('1980s', 'before 1930', '2010s or later')
    """
    if year < _FIRST_DECADE:
        return f"before {_FIRST_DECADE}"
    return f"{year // 10 * 10}s" if year < _LAST_DECADE else f"{_LAST_DECADE}s or later"


def fit_eras(
    embeddings: NDArray[np.float32], years: NDArray[np.int64], films: NDArray[np.int64], fingerprint: str
) -> EraModel:
    """Fit on four fifths of the films and measure on the others.

    Args:
        embeddings: float32, (n, embedding_dim), unit rows.
        years: int64, (n,).
        films: int64, (n,): posters with the same number stay on one side.
        fingerprint: Of the encoder.

    Raises:
        LabelsError: The years lie in fewer than three eras.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupShuffleSplit

    names = [era_of(y) for y in (_FIRST_DECADE - 1, *range(_FIRST_DECADE, _LAST_DECADE + 1, 10))]
    present = sorted({names.index(era_of(int(year))) for year in years})
    eras = [names[i] for i in present]
    if len(eras) < 3:
        raise LabelsError(
            f"the years lie in {', '.join(eras)}: at least three eras are needed to tell them apart"
        )
    column = np.array([eras.index(era_of(int(year))) for year in years])
    split = GroupShuffleSplit(1, test_size=_TEST_SHARE, random_state=0)
    fitted, unseen = next(split.split(embeddings, column, films))
    model = LogisticRegression(C=10.0, max_iter=2000).fit(embeddings[fitted], column[fitted])
    found = model.predict(embeddings[unseen])
    most_frequent = np.bincount(column[fitted]).argmax()
    metrics = {
        "n_fitted": len(fitted),
        "n_unseen": len(unseen),
        "accuracy": round(float((found == column[unseen]).mean()), 3),
        "within_one_era": round(float((np.abs(found - column[unseen]) <= 1).mean()), 3),
        "accuracy_most_frequent": round(float((column[unseen] == most_frequent).mean()), 3),
        "within_one_era_most_frequent": round(float((np.abs(column[unseen] - most_frequent) <= 1).mean()), 3),
    }
    return EraModel(
        fingerprint, eras, model.coef_.T.round(5).tolist(), model.intercept_.round(5).tolist(), metrics
    )


def fit_from_labels(encoder: Encoder, labels_path: Path, posters_dir: Path, n: int) -> EraModel:
    """Encode posters of movies with a known year, drawn at random, and fit.

    Raises:
        LabelsError: Fewer than 100 of the posters have a year.
    """
    from embeddings.encoded import Poster
    from embeddings.training.labels import find_posters, read_labels

    labels = read_labels(labels_path)
    year_of = dict(zip(labels.movie_ids, labels.years, strict=True))
    title_of = dict(zip(labels.movie_ids, labels.titles, strict=True))
    paths = find_posters(posters_dir, [movie_id for movie_id, year in year_of.items() if year is not None])
    if len(paths) < 100:
        raise LabelsError(f"{labels_path} has a year for {len(paths)} posters: at least 100 are needed")
    drawn = np.random.default_rng(0).permutation(sorted(paths))[:n]
    encoded = encoder.encode([Poster(str(movie_id), paths[movie_id]) for movie_id in drawn])
    titles = [title_of[movie_id].casefold() or movie_id for movie_id in encoded.movie_ids]
    _, films = np.unique(titles, return_inverse=True)
    years = np.array([year_of[movie_id] for movie_id in encoded.movie_ids], dtype=np.int64)
    return fit_eras(encoded.embeddings, years, films, encoder.fingerprint)


@click.command()
@click.argument("labels", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("posters_dir", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--model", type=click.Path(file_okay=False, path_type=Path), default=BUNDLED)
@click.option("-n", "n", type=click.IntRange(100), default=3000, show_default=True, help="Posters to draw.")
def main(labels: Path, posters_dir: Path, model: Path, n: int) -> None:
    """Fit eras.json for a checkpoint."""
    from embeddings.encoder import Encoder

    eras = fit_from_labels(Encoder.load(model), labels, posters_dir, n)
    (model / ERAS_NAME).write_text(json.dumps(asdict(eras)) + "\n", encoding="utf-8")
    click.echo(json.dumps(eras.metrics))


if __name__ == "__main__":
    main()

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from embeddings.eras import ERAS_NAME, EraModel, era_of, fit_eras
from embeddings.errors import CheckpointError, LabelsError


@pytest.fixture(scope="module")
def model() -> EraModel:
    """Fitted where the first three numbers of an embedding tell the era."""
    rng = np.random.default_rng(0)
    era = rng.integers(0, 3, 600)
    embeddings = (np.eye(8)[era] * 3 + rng.normal(size=(600, 8))).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    years = np.array([1925, 1955, 2005])[era]
    return fit_eras(embeddings, years, np.arange(600), "abc")


def test_eras_that_can_be_told_apart_are(model: EraModel) -> None:
    assert model.eras == ["before 1930", "1950s", "2000s"]
    assert model.metrics["accuracy"] > 0.9 > 0.5 > model.metrics["accuracy_most_frequent"]
    probs = model.predict(np.eye(8, dtype=np.float32)[:3])
    assert probs.argmax(1).tolist() == [0, 1, 2]
    assert np.allclose(probs.sum(1), 1)


def test_posters_of_one_film_stay_on_one_side() -> None:
    rng = np.random.default_rng(1)
    films = np.repeat(np.arange(50), 10)
    # Embeddings that tell the film and nothing else cannot tell the era of another film.
    embeddings = np.eye(50, dtype=np.float32)[films]
    years = rng.choice([1935, 1965, 1995], 50)[films]
    assert fit_eras(embeddings, years, films, "abc").metrics["accuracy"] < 0.7


@pytest.mark.parametrize(
    ("year", "era"),
    [
        (1894, "before 1930"),
        (1929, "before 1930"),
        (1930, "1930s"),
        (1999, "1990s"),
        (2010, "2010s or later"),
        (2024, "2010s or later"),
    ],
)
def test_a_year_has_its_era(year: int, era: str) -> None:
    assert era_of(year) == era


def test_fewer_than_three_eras_are_refused() -> None:
    with pytest.raises(LabelsError, match="lie in 1950s: at least three"):
        fit_eras(np.eye(4, dtype=np.float32), np.full(4, 1955), np.arange(4), "abc")


def test_a_model_reads_back_for_its_own_encoder_only(model: EraModel, tmp_path: Path) -> None:
    (tmp_path / ERAS_NAME).write_text(json.dumps(asdict(model)))
    assert EraModel.read(tmp_path, "abc") == model
    with pytest.raises(CheckpointError, match="was fitted on another encoder"):
        EraModel.read(tmp_path, "abd")


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"fingerprint": "abc", "eras": ["a"], "weight": [[1, 2]], "bias": [0]}']
)
def test_a_damaged_file_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / ERAS_NAME).write_text(content)
    with pytest.raises(CheckpointError, match="is damaged"):
        EraModel.read(tmp_path, "abc")

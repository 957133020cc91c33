"""Figures against answers worked out by hand."""

from pathlib import Path

import numpy as np
import pytest

from embeddings.errors import TrainingError
from embeddings.evaluation.document import JudgedPosters, evaluation_document, trivial_rows
from embeddings.evaluation.metrics import adaptive_ece, macro_columns, ranking_metrics
from embeddings.genres import GenreVocabulary
from embeddings.training.labels import read_labels

GENRES = GenreVocabulary(("Comedy", "Drama", "War"))
TARGETS = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 1, 0]], dtype=np.float32)
PROBS = np.array([[0.9, 0.2, 0.1], [0.4, 0.8, 0.2], [0.3, 0.6, 0.1], [0.6, 0.3, 0.1]], dtype=np.float32)
JUDGED = JudgedPosters(
    ("a", "b", "c", "d"), GENRES, TARGETS, PROBS, np.array([0.35, 0.25, 0.15], dtype=np.float32)
)
DOCUMENT = evaluation_document(JUDGED)


def test_genres_that_no_judged_movie_has_are_left_out() -> None:
    assert DOCUMENT["labels"] == ["Comedy", "Drama"]
    assert set(DOCUMENT["per_genre"]) == {"Comedy", "Drama"}


def test_genres_below_five_movies_make_the_headline_only_where_none_has_five() -> None:
    assert DOCUMENT["macro_labels"] == ["Comedy", "Drama"]
    targets = np.zeros((9, 2), dtype=np.float32)
    targets[:5, 0], targets[:4, 1] = 1, 1
    assert macro_columns(targets).tolist() == [0]


def test_f1_uses_the_thresholds() -> None:
    # Comedy >= .35: a, b, d chosen, a and b right: P 2/3, R 1. Drama >= .25: b, c, d chosen, all right.
    comedy, drama = DOCUMENT["per_genre"]["Comedy"], DOCUMENT["per_genre"]["Drama"]
    assert (comedy["precision"], comedy["recall"], comedy["f1"]) == pytest.approx((2 / 3, 1, 0.8))
    assert (drama["precision"], drama["recall"], drama["f1"]) == (1, 1, 1)
    assert DOCUMENT["macro_f1"] == pytest.approx(0.9)
    assert DOCUMENT["micro_f1"] == pytest.approx(2 * 5 / (6 + 5))
    assert comedy["threshold"] == pytest.approx(0.35)


def test_hamming_figures_use_probability_one_half() -> None:
    # At .5: a Comedy, b Drama, c Drama, d Comedy. Wrong: b Comedy missed, d Comedy chosen, d Drama missed.
    assert DOCUMENT["hamming_loss"] == pytest.approx(3 / 8)
    assert DOCUMENT["binary_accuracy"] == pytest.approx(5 / 8)
    assert DOCUMENT["subset_accuracy"] == pytest.approx(2 / 4)
    assert DOCUMENT["hamming_skill"] == pytest.approx(1 - 3 / 5)


def test_mean_average_precision_by_hand() -> None:
    # Comedy ranks a, d, b: (1/1 + 2/3) / 2. Drama ranks b, c, d, a: 1.
    assert DOCUMENT["per_genre"]["Comedy"]["average_precision"] == pytest.approx(5 / 6)
    assert DOCUMENT["mean_average_precision"] == pytest.approx((5 / 6 + 1) / 2)


def test_jaccard_is_the_mean_overlap_of_a_movies_genres() -> None:
    # a {C} = {C}; b {C,D} = {C,D}; c {D} = {D}; d {C,D} against {D}: 1/2.
    assert DOCUMENT["jaccard"] == pytest.approx((1 + 1 + 1 + 0.5) / 4)


def test_brier_skill_is_against_the_best_constant() -> None:
    probs, targets = PROBS[:, :2].astype(float), TARGETS[:, :2]
    brier = ((probs - targets) ** 2).mean()
    assert DOCUMENT["brier"] == pytest.approx(brier)
    assert DOCUMENT["brier_skill"] == pytest.approx(1 - brier / ((0.5 * 0.5 + 0.75 * 0.25) / 2))


def test_ranking_figures_by_hand() -> None:
    figures = ranking_metrics(TARGETS, PROBS)
    assert figures["top_1_accuracy"] == 0.75
    assert figures["top_3_accuracy"] == 1.0
    # b has two genres, both on top; d's one genre is second.
    assert figures["r_precision"] == pytest.approx(0.75)
    assert figures["label_ranking_average_precision"] == pytest.approx((1 + 1 + 1 + 0.5) / 4)


def test_ece_is_the_gap_in_bins_of_equal_size() -> None:
    truth = np.array([0, 0, 1, 1, 1, 0], dtype=float)
    probs = np.array([0.1, 0.1, 0.1, 0.9, 0.9, 0.9])
    # Two bins of three: mean .1 against 1/3, mean .9 against 2/3.
    assert adaptive_ece(truth, probs, 2) == pytest.approx((1 / 3 - 0.1 + 0.9 - 2 / 3) / 2)


def test_ece_of_honest_probabilities_is_nearly_nothing() -> None:
    rng = np.random.default_rng(0)
    probs = rng.random(200_000)
    truth = (rng.random(200_000) < probs).astype(float)
    assert adaptive_ece(truth, probs) < 0.005
    assert adaptive_ece(truth, probs**2) > 0.1


def test_predicting_nothing_has_no_skill_and_no_f1() -> None:
    row = DOCUMENT["trivial"]["all_negative"]
    assert (row["macro_f1"], row["hamming_skill"], row["subset_accuracy"]) == (0, 0, 0)
    assert row["hamming_loss"] == pytest.approx(5 / 8)


def test_predicting_everything_by_hand() -> None:
    row = DOCUMENT["trivial"]["all_positive"]
    # F1 of a genre of share p is 2p / (1 + p).
    assert row["macro_f1"] == pytest.approx((2 * 0.5 / 1.5 + 2 * 0.75 / 1.75) / 2)
    assert row["mean_average_precision"] == pytest.approx((0.5 + 0.75) / 2)


def test_the_most_frequent_predictor_chooses_the_commonest_genre() -> None:
    row = DOCUMENT["trivial"]["most_frequent"]
    # 5 labels on 4 movies: one genre, Drama. Right on b, c, d.
    assert row["micro_f1"] == pytest.approx(2 * 3 / (4 + 5))
    assert row["top_1_accuracy"] == 0.75


def test_a_single_genre_is_judged_as_one_of_many_is() -> None:
    """Two of four chosen are right and one is missed; what is rightly not chosen raises no F1."""
    targets = np.array([[1], [1], [1], [0], [0], [0]], dtype=np.float32)
    probs = np.array([[0.9], [0.8], [0.1], [0.7], [0.6], [0.2]], dtype=np.float32)
    ids = ("a", "b", "c", "d", "e", "f")
    cuts = np.array([0.5], dtype=np.float32)
    document = evaluation_document(JudgedPosters(ids, GenreVocabulary(("War",)), targets, probs, cuts))
    for average in ("micro", "macro", "weighted"):
        assert document[f"{average}_precision"] == pytest.approx(2 / 4)
        assert document[f"{average}_recall"] == pytest.approx(2 / 3)
        assert document[f"{average}_f1"] == pytest.approx(4 / 7)
    assert document["per_genre"]["War"]["f1"] == pytest.approx(4 / 7)
    assert document["samples_f1"] == pytest.approx(2 / 6)
    assert document["trivial"]["all_positive"]["macro_f1"] == pytest.approx(2 * 3 / (3 + 6))
    assert document["trivial"]["all_negative"]["macro_f1"] == 0


def test_every_figure_of_the_contract_is_there() -> None:
    wanted = {"n", "labels", "macro_labels", "macro_f1", "micro_f1", "mean_average_precision", "hamming_loss"}
    wanted |= {
        "hamming_skill",
        "binary_accuracy",
        "subset_accuracy",
        "jaccard",
        "ece",
        "brier",
        "brier_skill",
    }
    wanted |= {"per_genre", "trivial", "cuts"}
    assert wanted <= set(DOCUMENT)
    assert set(DOCUMENT["trivial"]) == {"all_negative", "all_positive", "most_frequent"}
    assert {"precision", "recall", "f1", "average_precision", "support", "threshold"} == set(
        DOCUMENT["per_genre"]["Drama"]
    )


def test_targets_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="expected"):
        JudgedPosters(("a",), GENRES, TARGETS, PROBS, JUDGED.thresholds)
    with pytest.raises(TrainingError, match="none of the 1 judged movies"):
        evaluation_document(JudgedPosters(("a",), GENRES, TARGETS[:1] * 0, PROBS[:1], JUDGED.thresholds))


@pytest.mark.real_data
def test_the_trivial_predictors_on_the_public_table_score_what_is_known(real_data: Path) -> None:
    """Binary accuracy .907 of nothing; micro-F1 .415 of {Drama, Comedy}; macro-F1 .152 of everything."""
    labels = read_labels(real_data / "kaggle_train.csv").labelled()
    vocabulary = GenreVocabulary((*labels.vocabulary().genres, "N/A"))
    targets = labels.targets(vocabulary)
    rows = trivial_rows(targets, np.arange(25))
    assert rows["all_negative"]["binary_accuracy"] == pytest.approx(0.907, abs=0.002)
    assert rows["most_frequent"]["micro_f1"] == pytest.approx(0.415, abs=0.003)
    assert rows["all_positive"]["macro_f1"] == pytest.approx(0.152, abs=0.001)


def test_a_predictor_that_never_looks_gains_nothing_by_the_order_of_the_genres() -> None:
    rng = np.random.default_rng(0)
    targets = (rng.random((400, 9)) < np.linspace(0.02, 0.6, 9)).astype(np.float32)
    constant = np.zeros_like(targets)
    figures = ranking_metrics(targets, constant)
    assert figures == pytest.approx(ranking_metrics(targets[:, ::-1], constant))
    n_true = targets.sum(axis=1)[targets.any(axis=1)]
    assert figures["top_1_accuracy"] == pytest.approx(float((n_true / 9).mean()))
    assert figures["r_precision"] == pytest.approx(float((n_true / 9).mean()))


def test_ties_at_the_border_count_as_the_mean_over_their_orders() -> None:
    targets = np.array([[1, 0, 0, 1]], dtype=np.float32)
    probs = np.array([[0.2, 0.9, 0.2, 0.2]], dtype=np.float32)  # one sure place, three tied for the rest
    figures = ranking_metrics(targets, probs)
    assert figures["top_1_accuracy"] == 0.0
    assert figures["top_3_accuracy"] == pytest.approx(1.0), "two of three places are true, two are filled"
    assert figures["r_precision"] == pytest.approx(2 / 3 / 2)

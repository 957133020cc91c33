from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from embeddings.errors import InvalidRequestError
from indexer.affinities import Affinities
from indexer.types import Ratings, Rows, TasteFactors
from recommender.affinity_model import AffinityModel
from recommender.evaluation import protocol, warm
from recommender.evaluation.cold import judge_cold, lesser_tastes
from recommender.evaluation.data import CatalogData
from recommender.evaluation.genre import judge_genre
from recommender.evaluation.outcome import Outcome, RowResult
from recommender.evaluation.people import People
from recommender.evaluation.protocol import JudgeOptions
from recommender.evaluation.report import as_markdown
from recommender.evaluation.warm import judge_warm
from recommender.taste import TasteModel

ONCE = JudgeOptions(seed=1, repeats=1)


@pytest.fixture
def fitted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Ratings]]:
    """Every table of ratings that any model of taste or affinity was fitted to."""
    seen: list[Ratings] = []
    fit, correlate = TasteModel.fit_ways, AffinityModel.fit

    def spy(self: TasteModel, ratings: Ratings, ways: Sequence[Rows]) -> list[TasteFactors]:
        seen.append(ratings)
        return fit(self, ratings, ways)

    def spy_on_pairs(self: AffinityModel, ratings: Ratings, movie_ids: tuple[str, ...]) -> Affinities:
        seen.append(ratings)
        return correlate(self, ratings, movie_ids)

    monkeypatch.setattr(TasteModel, "fit_ways", spy)  # what ``fit`` calls, too
    monkeypatch.setattr(AffinityModel, "fit", spy_on_pairs)
    models = warm.taste_models()

    def spied(name: str) -> object:
        def fit_one(people: People) -> object:
            ids = np.array([str(i) for i in range(people.values.shape[1])])
            seen.append(people.as_ratings(tuple(ids.tolist())))
            return models[name](people)

        return fit_one

    monkeypatch.setattr(warm, "taste_models", lambda: {name: spied(name) for name in ("als", "cosine")})
    yield seen


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[NDArray[np.str_]]:
    """Names of the people of every group of questions that rows are judged by."""
    names: list[NDArray[np.str_]] = []
    judge = protocol.judge

    def spy(scorer, questions, people, genres):  # type: ignore[no-untyped-def]
        names.append(people.user_ids)
        return judge(scorer, questions, people, genres)

    monkeypatch.setattr(protocol, "judge", spy)
    return names


def figure(outcome: Outcome, row: str) -> float:
    return float(outcome.rows[row].figures(outcome.headline).mean())


@pytest.mark.parametrize("judged", [judge_warm, judge_cold])
def test_nobody_who_is_asked_was_learned_from(judged, large, fitted, asked) -> None:  # type: ignore[no-untyped-def]
    judged(large, None, ONCE)
    tested = set(np.concatenate(asked).tolist())
    assert len(tested) == 18
    assert len(fitted) >= 3
    for ratings in fitted:
        assert not tested & set(ratings.user_ids.tolist())


def test_ratings_of_a_file_are_never_learned_from(data: CatalogData, fitted: list[Ratings]) -> None:
    strangers = People.of_ratings(
        Ratings(
            np.array([f"file:{name}" for name in data.ratings.user_ids], dtype=object),
            data.ratings.movie_ids,
            np.where(data.ratings.values > 4, 5.0, 1.0).astype(np.float32),
            data.ratings.rated_at,
        ),
        data.rows.movie_ids,
    )
    outcome = judge_warm(data, strangers, ONCE)
    assert outcome.people <= set(strangers.user_ids.tolist())
    assert len(outcome.people) > 60
    for ratings in fitted:
        assert not any(name.startswith("file:") for name in ratings.user_ids.tolist())


def test_people_of_the_catalog_under_another_name_are_not_asked(data: CatalogData) -> None:
    renamed = Ratings(
        np.array([f"file:{name}" for name in data.ratings.user_ids], dtype=object),
        data.ratings.movie_ids,
        data.ratings.values,
        data.ratings.rated_at,
    )
    with pytest.raises(InvalidRequestError, match="0 people"):
        judge_warm(data, People.of_ratings(renamed, data.rows.movie_ids), ONCE)


def test_cold_movies_have_no_rating_in_anything_that_is_fitted(
    large: CatalogData, fitted: list[Ratings], monkeypatch: pytest.MonkeyPatch
) -> None:
    cold: list[NDArray[np.int64]] = []
    judge = protocol.judge

    def spy(scorer, questions, people, genres):  # type: ignore[no-untyped-def]
        cold.extend([questions.matched.candidates.ravel(), questions.matched.queries])
        return judge(scorer, questions, people, genres)

    monkeypatch.setattr(protocol, "judge", spy)
    judge_cold(large, None, ONCE)
    movies = {large.rows.movie_ids[i] for i in np.unique(np.concatenate(cold)).tolist()}
    assert len(movies) > 100
    for ratings in fitted:
        assert not movies & set(ratings.movie_ids.tolist())


def test_a_taste_of_less_reads_only_what_it_is_called_after(data: CatalogData) -> None:
    rows, turn = data.rows, np.random.default_rng(5).permutation(len(data))
    assert rows.years is not None
    unrated = np.arange(len(data)) % 3 == 0
    people = People.of_ratings(data.ratings, rows.movie_ids).without_movies(unrated)
    queries = np.flatnonzero(unrated)
    candidates = np.tile(queries, (len(queries), 1))
    plain, other_posters, other_years = (
        {name: row.pairs(queries, candidates) for name, row in lesser_tastes(one, people).items()}
        for one in (rows, replace(rows, visual=rows.visual[turn]), replace(rows, years=rows.years[turn]))
    )
    reads = {
        "taste_of_genres": (False, False),
        "taste_of_genres_and_posters": (True, False),
        "taste_without_posters": (False, True),
    }
    assert set(plain) == set(reads)
    for name, (posters, years) in reads.items():
        assert np.array_equal(plain[name], other_posters[name]) is not posters
        assert np.array_equal(plain[name], other_years[name]) is not years


def test_chance_scores_like_chance_and_taste_finds_the_camp(data: CatalogData) -> None:
    outcome = judge_warm(data, None, JudgeOptions(seed=0, repeats=2))
    assert figure(outcome, "random") == pytest.approx(0.0454, abs=0.03)
    assert figure(outcome, "taste") > 1.3 * figure(outcome, "random")
    assert figure(outcome, "blend_default") > 1.3 * figure(outcome, "random")


def test_the_document_has_what_the_contract_names_and_is_the_same_twice(data: CatalogData) -> None:
    one, two = judge_warm(data, None, ONCE).as_json(), judge_warm(data, None, ONCE).as_json()
    assert json.dumps(one) == json.dumps(two)
    assert {"protocol", "n_users", "n_queries", "rows"} <= set(one)
    rows = one["rows"]
    assert isinstance(rows, dict)
    names = {"random", "popularity", "genre_known", "genre_predicted", "visual", "taste", "blend_default"}
    assert names | {"blend_best"} <= set(rows)
    metrics = {
        "matched_ndcg_at_10",
        "matched_hr_at_10",
        "ndcg_at_10",
        "recall_at_100",
        "coverage",
        "genre_agreement_at_10",
    }
    for row in rows.values():
        assert metrics | {"ci95", "by_decile"} <= set(row)
        low, high = row["ci95"]["matched_ndcg_at_10"]
        assert low <= row["matched_ndcg_at_10"] <= high
        assert len(row["by_decile"]) == 10


def test_tenths_are_means_over_people_as_all_figures_are() -> None:
    outcome = Outcome("warm", "matched_ndcg_at_10", 0)
    # Ann asks three of the first four questions, Bob one; each is right or wrong throughout.
    names = np.array(["ann", "ann", "ann", "bob"] * 10)
    outcome.askers, outcome.popularity = [names], [np.repeat(np.arange(10), 4)]
    right = (names == "ann").astype(float)
    outcome.rows["one"] = RowResult(questions=[right])
    outcome.rows["other"] = RowResult(questions=[0 * right])
    tenths = outcome.by_decile(outcome.rows["one"])
    assert [tenth["matched_ndcg_at_10"] for tenth in tenths] == [0.5] * 10
    gains = outcome.gain_by_decile("one", "other")["tenths"]
    assert isinstance(gains, list)
    assert [(gain["from"], gain["n_queries"]) for gain in gains] == [(i, 4) for i in range(10)]
    assert all(gain["difference"] == gain["ours"] - gain["theirs"] == 0.5 for gain in gains)
    # Two people drawn anew: both may be ann, or both bob.
    assert all(gain["ci95"] == [0.0, 1.0] for gain in gains)


def test_a_report_says_where_the_default_list_is_ahead(data: CatalogData) -> None:
    outcome = judge_warm(data, None, ONCE)
    (comparison,) = outcome.notes["comparisons_by_decile"]  # type: ignore[misc, has-type]
    assert (comparison["row"], comparison["against"]) == ("blend_default", "taste")
    rows = outcome.rows_as_json()
    for tenth, mine in zip(comparison["tenths"], rows["blend_default"]["by_decile"], strict=True):
        assert tenth["ours"] == mine["matched_ndcg_at_10"]
        low, high = tenth["ci95"]
        assert low <= tenth["difference"] <= high
    table = as_markdown(outcome).split("by tenth of the questions")[1]
    assert table.count("\n| ") == 11


def test_genres_are_judged_between_chance_and_the_oracle(data: CatalogData) -> None:
    outcome = judge_genre(data, None, ONCE)
    assert figure(outcome, "oracle") == pytest.approx(1.0)
    assert figure(outcome, "random") == pytest.approx(0.5, abs=0.05)
    assert figure(outcome, "random") + 0.1 < figure(outcome, "visual") < 1.0
    assert figure(outcome, "genre_predicted") > 0.9


def test_true_genres_of_a_file_decide_which_movies_are_judged(data: CatalogData) -> None:
    ids = data.rows.movie_ids
    truth = {ids[i]: frozenset(["Comedy" if i % 2 == 0 else "Drama"]) for i in range(40)}
    outcome = judge_genre(data, truth, ONCE)
    assert outcome.notes["n_movies"] == 40
    swapped = {ids[i]: frozenset(["Comedy" if i < 20 else "Drama"]) for i in range(40)}
    assert (
        figure(judge_genre(data, swapped, ONCE), "genre_predicted") < figure(outcome, "genre_predicted") - 0.2
    )


def test_each_split_by_genre_asks_and_answers_with_four_fifths_of_the_films(data: CatalogData) -> None:
    one, other = (judge_genre(data, None, JudgeOptions(seed=seed, repeats=1)) for seed in (0, 1))
    n_films = len(np.unique(data.films))
    asked = [set(outcome.rows["visual"].metrics[outcome.headline][0].names) for outcome in (one, other)]
    assert asked[0] != asked[1]
    films = dict(zip(data.rows.movie_ids, data.films.tolist(), strict=True))
    for names in asked:
        mine = {films[name] for name in names}
        assert len(mine) == round(0.8 * n_films)
        assert names == {name for name, film in films.items() if film in mine}


def test_too_few_movies_are_refused_with_a_sentence(data: CatalogData) -> None:
    with pytest.raises(InvalidRequestError, match="at least 11"):
        judge_genre(data, {"tt0000001": frozenset(["Drama"])}, ONCE)

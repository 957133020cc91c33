from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from embeddings.encoded import Poster
from embeddings.errors import InvalidRequestError, NotFoundError, PosterError, SnapshotError
from embeddings.lettering import LetteringModel
from indexer.catalog import MovieFacts
from indexer.publish import publish_catalog
from indexer.snapshots import open_store
from recommender.copies import COPY_COSINE
from recommender.defaults import OPENING, POOL
from recommender.recommender import Recommender
from recommender.types import Filters, RatedMovie, SimilarRequest, Weights

EVEN, ODD = "tt0000004", "tt0000003"


def ids(answer) -> list[str]:
    return [result.movie_id for result in answer.results]


def camp(movie_id: str) -> int:
    return int(movie_id[2:]) % 2


def test_movies_of_the_same_camp_come_first_and_the_query_itself_never(home) -> None:
    answer = home.recommender.similar(SimilarRequest(like=(EVEN,), k=10))
    assert len(answer.results) == 10
    assert EVEN not in ids(answer)
    assert {camp(movie_id) for movie_id in ids(answer)} == {0}


@pytest.mark.parametrize("weights", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1), (6, 3, 1)])
def test_the_answer_is_that_of_brute_force_over_every_row(home, weights) -> None:
    view = home.recommender.reader.view()
    every = [movie_id.decode() for movie_id in view.facts.movie_ids]
    rows = view.find_rows(every)
    shares = np.array(weights) / sum(weights)
    spreads, means = np.array(view.manifest.spreads), np.nanmean(view.random_pairs(), axis=0)
    at = every.index(EVEN)
    expected = {}
    for i, movie_id in enumerate(every):
        blocks = [
            float(b[i] @ b[at]) if rows.known[i, s] else float(means[s])
            for s, b in enumerate((rows.visual, rows.genre, rows.taste))
        ]
        if movie_id != EVEN and rows.known[i][shares > 0].any():
            expected[movie_id] = round(float((shares / spreads) @ np.array(blocks)), 6)
    best = sorted(expected, key=lambda m: (-expected[m], m))[:15]
    answer = home.recommender.similar(SimilarRequest(like=(EVEN,), k=15, weights=Weights(*weights)))
    np.testing.assert_allclose([expected[m] for m in ids(answer)], [expected[m] for m in best], atol=2e-6)


def test_weights_in_force_sum_to_one_and_leave_out_what_the_query_lacks(home) -> None:
    answer = home.recommender.similar(SimilarRequest(like=("tt0000008",), weights=Weights(2, 1, 1)))
    np.testing.assert_allclose(answer.weights.as_tuple(), (0.0, 0.5, 0.5))


def test_scores_fall_are_shares_and_say_the_same_in_percent(home) -> None:
    answer = home.recommender.similar(SimilarRequest(like=(EVEN,), k=50))
    scores = [result.score for result in answer.results]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    assert all(r.percentile == pytest.approx(100 * r.score, abs=1e-3) for r in answer.results)


def test_a_least_score_cuts_on_the_scale_that_is_shown(home) -> None:
    every = home.recommender.similar(SimilarRequest(like=(EVEN,), k=100))
    cut = home.recommender.similar(SimilarRequest(like=(EVEN,), k=100, filters=Filters(min_score=0.6)))
    assert ids(cut) == [r.movie_id for r in every.results if r.score >= 0.6]
    assert 0 < len(cut.results) < len(every.results)


def test_filters_apply_before_the_k_are_taken(home) -> None:
    filters = Filters(genres=("drama",), year_min=1960, year_max=1999, exclude=("tt0000011",))
    answer = home.recommender.similar(SimilarRequest(like=(EVEN,), k=15, filters=filters))
    assert len(answer.results) == 15
    assert all(camp(m) == 1 and 10 <= int(m[2:]) <= 49 and m != "tt0000011" for m in ids(answer))


def test_a_known_genre_gives_its_name_a_predicted_one_says_so(home) -> None:
    answer = home.recommender.similar(SimilarRequest(like=(EVEN,), k=59))
    genre_reason = {
        r.movie_id: reason for r in answer.results for reason in r.reasons if reason.kind == "genre"
    }
    assert genre_reason["tt0000010"].text == "Both Comedy, Romance"
    assert genre_reason["tt0000010"].data["source"] == {"query": "known", "result": "known"}
    assert genre_reason["tt0000006"].text.startswith("Both look like ")
    assert genre_reason["tt0000006"].data["source"] == {"query": "known", "result": "predicted"}


def test_how_many_people_liked_both_is_counted_from_the_ratings(home) -> None:
    answer = home.recommender.similar(SimilarRequest(like=(EVEN,), k=59))
    stored = home.catalog.ratings()
    liked = {}
    for user, movie, value in zip(stored.user_ids, stored.movie_ids, stored.values, strict=True):
        if value >= 4:
            liked.setdefault(movie, set()).add(user)
    said = {r.movie_id: x for r in answer.results for x in r.reasons if x.kind == "co_liked"}
    assert said
    for movie_id in ids(answer):
        n = len(liked.get(EVEN, set()) & liked.get(movie_id, set()))
        assert (said[movie_id].data["n_people"] if movie_id in said else 0) == n


def test_every_result_has_a_reason_and_unrated_movies_say_that_their_taste_is_predicted(home) -> None:
    answer = home.recommender.similar(SimilarRequest(like=(EVEN,), k=59))
    assert all(result.reasons for result in answer.results)
    predicted = {r.movie_id for r in answer.results for x in r.reasons if x.kind == "taste_predicted"}
    rated = {r.movie_id for r in answer.results for x in r.reasons if x.kind == "taste"}
    assert all(int(m[2:]) >= 50 for m in predicted)
    assert all(int(m[2:]) < 50 for m in rated)


def test_a_collection_comes_first_or_not_at_all_whatever_its_movies_are_called(own_home) -> None:
    # The camps share no genre; "Night Train 2" is of another collection than "Night Train".
    members = {"tt0000000": "Rails Collection", "tt0000031": "rails", "tt0000044": "Rails", "tt0000002": "No"}
    facts = [MovieFacts(movie_id, collection=name) for movie_id, name in members.items()]
    own_home.catalog.upsert_movies(facts, "nfo")
    asked = SimilarRequest(like=("tt0000000",), k=10, series="first")
    answer = own_home.recommender.similar(asked)
    assert set(ids(answer)[:3]) == {"tt0000031", "tt0000044", "tt0000030"}
    assert "tt0000002" not in ids(answer)[:3]
    said = {one.movie_id: one.reasons[0].text for one in answer.results[:3]}
    assert said == {
        "tt0000031": "Same collection: rails",
        "tt0000044": "Same collection: Rails",
        "tt0000030": "Same series, by title",
    }
    hidden = own_home.recommender.similar(replace(asked, k=59, series="hide"))
    assert {"tt0000031", "tt0000044", "tt0000030"}.isdisjoint(ids(hidden))
    assert len(hidden.results) == 56
    neutral = own_home.recommender.similar(replace(asked, k=59, series="neutral"))
    told = {one.movie_id for one in neutral.results if one.reasons[0].kind == "collection"}
    assert told == {"tt0000031", "tt0000044"}


@pytest.mark.parametrize(("series", "expected"), [("first", [True, True]), ("hide", [False, False])])
def test_movies_of_the_series_come_first_or_not_at_all(home, series: str, expected: list[bool]) -> None:
    answer = home.recommender.similar(SimilarRequest(like=("tt0000000",), k=10, series=series))
    members = {"tt0000002", "tt0000030"}
    assert [m in ids(answer) for m in sorted(members)] == expected
    if series == "first":
        assert set(ids(answer)[:2]) == members
    assert len(answer.results) == 10
    assert len(set(ids(answer))) == 10


def test_of_near_identical_posters_one_is_shown_and_the_page_stays_full(home) -> None:
    plain = home.recommender.similar(SimilarRequest(like=(EVEN,), k=58, weights=Weights(1, 0, 0)))
    once = home.recommender.similar(
        SimilarRequest(like=(EVEN,), k=57, weights=Weights(1, 0, 0), collapse_duplicates=True)
    )
    assert {"tt0000020", "tt0000022"} <= set(ids(plain))
    assert len({"tt0000020", "tt0000022"} & set(ids(once))) == 1
    assert len(once.results) == 57
    of_twin = home.recommender.similar(SimilarRequest(like=("tt0000020",), k=58, collapse_duplicates=True))
    assert "tt0000022" not in ids(of_twin)


def test_diversity_changes_the_list_and_keeps_the_closest_movie_on_top(home) -> None:
    plain = home.recommender.similar(SimilarRequest(like=(EVEN,), k=10))
    varied = home.recommender.similar(SimilarRequest(like=(EVEN,), k=10, diversity=0.7))
    assert ids(plain)[0] == ids(varied)[0]
    assert set(ids(plain)) != set(ids(varied))


def test_more_like_several_and_less_like_another(home) -> None:
    both = home.recommender.similar(SimilarRequest(like=(EVEN, ODD), k=20))
    assert {camp(m) for m in ids(both)} == {0, 1}
    assert all(r.reasons[0].kind == "closest" for r in both.results)
    less = home.recommender.similar(SimilarRequest(like=(EVEN, ODD), unlike=("tt0000009",), k=20))
    assert sum(camp(m) for m in ids(less)) < sum(camp(m) for m in ids(both))
    assert not {EVEN, ODD, "tt0000009"} & set(ids(less))


def test_a_poster_finds_its_own_movie_first_and_says_what_it_predicts(home) -> None:
    poster = (home.settings.home / "drawn" / "tt0000012.jpg").read_bytes()
    answer = home.recommender.similar(SimilarRequest(poster=poster, k=5, weights=Weights(1, 0, 0)))
    assert ids(answer)[0] == "tt0000012"
    assert answer.results[0].score == pytest.approx(1.0, abs=1e-3)
    assert set(answer.predicted_genres) == set(home.encoder.genres)


def test_a_copy_of_a_poster_opens_its_list_with_the_movie_whatever_the_weights_learned(taught_home) -> None:
    recommender = taught_home.recommender
    poster = (taught_home.settings.home / "drawn" / "tt0000012.jpg").read_bytes()
    answer = recommender.similar(SimilarRequest(poster=poster, k=60))
    first = answer.results[0]
    assert first.movie_id == "tt0000012"
    assert (first.reasons[0].kind, first.reasons[0].text) == ("artwork", "Nearly the same poster")
    assert first.reasons[0].data["cosine"] >= COPY_COSINE
    assert 0.98 < first.score <= 1
    copies = {r.movie_id for r in answer.results if any(x.kind == "artwork" for x in r.reasons)}
    assert {r.movie_id for r in answer.results[: len(copies)]} == copies
    scores = [r.score for r in answer.results]
    assert scores == sorted(scores, reverse=True)
    # A movie that is filtered out is not brought back.
    without = SimilarRequest(poster=poster, k=60, filters=Filters(exclude=("tt0000012",)))
    assert "tt0000012" not in ids(recommender.similar(without))


def test_a_poster_gets_the_row_that_its_movie_would_get(home) -> None:
    poster = (home.settings.home / "drawn" / "tt0000007.jpg").read_bytes()
    by_id = home.recommender.similar(SimilarRequest(like=("tt0000007",), k=50, weights=Weights(1, 1, 0)))
    by_poster = home.recommender.similar(SimilarRequest(poster=poster, k=51, weights=Weights(1, 1, 0)))
    assert [m for m in ids(by_poster) if m != "tt0000007"][:20] == ids(by_id)[:20]


def test_a_person_is_recommended_what_they_did_not_rate(home) -> None:
    ratings = [RatedMovie(f"tt{i:07d}", 5.0 if i % 2 else 1.0) for i in range(10)] + [
        RatedMovie("tt9999999", 4)
    ]
    answer = home.recommender.recommend(ratings, SimilarRequest(k=20))
    assert all(int(m[2:]) >= 10 and camp(m) == 1 for m in ids(answer))


def test_a_person_who_rated_nothing_we_have_is_told_so(home) -> None:
    with pytest.raises(InvalidRequestError, match="none of the rated movies"):
        home.recommender.recommend([RatedMovie("tt9999999", 4)])


def test_prediction_names_every_genre_and_the_chosen_ones(home) -> None:
    prediction = home.recommender.predict((home.settings.home / "drawn" / "tt0000012.jpg").read_bytes())
    assert tuple(prediction.genre_probs) == home.encoder.genres.genres
    assert all((p > 0.6) == (g in prediction.chosen) for g, p in prediction.genre_probs.items())


def test_the_same_question_gets_the_same_document(home) -> None:
    request = SimilarRequest(like=(EVEN, ODD), unlike=("tt0000009",), k=20, diversity=0.3)
    first, second = (home.recommender.similar(request).as_json() | {"took_ms": 0} for _ in range(2))
    assert json.dumps(first) == json.dumps(second)


def test_a_movie_that_is_not_there_is_named(home) -> None:
    with pytest.raises(NotFoundError, match="tt7654321"):
        home.recommender.similar(SimilarRequest(like=("tt7654321",)))


def test_a_picture_that_cannot_be_read_is_one_sentence(home) -> None:
    with pytest.raises(PosterError, match="JPEG, PNG nor WebP"):
        home.recommender.similar(SimilarRequest(poster=b"not a picture"))


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (SimilarRequest(), "like"),
        (SimilarRequest(like=(EVEN,), k=0), "k"),
        (SimilarRequest(like=(EVEN,), k=201), "k"),
        (SimilarRequest(like=(EVEN,), diversity=1.5), "diversity"),
        (SimilarRequest(like=(EVEN,), diversity=float("nan")), "diversity"),
        (SimilarRequest(like=(EVEN,), filters=Filters(min_score=2.0)), "min_score"),
        (SimilarRequest(like=(EVEN,), series="last"), "series"),
        (SimilarRequest(like=(EVEN,), unlike=(EVEN,)), "unlike"),
        (SimilarRequest(like=(EVEN,), weights=Weights(0, 0, 0)), "weights"),
    ],
)
def test_a_value_outside_what_is_allowed_is_refused_by_name(home, request_, field: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        home.recommender.similar(request_)
    assert caught.value.field == field


def test_a_movie_removed_a_moment_ago_is_not_answered(own_home) -> None:
    before = own_home.recommender.similar(SimilarRequest(like=(EVEN,), k=3))
    own_home.catalog.remove_movies([ids(before)[0]])
    after = own_home.recommender.similar(SimilarRequest(like=(EVEN,), k=3))
    assert ids(after)[:2] == ids(before)[1:]
    with pytest.raises(NotFoundError):
        own_home.recommender.similar(SimilarRequest(like=(ids(before)[0],)))


def test_without_ratings_taste_has_no_weight(own_home) -> None:
    catalog = own_home.catalog
    catalog.activate(own_home.encoder.fingerprint, None)
    answer = own_home.recommender.similar(SimilarRequest(like=(EVEN,), k=5))
    assert len(answer.results) == 5


def test_threads_get_the_answers_that_one_thread_gets(own_home, open_home) -> None:
    requests = [
        SimilarRequest(like=(f"tt{i:07d}",), k=8, diversity=0.2 * (i % 3), collapse_duplicates=i % 2 == 0)
        for i in range(24)
    ]
    with ThreadPoolExecutor(max_workers=6) as pool:
        together = list(pool.map(own_home.recommender.similar, requests))
    fresh = open_home(own_home.settings)
    for request, answer in zip(requests, together, strict=True):
        assert fresh.recommender.similar(request).results == answer.results
    fresh.catalog.close()


def test_the_encoder_is_loaded_once_and_not_before_a_picture_comes(home) -> None:
    loaded = []
    recommender = Recommender(home.catalog, home.recommender.reader, lambda: loaded.append(1) or home.encoder)
    recommender.similar(SimilarRequest(like=(EVEN,)))
    assert not loaded
    poster = (home.settings.home / "drawn" / "tt0000012.jpg").read_bytes()
    recommender.similar(SimilarRequest(poster=poster))
    recommender.predict(poster)
    assert loaded == [1]


def test_lettering_is_told_by_what_was_fitted_on_the_encoder_of_the_index(home) -> None:
    """Here what looks like the red posters, those of even numbers, counts as full of letters."""
    red, blue = ((home.settings.home / "drawn" / f"tt00000{n}.jpg").read_bytes() for n in (12, 13))
    looks = home.encoder.encode([Poster("red", red), Poster("blue", blue)]).embeddings
    asked_for = []

    def find(fingerprint: str) -> LetteringModel:
        asked_for.append(fingerprint)
        return LetteringModel(fingerprint, (20 * (looks[0] - looks[1])).tolist(), 0.0)

    recommender = Recommender(
        home.catalog, home.recommender.reader, lambda: home.encoder, find_lettering=find
    )
    lettered = {f"tt{i:07d}" for i in range(0, 60, 2)} - {"tt0000008"}  # 8 has no poster
    for request in (SimilarRequest(like=(EVEN,), k=60), SimilarRequest(poster=red, k=60)):
        answer = recommender.similar(request)
        said = {r.movie_id for r in answer.results for x in r.reasons if "much lettering" in x.text}
        assert said == lettered & set(ids(answer))
        assert said
    assert "much lettering" not in str(recommender.similar(SimilarRequest(like=(ODD,), k=60)))
    assert set(asked_for) == {home.encoder.fingerprint}


def test_a_picture_for_an_index_of_another_encoder_is_refused(home) -> None:
    class Other(type(home.encoder)):
        fingerprint = "0" * 64

    recommender = Recommender(home.catalog, home.recommender.reader, Other)
    poster = (home.settings.home / "drawn" / "tt0000012.jpg").read_bytes()
    with pytest.raises(SnapshotError, match=r"onesheet reindex"):
        recommender.similar(SimilarRequest(poster=poster))


LEARNED = {"rated": (0.2, 0.6, 0.2), "rated_rest": (0.0, 0.1, 0.9)}


@pytest.fixture
def taught_home(own_home):  # type: ignore[no-untyped-def]
    """A home whose snapshot has learned weights of opening and rest."""
    active = own_home.catalog.active()
    assert active.fingerprint is not None
    store = open_store(own_home.settings)
    publish_catalog(own_home.catalog, store, active.fingerprint, active.taste_model, LEARNED)
    return own_home


def test_a_movie_whose_genres_nobody_told_is_asked_by_weights_of_its_own(own_home) -> None:
    active, store = own_home.catalog.active(), open_store(own_home.settings)
    assert active.fingerprint is not None
    learned = {"rated": (0.2, 0.6, 0.2), "rated_untold": (0.5, 0.1, 0.4), "poster": (0.6, 0.3, 0.1)}
    publish_catalog(own_home.catalog, store, active.fingerprint, active.taste_model, learned)

    def weights(**question: object) -> tuple[float, float, float]:
        return own_home.recommender.similar(SimilarRequest(**question)).weights.as_tuple()

    assert weights(like=("tt0000003",)) == pytest.approx(learned["rated"])
    assert weights(like=("tt0000005",)) == pytest.approx(learned["rated_untold"])
    assert weights(like=("tt0000003", "tt0000005", "tt0000007")) == pytest.approx(learned["rated_untold"])
    poster = (own_home.settings.home / "drawn" / "tt0000004.jpg").read_bytes()
    assert weights(poster=poster) == pytest.approx(learned["poster"])


def test_a_page_of_ten_has_those_of_the_nearest_that_its_weights_put_first(taught_home) -> None:
    ask = taught_home.recommender.similar
    answer = ask(SimilarRequest(like=(EVEN,), k=OPENING))
    assert answer.weights.as_tuple() == pytest.approx(LEARNED["rated"])
    near = ids(ask(SimilarRequest(like=(EVEN,), k=POOL, weights=answer.rest_weights)))
    by_opening = ask(SimilarRequest(like=(EVEN,), k=200, weights=answer.weights)).results
    first = tuple(result for result in by_opening if result.movie_id in near)[:OPENING]
    assert answer.results == first


def test_a_longer_default_list_goes_on_by_the_weights_of_the_rest_and_says_so(taught_home) -> None:
    ask = taught_home.recommender.similar
    answer = ask(SimilarRequest(like=(EVEN,), k=30))
    assert answer.rest_weights == Weights(*LEARNED["rated_rest"])
    first = ids(ask(SimilarRequest(like=(EVEN,), k=OPENING)))
    behind = ids(ask(SimilarRequest(like=(EVEN,), k=60, weights=answer.rest_weights)))
    assert ids(answer) == first + [m for m in behind if m not in first][: 30 - OPENING]
    scores = [result.score for result in answer.results]
    assert scores == sorted(scores, reverse=True)
    document = answer.as_json()
    assert document["rest_weights"] == {"visual": 0.0, "genre": 0.1, "taste": 0.9}


def test_weights_that_are_asked_for_order_the_whole_list(taught_home) -> None:
    answer = taught_home.recommender.similar(SimilarRequest(like=(EVEN,), k=50, weights=Weights(1, 1, 1)))
    assert answer.rest_weights is None
    ten = taught_home.recommender.similar(SimilarRequest(like=(EVEN,), k=10, weights=Weights(1, 1, 1)))
    assert ids(answer)[:10] == ids(ten)


def test_a_person_is_answered_by_the_weights_of_the_opening_throughout(taught_home) -> None:
    rated = [RatedMovie(EVEN, 5.0), RatedMovie("tt0000006", 4.5)]
    answer = taught_home.recommender.recommend(rated, SimilarRequest(k=20))
    assert answer.weights.as_tuple() == pytest.approx(LEARNED["rated"])
    assert answer.rest_weights is None
    asked = taught_home.recommender.recommend(rated, SimilarRequest(k=20, weights=Weights(0, 1, 0)))
    assert asked.weights.as_tuple() == (0, 1, 0)

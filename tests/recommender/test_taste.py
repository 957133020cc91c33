from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from indexer.taste_map import ERA_DIM, PREDICTED_LENGTH, predict_taste, unit_rows
from indexer.types import Ratings, Rows
from recommender.taste import TasteConfig, TasteModel

CONFIG = TasteConfig(als_dim=8, neighbour_dim=8, iterations=10)


def two_camps(n_users: int = 60, n_movies: int = 80, seed: int = 0) -> tuple[Ratings, Rows]:
    """A checkerboard: even people like even movies; the poster and genre tell the camp. Ten are unrated."""
    rng = np.random.default_rng(seed)
    users, movies, values = [], [], []
    for user in range(n_users):
        for movie in range(n_movies - 10):
            if rng.random() < 0.5:
                users.append(f"u{user:03d}")
                movies.append(f"tt{movie:07d}")
                values.append(4.5 if user % 2 == movie % 2 else 1.0)
    camp = np.arange(n_movies) % 2
    visual = np.zeros((n_movies, 4), dtype=np.float32)
    visual[np.arange(n_movies), camp] = 1.0
    genre = visual[:, :2].copy()
    rows = Rows(
        tuple(f"tt{i:07d}" for i in range(n_movies)),
        visual,
        genre,
        np.zeros((n_movies, 0), dtype=np.float32),
        np.tile([True, True, False], (n_movies, 1)),
        np.zeros(n_movies, dtype=np.int32),
    )
    ratings = Ratings(
        np.array(users, dtype=object),
        np.array(movies, dtype=object),
        np.array(values, dtype=np.float32),
        np.zeros(len(users), dtype=np.int64),
    )
    return ratings, rows


def test_movies_liked_by_the_same_people_are_close_and_others_are_not() -> None:
    ratings, rows = two_camps()
    factors = unit_rows(TasteModel(CONFIG).fit(ratings, rows).factors)
    similar = factors[:70] @ factors[:70].T
    same = np.equal.outer(np.arange(70) % 2, np.arange(70) % 2)
    assert similar[same].mean() > 0.9
    assert similar[~same].mean() < similar[same].mean() - 0.3


def test_a_movie_nobody_rated_is_placed_by_its_poster_and_genres() -> None:
    ratings, rows = two_camps()
    fitted = TasteModel(CONFIG).fit(ratings, rows)
    assert (fitted.n_ratings[70:] == 0).all()
    rated, unrated = unit_rows(fitted.factors[:70]), unit_rows(fitted.factors[70:])
    camps = unrated @ rated.T
    for i in range(10):
        assert camps[i, i % 2 :: 2].mean() > camps[i, (i + 1) % 2 :: 2].mean() + 0.15


def test_factors_are_at_most_unit_rows_in_the_order_of_the_movies() -> None:
    ratings, rows = two_camps()
    fitted = TasteModel(CONFIG).fit(ratings, rows)
    assert fitted.movie_ids == rows.movie_ids
    assert fitted.factors.dtype == np.float32
    lengths = np.linalg.norm(fitted.factors, axis=1)
    assert lengths.max() <= 1.0 + 1e-6
    np.testing.assert_allclose(lengths[70:], PREDICTED_LENGTH, atol=1e-6)
    assert fitted.map.shape == (4 + 2 + ERA_DIM + 1, 16)


def test_what_people_rated_in_one_go_is_closer_than_what_they_rated_years_apart() -> None:
    # Everybody rates all forty movies; in the order of the first half, then of the second.
    rng = np.random.default_rng(5)
    n_users, n_movies = 40, 40
    order = np.stack([np.r_[rng.permutation(20), 20 + rng.permutation(20)] for _ in range(n_users)])
    swapped = rng.random(n_users) < 0.5
    order[swapped] = np.roll(order[swapped], 20, axis=1)
    _, rows = two_camps(n_movies=n_movies)
    rows = replace(rows, visual=np.ones_like(rows.visual) / 2, genre=np.zeros_like(rows.genre))
    table = Ratings(
        np.repeat([f"u{i:02d}" for i in range(n_users)], n_movies).astype(object),
        np.array(rows.movie_ids, dtype=object)[order.ravel()],
        rng.choice([3.0, 4.0, 5.0], n_users * n_movies).astype(np.float32),
        np.tile(1_000 + np.arange(n_movies), n_users),
    )
    half = np.arange(n_movies) < 20
    same = np.equal.outer(half, half) & ~np.eye(n_movies, dtype=bool)

    def lead(ratings: Ratings) -> float:
        fitted = TasteModel(CONFIG).fit(ratings, rows)
        assert fitted is not None
        cosines = unit_rows(fitted.factors) @ unit_rows(fitted.factors).T
        return float(cosines[same].mean() - cosines[~same & ~np.eye(n_movies, dtype=bool)].mean())

    untimed = replace(table, rated_at=np.zeros_like(table.rated_at))
    assert lead(table) > lead(untimed) + 0.1


def test_the_same_ratings_give_the_same_bytes_in_any_order() -> None:
    ratings, rows = two_camps()
    mixed = np.random.default_rng(1).permutation(len(ratings))
    shuffled = Ratings(
        *(c[mixed] for c in (ratings.user_ids, ratings.movie_ids, ratings.values, ratings.rated_at))
    )
    one, two = TasteModel(CONFIG).fit(ratings, rows), TasteModel(CONFIG).fit(shuffled, rows)
    assert one.factors.tobytes() == two.factors.tobytes()
    assert one.map.tobytes() == two.map.tobytes()
    assert one.model_id == two.model_id


def test_other_settings_are_another_model() -> None:
    ratings, rows = two_camps()
    one = TasteModel(CONFIG).fit(ratings, rows)
    two = TasteModel(TasteConfig(als_dim=8, neighbour_dim=8, iterations=10, kappa=6.0)).fit(ratings, rows)
    assert one.model_id != two.model_id


def test_too_few_ratings_give_no_taste_at_all() -> None:
    ratings, rows = two_camps(n_users=2)
    assert TasteModel(CONFIG).fit(ratings, rows) is None
    nothing = Ratings(
        *(c[:0] for c in (ratings.user_ids, ratings.movie_ids, ratings.values, ratings.rated_at))
    )
    assert TasteModel(CONFIG).fit(nothing, rows) is None


def test_a_movie_without_poster_genres_and_ratings_has_no_taste() -> None:
    ratings, rows = two_camps()
    rows.visual[75] = 0
    rows.genre[75] = 0
    fitted = TasteModel(CONFIG).fit(ratings, rows)
    assert not fitted.factors[75].any()
    assert fitted.factors[74].any()


def test_ratings_of_movies_outside_the_catalog_still_shape_the_model() -> None:
    ratings, rows = two_camps()
    half = rows.take(np.arange(40, dtype=np.int64))
    fitted = TasteModel(CONFIG).fit(ratings, half)
    assert fitted.movie_ids == half.movie_ids
    all_of_them = TasteModel(CONFIG).fit(ratings, rows)
    np.testing.assert_array_equal(fitted.n_ratings, all_of_them.n_ratings[:40])


@pytest.mark.parametrize("n", [0, 3])
def test_predicting_any_number_of_movies_keeps_the_width(n: int) -> None:
    predicted = predict_taste(
        np.ones((n, 4), np.float32), np.ones((n, 2), np.float32), np.ones((7 + ERA_DIM, 8), np.float32)
    )
    assert predicted.shape == (n, 8)
    assert predicted.dtype == np.float32


def test_fame_does_not_lengthen_a_row_but_being_liked_beside_movies_of_like_fame_does() -> None:
    rng = np.random.default_rng(5)
    ratings, rows = two_camps(n_users=80)
    # Movies 0 to 9 are rated by three times as many people as the others of their camps.
    fans = [
        (f"v{user}", f"tt{movie:07d}") for user in range(160) for movie in range(10) if rng.random() < 0.5
    ]
    users, movies = zip(*fans, strict=True)
    famous = Ratings(
        np.concatenate([ratings.user_ids, np.array(users, dtype=object)]),
        np.concatenate([ratings.movie_ids, np.array(movies, dtype=object)]),
        np.concatenate([ratings.values, np.full(len(fans), 3.0, dtype=np.float32)]),
        np.zeros(len(ratings) + len(fans), dtype=np.int64),
    )
    config = replace(CONFIG, fame_window=9, fame_power=0.0)
    lengths = np.linalg.norm(TasteModel(config).fit(famous, rows).factors, axis=1)
    assert lengths[:10].mean() == pytest.approx(lengths[10:70].mean(), rel=0.25)
    assert lengths.max() <= 1.0

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from indexer.affinities import Agreement
from indexer.types import Movie
from recommender.pictures import Picture
from recommender.reasons import Answered, Asked, reasons_for

QUERY = Movie("tt1", "Night Train", 1990, ("Comedy", "Sci-Fi"), n_ratings=9, artwork_group=4)
ASKED = Asked(QUERY.genres, True, QUERY, Picture({"red": 0.5, "blue": 0.3}, 20.0, False))


def answered(movie: Movie, shares=(0.5, 0.5, 0.5), gains=(0.1, 0.1, 0.1), **more) -> Answered:
    return Answered(movie, more.pop("picture", None), shares, gains, **more)


def texts(reasons) -> list[str]:
    return [reason.text for reason in reasons]


def test_shared_genres_are_named_in_the_order_of_the_query() -> None:
    other = Movie("tt2", "Elsewhere", genres=("Action", "Comedy", "Sci-Fi"), n_ratings=3)
    assert texts(reasons_for(ASKED, answered(other))) == ["Both Comedy, Sci-Fi"]


def test_predicted_genres_are_said_to_look_so() -> None:
    other = Movie("tt2", "Elsewhere", chosen_genres=("Sci-Fi",), n_ratings=3)
    [reason] = reasons_for(ASKED, answered(other))
    assert reason.text == "Both look like Sci-Fi"
    assert reason.data["source"] == {"query": "known", "result": "predicted"}


def test_what_weighs_most_is_said_first() -> None:
    other = Movie("tt2", "Elsewhere", genres=("Comedy",), n_ratings=5)
    shares = (0.995, 0.9, 0.999)
    look_first = reasons_for(ASKED, answered(other, shares, (3.0, 1.0, 2.0), n_co_liked=41))
    assert texts(look_first) == [
        "Looks closer than 99.5 % of pairs",
        "41 people liked both",
        "Liked by like-minded people: closer than 99.9 % of pairs",
        "Both Comedy",
    ]
    assert texts(reasons_for(ASKED, answered(other, shares, (1.0, 3.0, 2.0))))[0] == "Both Comedy"


@pytest.mark.parametrize(
    ("share", "said"), [(0.99996, "99.9"), (1.0, "100"), (0.9, "90"), (0.9799999, "97.9")]
)
def test_percentiles_are_rounded_down(share: float, said: str) -> None:
    other = Movie("tt2", "Elsewhere", n_ratings=1)
    [reason] = reasons_for(ASKED, answered(other, (share, 0.1, 0.1)))
    assert reason.text == f"Looks closer than {said} % of pairs"


def test_a_signal_that_is_not_notable_gives_no_reason_beside_others() -> None:
    other = Movie("tt2", "Elsewhere", genres=("Comedy",), n_ratings=3)
    assert texts(reasons_for(ASKED, answered(other, (0.85, 0.5, 0.6)))) == ["Both Comedy"]


def test_where_nothing_is_notable_the_closest_signal_speaks() -> None:
    other = Movie("tt2", "Elsewhere", n_ratings=3)
    assert texts(reasons_for(ASKED, answered(other, (0.61, 0.3, 0.2)))) == ["Looks closer than 61 % of pairs"]
    assert texts(reasons_for(ASKED, answered(other, (np.nan, 0.5, np.nan)))) == [
        "Genres closer than 50 % of pairs"
    ]


@pytest.mark.parametrize(
    ("shares", "kind", "said"),
    [
        ((0.0, 0.0, 0.0), "look", "No closer than most pairs in look, genre or taste"),
        ((0.1, np.nan, 0.499), "taste", "No closer than most pairs in look or taste"),
        ((np.nan, 0.3, np.nan), "genre", "No closer than most pairs in genre"),
    ],
)
def test_a_result_with_nothing_in_common_is_said_to_be_no_closer_than_most(
    shares: tuple[float, ...], kind: str, said: str
) -> None:
    [reason] = reasons_for(ASKED, answered(Movie("tt2", "Elsewhere", n_ratings=5), shares))
    assert (reason.kind, reason.text) == (kind, said)
    assert reason.data == {"percentile": np.floor(1000 * np.nanmax(shares)) / 10}


def test_a_taste_that_is_far_and_was_predicted_is_not_called_that_of_people() -> None:
    unrated, shares = Movie("tt2", "Elsewhere", n_ratings=0), (0.1, np.nan, 0.4)
    for asked in (ASKED, Asked((), False)):
        [reason] = reasons_for(asked, answered(unrated, shares))
        assert reason.kind == "taste_predicted"
        assert reason.text == "No closer than most pairs in look or taste"


@pytest.mark.parametrize(
    ("n_ratings", "how"), [(0, "predicted"), (1, "mostly predicted"), (4, "mostly predicted")]
)
@pytest.mark.parametrize(
    ("genres", "year", "has_poster", "source"),
    [
        (("Comedy",), 1987, True, "poster, genres and year"),
        ((), 1987, True, "poster and year"),
        ((), None, True, "poster"),
        (("Comedy",), None, False, "genres"),
    ],
)
def test_a_taste_that_few_ratings_made_is_said_to_be_predicted_and_from_what(
    n_ratings: int, how: str, genres: tuple[str, ...], year: int | None, has_poster: bool, source: str
) -> None:
    other = Movie("tt2", "Elsewhere", year, genres, n_ratings=n_ratings)
    reason = reasons_for(ASKED, answered(other, (0.1, 0.1, 0.95), (0, 0, 1), has_poster=has_poster))[0]
    assert reason.kind == "taste_predicted"
    assert reason.text == f"Taste {how} from its {source}: closer than 95 % of pairs"
    assert reason.data == {"percentile": 95.0, "predicted": ["result"]}


def test_a_movie_that_the_map_cannot_place_has_the_taste_of_its_few_ratings() -> None:
    unseen = Movie("tt2", "Elsewhere", n_ratings=1)
    [reason] = reasons_for(ASKED, answered(unseen, (np.nan, np.nan, 0.95), has_poster=False))
    assert reason.text == "Liked by like-minded people: closer than 95 % of pairs"


def test_one_person_is_not_people() -> None:
    other = Movie("tt2", "Elsewhere", n_ratings=3)
    assert "1 person liked both" in texts(reasons_for(ASKED, answered(other, n_co_liked=1)))


def test_series_and_equal_artwork_stand_first() -> None:
    other = Movie("tt2", "Night Train 2", genres=("Comedy",), n_ratings=3, artwork_group=4)
    assert texts(reasons_for(ASKED, answered(other)))[:2] == [
        "Same series, by title",
        "Nearly the same poster",
    ]


def test_a_shared_collection_is_said_by_name_and_before_any_title() -> None:
    asked = replace(ASKED, movie=replace(QUERY, collection="Night Train Collection"))
    other = Movie("tt2", "The Sleeper", genres=("Comedy",), collection="night train")
    first, *others = reasons_for(asked, answered(other))
    assert (first.kind, first.text) == ("collection", "Same collection: night train")
    assert first.data == {"collections": ["Night Train Collection", "night train"]}
    assert [one.kind for one in others] == ["genre"]
    for title in ("Night Train", "Night Train 2"):
        found = reasons_for(asked, answered(replace(other, title=title)))
        assert [one.kind for one in found] == ["collection", "genre"]


def test_movies_of_two_collections_are_not_said_to_be_a_series() -> None:
    asked = replace(ASKED, movie=replace(QUERY, collection="Night Train Collection"))
    other = Movie("tt2", "Night Train 2", genres=("Comedy",), collection="Trains Collection")
    assert texts(reasons_for(asked, answered(other))) == ["Both Comedy"]
    namesake = replace(other, title="Night Train")
    assert texts(reasons_for(asked, answered(namesake))) == ["Same title", "Both Comedy"]
    unnamed = replace(other, collection=None)
    assert texts(reasons_for(asked, answered(unnamed)))[0] == "Same series, by title"


def test_a_namesake_is_said_to_have_the_same_title_and_no_series() -> None:
    first, *others = reasons_for(ASKED, answered(Movie("tt2", "The night train", 2015, ("Comedy",))))
    assert (first.kind, first.text) == ("title", "Same title")
    assert first.data == {"titles": ["Night Train", "The night train"]}
    assert [one.kind for one in others] == ["genre"]


def test_movies_that_people_rate_alike_say_how_many_people_that_was_seen_by() -> None:
    other = Movie("tt2", "Elsewhere", genres=("Comedy",), n_ratings=3)
    first, *_ = reasons_for(ASKED, answered(other, agreement=Agreement(0.5678, 179)))
    assert first.kind == "rated_alike"
    assert first.text == "The 179 people who rated both tend to agree on them"
    assert first.data == {"n_people": 179, "correlation": 0.56}


def test_two_movies_without_artwork_group_are_not_called_alike() -> None:
    alone = Asked((), False, Movie("tt1", "Night Train"), None)
    assert all(r.kind != "artwork" for r in reasons_for(alone, answered(Movie("tt2", "Elsewhere"))))


def test_what_both_pictures_show_is_said() -> None:
    other = Movie("tt2", "Elsewhere", n_ratings=3)
    dark_red = Picture({"red": 0.4, "green": 0.3}, 22.0, False)
    assert "Both posters: dark, red" in texts(reasons_for(ASKED, answered(other, picture=dark_red)))


def test_much_lettering_is_said_where_both_posters_show_it() -> None:
    other = Movie("tt2", "Elsewhere", n_ratings=3)
    lettered = replace(ASKED, lettered=True)
    dark = Picture({}, 22.0, False)
    both = reasons_for(lettered, answered(other, picture=dark, lettered=True))
    assert [(r.kind, r.text) for r in both] == [("picture", "Both posters: much lettering, dark")]
    assert both[0].data == {"words": ["much lettering", "dark"]}
    assert texts(reasons_for(lettered, answered(other, lettered=True))) == ["Both posters: much lettering"]
    for asked, result in ((ASKED, True), (lettered, False)):
        found = reasons_for(asked, answered(other, picture=dark, lettered=result))
        assert texts(found) == ["Both posters: dark"]


def test_a_movie_that_shares_nothing_known_has_no_reason() -> None:
    assert reasons_for(Asked((), False), answered(Movie("tt2", "E"), (np.nan,) * 3, (np.nan,) * 3)) == ()


def test_taste_of_a_query_nobody_rated_is_said_to_be_predicted() -> None:
    picture, unrated = Asked((), False), Asked((), False, Movie("tt1", "New"))
    rated, unknown = Movie("tt2", "Elsewhere", n_ratings=5), Movie("tt3", "Newer")
    for asked in (picture, unrated):
        [reason] = reasons_for(asked, answered(rated, (0.1, 0.1, 0.95)))
        assert reason.text == "Fits the taste predicted for the query: closer than 95 % of pairs"
        assert reason.data["predicted"] == ["query"]
        [reason] = reasons_for(asked, answered(unknown, (0.1, 0.1, 0.95)))
        assert reason.text == "Predicted to please the same people: closer than 95 % of pairs"
        assert reason.data["predicted"] == ["query", "result"]


def test_taste_of_a_query_that_few_rated_is_said_to_be_mostly_predicted() -> None:
    few = Asked(("Comedy",), True, Movie("tt1", "New", genres=("Comedy",), n_ratings=4))
    [reason] = reasons_for(few, answered(Movie("tt2", "Elsewhere", n_ratings=5), (0.1, 0.1, 0.95)))
    assert reason.text == "Fits the taste mostly predicted for the query: closer than 95 % of pairs"
    [reason] = reasons_for(few, answered(Movie("tt3", "Newer"), (0.1, 0.1, 0.95)))
    assert reason.text == "Mostly predicted to please the same people: closer than 95 % of pairs"
    assert reason.data["predicted"] == ["query", "result"]

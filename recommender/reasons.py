"""Why a movie is in the list: short sentences, each computed from what the catalog holds."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from indexer.affinities import Agreement
from indexer.types import Movie
from recommender.pictures import Picture, shared_words
from recommender.series import of_one_series
from recommender.types import Reason

_NOTABLE_SHARE = 0.9
_HALF = 0.5
_TASTE = 2
_KINDS = ("look", "genre", "taste")  # of the reasons that a signal alone gives
# Few reasons are different, and every answer has dozens: each is made once. Nobody writes to them.
_KEPT = 4096


@dataclass(frozen=True)
class Asked:
    """The query as reasons see it: a movie of the catalog, or a picture.

    Args:
        genres: Its known genres, else those its poster speaks for.
        genres_known: Whether the genres are known.
        movie: None for a picture.
        picture: What its poster shows; None without one.
        lettered: Whether a quarter or more of its poster is lettering, for certain.
    """

    genres: tuple[str, ...]
    genres_known: bool
    movie: Movie | None = None
    picture: Picture | None = None
    lettered: bool = False


@dataclass(frozen=True)
class Answered:
    """One result as reasons see it.

    Args:
        movie: The movie.
        picture: What its poster shows; None without one.
        shares: Share of random pairs below this pair's cosine, three, by signal, NaN where unknown.
        contributions: What each signal adds to the score beyond an average pair, NaN where unknown.
        n_co_liked: How many people liked both.
        has_poster: Whether its poster is in the index.
        agreement: How alike people rate both; None where that is not known to be more than chance.
        lettered: Whether a quarter or more of its poster is lettering, for certain.
    """

    movie: Movie
    picture: Picture | None
    shares: Sequence[float]
    contributions: Sequence[float]
    n_co_liked: int = 0
    has_poster: bool = True
    agreement: Agreement | None = None
    lettered: bool = False


def reasons_for(asked: Asked, answered: Answered) -> tuple[Reason, ...]:
    """Everything that speaks for one result, what weighs most first.

    Series, equal artwork and being rated alike stand before the signals, which follow
    by what each adds to the score; a signal that adds nothing gives no reason unless
    there is no other.
    """
    by_signal = (_look(asked, answered), _genre(asked, answered), _taste(asked, answered))
    losses = [math.inf if math.isnan(gain) else -gain for gain in answered.contributions]
    found = _kinship(asked, answered)
    for i in sorted(range(len(losses)), key=losses.__getitem__):
        found += by_signal[i]
    return tuple(found or _closest_signal(asked, answered))


def _kinship(asked: Asked, answered: Answered) -> list[Reason]:
    if asked.movie is None:
        return []
    found = []
    if of_one_series(asked.movie, answered.movie):
        found.append(Reason("series", "Same series", {"titles": [asked.movie.title, answered.movie.title]}))
    group = asked.movie.artwork_group
    if group is not None and group == answered.movie.artwork_group:
        found.append(Reason("artwork", "Nearly the same poster", {"artwork_group": group}))
    if answered.agreement is not None:
        found.append(_agreement_reason(answered.agreement))
    return found


@functools.lru_cache(maxsize=_KEPT)
def _agreement_reason(agreement: Agreement) -> Reason:
    data: dict[str, object] = {
        "n_people": agreement.n_people,
        "correlation": math.floor(100 * agreement.correlation) / 100,
    }
    return Reason(
        "rated_alike", f"The {agreement.n_people} people who rated both tend to agree on them", data
    )


def _genre(asked: Asked, answered: Answered) -> list[Reason]:
    movie = answered.movie
    theirs = movie.genres or movie.chosen_genres
    shared = tuple([genre for genre in asked.genres if genre in theirs])
    return [_genre_reason(shared, asked.genres_known, bool(movie.genres))] if shared else []


@functools.lru_cache(maxsize=_KEPT)
def _genre_reason(shared: tuple[str, ...], query_known: bool, result_known: bool) -> Reason:
    both = "Both" if query_known and result_known else "Both look like"
    source = {"query": _source(query_known), "result": _source(result_known)}
    return Reason("genre", f"{both} {', '.join(shared)}", {"genres": list(shared), "source": source})


def _look(asked: Asked, answered: Answered) -> list[Reason]:
    found = []
    share = answered.shares[0]
    if share >= _NOTABLE_SHARE:
        found.append(_percentile_reason("look", "Looks closer than {} % of pairs", share))
    words = shared_words(asked.picture, answered.picture) if asked.picture and answered.picture else ()
    if asked.lettered and answered.lettered:
        words = ("much lettering", *words)
    return [*found, _picture_reason(words)] if words else found


@functools.lru_cache(maxsize=_KEPT)
def _picture_reason(words: tuple[str, ...]) -> Reason:
    return Reason("picture", f"Both posters: {', '.join(words)}", {"words": list(words)})


def _taste(asked: Asked, answered: Answered) -> list[Reason]:
    found = [_co_liked_reason(answered.n_co_liked)] if answered.n_co_liked else []
    share = answered.shares[2]
    return [*found, _taste_reason(asked, answered, share)] if share >= _NOTABLE_SHARE else found


@functools.lru_cache(maxsize=_KEPT)
def _co_liked_reason(n_people: int) -> Reason:
    people = "1 person" if n_people == 1 else f"{n_people} people"
    return Reason("co_liked", f"{people} liked both", {"n_people": n_people})


def _taste_reason(asked: Asked, answered: Answered, share: float) -> Reason:
    """A movie nobody rated has a predicted taste, and the reason says whose was predicted."""
    its = None if answered.movie.n_ratings else "poster" if answered.has_poster else "genres"
    if _both_rated(asked, answered):
        return _percentile_reason("taste", "Liked by like-minded people: closer than {} % of pairs", share)
    return _predicted_taste_reason(its, _is_rated(asked.movie), _tenths(share))


def _both_rated(asked: Asked, answered: Answered) -> bool:
    return _is_rated(asked.movie) and _is_rated(answered.movie)


def _is_rated(movie: Movie | None) -> bool:
    return movie is not None and movie.n_ratings > 0


@functools.lru_cache(maxsize=_KEPT)
def _predicted_taste_reason(its: str | None, query_is_rated: bool, tenths: int) -> Reason:
    predicted = [name for name, rated in (("query", query_is_rated), ("result", its is None)) if not rated]
    text = {
        ("query",): "Fits the taste predicted for the query: closer than {} % of pairs",
        ("result",): f"Taste predicted from its {its}: closer than {{}} % of pairs",
        ("query", "result"): "Predicted to please the same people: closer than {} % of pairs",
    }[tuple(predicted)]
    percent = tenths / 10
    return Reason(
        "taste_predicted", text.format(f"{percent:g}"), {"percentile": percent, "predicted": predicted}
    )


def _closest_signal(asked: Asked, answered: Answered) -> list[Reason]:
    """The signal that speaks most for a result of which nothing notable can be said."""
    known = [i for i, share in enumerate(answered.shares) if not math.isnan(share)]
    if not known:
        return []
    best = max(known, key=answered.shares.__getitem__)
    share = answered.shares[best]
    if share < _HALF:
        kind = "taste_predicted" if best == _TASTE and not _both_rated(asked, answered) else _KINDS[best]
        return [_far_reason(kind, tuple(known), _tenths(share))]
    if best == _TASTE:
        return [_taste_reason(asked, answered, share)]
    text = ("Looks closer than {} % of pairs", "Genres closer than {} % of pairs")[best]
    return [_percentile_reason(_KINDS[best], text, share)]


@functools.lru_cache(maxsize=_KEPT)
def _far_reason(kind: str, known: tuple[int, ...], tenths: int) -> Reason:
    """What is true of a result that only fills the list: no signal puts it nearer than chance would."""
    *others, last = (_KINDS[i] for i in known)
    signals = f"{', '.join(others)} or {last}" if others else last
    return Reason(kind, f"No closer than most pairs in {signals}", {"percentile": tenths / 10})


def _percentile_reason(kind: str, text: str, share: float) -> Reason:
    return _share_reason(kind, text, _tenths(share))


@functools.lru_cache(maxsize=_KEPT)
def _share_reason(kind: str, text: str, tenths: int) -> Reason:
    percent = tenths / 10
    return Reason(kind, text.format(f"{percent:g}"), {"percentile": percent})


def _tenths(share: float) -> int:
    """Tenths of a percent, rounded down: "closer than 100 %" would claim more than was measured."""
    return math.floor(share * 1000)


def _source(known: bool) -> str:
    return "known" if known else "predicted"


def of_several(reasons: Sequence[Reason], anchor: Movie) -> tuple[Reason, ...]:
    """Reasons of a query of several movies: said of the one that is closest to this result."""
    closest = Reason("closest", f"Closest to {anchor.title}", {"movie_id": anchor.movie_id})
    return (closest, *reasons)

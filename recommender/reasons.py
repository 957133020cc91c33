"""Why a movie is in the list: short sentences, each computed from what the catalog holds."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from indexer.affinities import Agreement
from indexer.taste_map import EVEN_RATINGS
from indexer.types import Movie
from recommender.pictures import Picture, shared_words
from recommender.series import of_one_series, same_collection, same_title
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
        copies: For a picture, movies whose poster it is, with the cosine of their looks.
    """

    genres: tuple[str, ...]
    genres_known: bool
    movie: Movie | None = None
    picture: Picture | None = None
    lettered: bool = False
    copies: Mapping[str, float] = field(default_factory=dict)


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
    data: dict[str, object]
    if asked.movie is None:
        look = asked.copies.get(answered.movie.movie_id)
        data = {} if look is None else {"cosine": math.floor(100 * look) / 100}
        return [Reason("artwork", "Nearly the same poster", data)] if data else []
    found = []
    titles = [asked.movie.title, answered.movie.title]
    if same_collection(asked.movie, answered.movie):
        data = {"collections": [asked.movie.collection, answered.movie.collection]}
        found.append(Reason("collection", f"Same collection: {answered.movie.collection}", data))
    elif of_one_series(asked.movie, answered.movie):
        found.append(Reason("series", "Same series, by title", {"titles": titles}))
    elif same_title(*titles):
        found.append(Reason("title", "Same title", {"titles": titles}))
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
    """A taste that was predicted, wholly or more than half, is said to be, and whose."""
    theirs = answered.movie
    described = answered.has_poster or bool(theirs.genres)
    query, result = _foretold(asked.movie, _is_described(asked)), _foretold(theirs, described)
    if not query and not result:
        return _percentile_reason("taste", "Liked by like-minded people: closer than {} % of pairs", share)
    told = (("poster", answered.has_poster), ("genres", bool(theirs.genres)), ("year", bool(theirs.year)))
    source = tuple(name for name, known in told if known)
    return _predicted_taste_reason(query, result, source, _tenths(share))


def _foretold(movie: Movie | None, is_described: bool) -> str:
    """``predicted``, ``mostly predicted``, or empty where people's ratings count at least as much."""
    if movie is None or not movie.n_ratings:
        return "predicted"
    return "mostly predicted" if is_described and movie.n_ratings < EVEN_RATINGS else ""


def _is_described(asked: Asked) -> bool:
    return bool(asked.genres) or asked.movie is None or asked.movie.poster is not None


@functools.lru_cache(maxsize=_KEPT)
def _predicted_taste_reason(query: str, result: str, source: tuple[str, ...], tenths: int) -> Reason:
    both = "predicted" if query == result == "predicted" else "mostly predicted"
    text = {
        (True, False): f"Fits the taste {query} for the query",
        (False, True): f"Taste {result}" + (f" from its {_listed(source, 'and')}" if source else ""),
        (True, True): f"{both.capitalize()} to please the same people",
    }[bool(query), bool(result)]
    percent = tenths / 10
    predicted = [name for name, how in (("query", query), ("result", result)) if how]
    data: dict[str, object] = {"percentile": percent, "predicted": predicted}
    return Reason("taste_predicted", f"{text}: closer than {percent:g} % of pairs", data)


def _closest_signal(asked: Asked, answered: Answered) -> list[Reason]:
    """The signal that speaks most for a result of which nothing notable can be said."""
    known = [i for i, share in enumerate(answered.shares) if not math.isnan(share)]
    if not known:
        return []
    best = max(known, key=answered.shares.__getitem__)
    share = answered.shares[best]
    if share < _HALF:
        kind = _taste_reason(asked, answered, share).kind if best == _TASTE else _KINDS[best]
        return [_far_reason(kind, tuple(known), _tenths(share))]
    if best == _TASTE:
        return [_taste_reason(asked, answered, share)]
    text = ("Looks closer than {} % of pairs", "Genres closer than {} % of pairs")[best]
    return [_percentile_reason(_KINDS[best], text, share)]


@functools.lru_cache(maxsize=_KEPT)
def _far_reason(kind: str, known: tuple[int, ...], tenths: int) -> Reason:
    """What is true of a result that only fills the list: no signal puts it nearer than chance would."""
    signals = _listed([_KINDS[i] for i in known], "or")
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


def _listed(words: Sequence[str], joined_by: str) -> str:
    *others, last = words
    return f"{', '.join(others)} {joined_by} {last}" if others else last


def _source(known: bool) -> str:
    return "known" if known else "predicted"


def of_several(reasons: Sequence[Reason], anchor: Movie) -> tuple[Reason, ...]:
    """Reasons of a query of several movies: said of the one that is closest to this result."""
    closest = Reason("closest", f"Closest to {anchor.title}", {"movie_id": anchor.movie_id})
    return (closest, *reasons)

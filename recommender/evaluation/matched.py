"""Questions with one right answer among a hundred movies of like fame.

On a full ranking fame wins: popularity alone beats every measure of likeness,
because what people rated is mostly what everybody rated. So a movie that a
person liked asks, another one that the same person liked must be found, and
the 99 movies beside it are those nearest to it in popularity that the person
did not rate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.evaluation.people import People

N_OTHERS = 99
LEAST_ABOVE = 50


@dataclass(frozen=True)
class Matched:
    """m questions.

    Args:
        people: int64, (m,), who liked both movies, as position in the people asked.
        queries: int64, (m,), the movie that asks, as position in the catalog's rows.
        candidates: int64, (m, 100), the movie to be found first, then the others.
        n_left_out: Pairs of liked movies that could not be matched.
    """

    people: NDArray[np.int64]
    queries: NDArray[np.int64]
    candidates: NDArray[np.int64]
    n_left_out: int = 0

    def __len__(self) -> int:
        return len(self.queries)

    def take(self, positions: NDArray[np.int64] | NDArray[np.bool_]) -> Matched:
        """Some of the questions."""
        return Matched(self.people[positions], self.queries[positions], self.candidates[positions])


@dataclass(frozen=True)
class MatchRules:
    """How questions are drawn.

    Args:
        per_person: Pairs of liked movies that are drawn per person.
        least_above: Unrated movies more popular than the one to be found that there must be; without
            them its fame alone would tell it, so the pair is left out and counted.
        balanced: Place the window of 99 at random around the movie to be found; else take the 99
            nearest, which for the most popular movies are all less popular.
    """

    per_person: int = 30
    least_above: int = LEAST_ABOVE
    balanced: bool = True


def draw_matched(
    people: People,
    popularity: NDArray[np.int64],
    films: NDArray[np.int64],
    allowed: NDArray[np.bool_],
    rng: np.random.Generator,
    rules: MatchRules = MatchRules(),
) -> Matched:
    """Draw the questions.

    Args:
        people: Whose likings ask.
        popularity: Ratings of each movie by others, (n_movies,).
        films: Film of each movie, (n_movies,): editions of one film, or one artwork, share a number
            and never ask for each other.
        allowed: bool, (n_movies,), which movies may ask, be found, or stand beside.
        rng: Decides the pairs, the order of equally popular movies, and the windows.
        rules: How.
    """
    by_fame = _by_popularity(popularity, allowed, rng)
    place = np.full(len(popularity), -1, dtype=np.int64)
    place[by_fame] = np.arange(len(by_fame))
    rows: list[tuple[int, int, NDArray[np.int64]]] = []
    left_out = 0
    for person in range(len(people)):
        liked = np.sort(people.liked(person))
        liked = liked[place[liked] >= 0]
        if len(liked) < 2:
            continue
        unrated = np.ones(len(by_fame), dtype=bool)
        rated = place[people.rated(person)]
        unrated[rated[rated >= 0]] = False
        for _ in range(rules.per_person):
            query, target = rng.choice(liked, 2, replace=False).tolist()
            others = _others(by_fame, unrated, place[target], rng, rules)
            if others is None or films[query] == films[target]:
                left_out += 1
            else:
                rows.append((person, query, np.concatenate([[target], others])))
    return _assemble(rows, left_out)


def _by_popularity(
    popularity: NDArray[np.int64], allowed: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.int64]:
    movies = np.flatnonzero(allowed)
    return np.asarray(movies[np.lexsort((rng.random(len(movies)), popularity[movies]))])


def _others(
    by_fame: NDArray[np.int64],
    unrated: NDArray[np.bool_],
    place: int,
    rng: np.random.Generator,
    rules: MatchRules,
) -> NDArray[np.int64] | None:
    """The 99 beside a movie; None where it cannot be matched."""
    below = by_fame[:place][unrated[:place]][::-1][:N_OTHERS]
    above = by_fame[place:][unrated[place:]][:N_OTHERS]
    if not rules.balanced:
        mixed = np.stack([below[: len(above)], above[: len(below)]], 1).ravel()
        rest = below[len(above) :] if len(below) > len(above) else above[len(below) :]
        nearest = np.concatenate([mixed, rest])[:N_OTHERS]
        return nearest if len(nearest) == N_OTHERS else None
    if len(above) < rules.least_above or len(below) < N_OTHERS:
        return None
    n_above = min(int(rng.integers(N_OTHERS + 1)), len(above))
    return np.concatenate([above[:n_above], below[: N_OTHERS - n_above]])


def _assemble(rows: list[tuple[int, int, NDArray[np.int64]]], left_out: int) -> Matched:
    if not rows:
        empty = np.empty(0, dtype=np.int64)
        return Matched(empty, empty, np.empty((0, N_OTHERS + 1), dtype=np.int64), left_out)
    people, queries, candidates = zip(*rows, strict=True)
    return Matched(np.array(people), np.array(queries), np.stack(candidates), left_out)

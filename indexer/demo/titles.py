"""Two hundred invented movies: titles, years, genres and series, from a seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

# Genre -> (second genres it likes, first words, second words). Titles are made of both lists.
_WORDS: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "Horror": (
        ("Thriller", "Mystery"),
        ("Hollow", "Pale", "Whispering", "Buried", "Crooked", "Midnight"),
        ("House", "Harvest", "Cellar", "Orchard", "Parish", "Lullaby"),
    ),
    "Sci-Fi": (
        ("Adventure", "Action"),
        ("Orbit", "Titan", "Parallax", "Signal", "Quantum", "Far"),
        ("Nine", "Descending", "Protocol", "Meridian", "Colony", "Engine"),
    ),
    "Romance": (
        ("Drama", "Comedy"),
        ("Letters to", "A Summer in", "Waltz for", "Always", "The Heart of", "Dear"),
        ("Clara", "Lisbon", "Two", "September", "Juliette", "Ravenna"),
    ),
    "Western": (
        ("Action", "Drama"),
        ("Red", "Last Train to", "Dry", "The Sheriff of", "Seven for", "Lonesome"),
        ("Creek", "Abilene", "Canyon", "Dustwater", "Yuma", "Mesa"),
    ),
    "Animation": (
        ("Family", "Comedy"),
        ("Pip and the", "The Brave Little", "Captain", "Bubbles the", "Hello,", "Tiny"),
        ("Moon Mice", "Teapot", "Marmalade", "Whale", "Robot", "Dragonfly"),
    ),
    "Action": (
        ("Thriller", "Crime"),
        ("Full", "Hard", "Zero", "Final", "Iron", "Strike"),
        ("Throttle", "Impact", "Hour", "Verdict", "Fury", "Force"),
    ),
    "Crime": (
        ("Thriller", "Drama"),
        ("The Long", "City of", "A Quiet", "Black", "Double", "Harbour"),
        ("Alibi", "Debts", "Heist", "Ledger", "Cross", "Street"),
    ),
    "Drama": (
        ("Romance", "Biography"),
        ("The Weight of", "After", "What We Owe", "A House of", "The Silent", "Leaving"),
        ("Water", "Mother", "Tomorrow", "Salt", "Winter", "Home"),
    ),
    "Comedy": (
        ("Romance", "Family"),
        ("My Cousin's", "Three Dads and a", "Honey, I Sold the", "Totally", "The Wrong", "Nobody Likes"),
        ("Wedding", "Goat", "House", "Gary", "Holiday", "Mondays"),
    ),
    "Documentary": (
        ("History", "Music"),
        ("The Story of", "Inside", "Voices of", "A Portrait of", "Saving", "Beneath"),
        ("Salt", "the Reef", "the Delta", "Steel", "the Glacier", "the Harvest"),
    ),
    "War": (
        ("Drama", "History"),
        ("Bridge at", "The Last", "Beyond", "Eight Days at", "Letters from", "The Road to"),
        ("Arnaud", "Regiment", "the Wire", "Kessel", "the Front", "Tobrin"),
    ),
    "Fantasy": (
        ("Adventure", "Family"),
        ("The Crown of", "Song of", "Dragon of", "The Witch of", "Sword of", "Beyond the"),
        ("Embers", "Winterfold", "Avarel", "Thorns", "Starglass", "Ninth Gate"),
    ),
    "Music": (
        ("Drama", "Comedy"),
        ("Blue", "One More", "Saturday", "Encore in", "The Last", "Electric"),
        ("Note", "Encore", "Rhythm", "Harlem", "Ballroom", "Serenade"),
    ),
}
PRIMARY_GENRES = tuple(_WORDS)
_NUMERALS = ("", " II", " III", " IV")


@dataclass(frozen=True)
class DemoMovie:
    """One invented movie; ``lead`` decides its scene, a series shares ``style_seed``."""

    movie_id: str
    title: str
    year: int
    genres: tuple[str, ...]
    lead: str
    style_seed: int


def make_movies(n: int, seed: int) -> list[DemoMovie]:
    """Invent ``n`` movies; the same seed gives the same movies.

    Every fifth title begins a series of two to four, whose posters look alike.

    Args:
        n: How many, at most 400.
        seed: Of titles, years and genres.
    """
    rng = np.random.default_rng(seed)
    movies: list[DemoMovie] = []
    pairs = _title_pairs(rng)
    while len(movies) < n:
        genre, title, second = next(pairs)
        genres = tuple(sorted({genre, *second}))
        year = int(rng.integers(1938, 2021))
        parts = int(rng.integers(2, 5)) if rng.random() < 0.2 else 1
        style = int(rng.integers(2**31))
        for part in range(parts):
            if len(movies) < n:
                movie_id = f"tt99{len(movies) + 1:05d}"
                movies.append(
                    DemoMovie(movie_id, title + _NUMERALS[part], year + 3 * part, genres, genre, style)
                )
    return movies


def _title_pairs(rng: np.random.Generator) -> Iterator[tuple[str, str, list[str]]]:
    """Yield (genre, title, second genres), each title once, genres in turn."""
    decks = {}
    for genre, (_, first, second) in _WORDS.items():
        titles = [f"{a} {b}" for a in first for b in second]
        decks[genre] = [titles[i] for i in rng.permutation(len(titles))]
    while True:
        for genre in PRIMARY_GENRES:
            liked = _WORDS[genre][0]
            n_second = int(rng.integers(0, 3))
            also = [liked[i] for i in rng.permutation(len(liked))[:n_second]]
            yield genre, decks[genre].pop(), also

"""Which movies belong to one series, told from the collections that they are said to be of, or their titles.

Two titles are of one series when they agree on a stem (``stems.py``) and at
least one of them shows that it continues something. Equal titles alone do not:
most are of namesakes ("Beloved" of 1998 and 2011) and remakes. Where the
sources of both movies name a collection, titles are not asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from indexer.catalog import Catalog
from indexer.titles import collection_key
from indexer.types import Movie
from recommender.stems import Stems, stems, without_article

_SOON_AFTER = 10
"""Years after which hardly anybody names a sequel by the first film's title alone."""


def same_series(first: str, second: str) -> bool:
    """Whether two titles are told to be of one series.

    Example:
        >>> same_series("The Godfather", "The Godfather: Part II")
        True
        >>> same_series("Apollo 13", "Apollo 18")
        False
    """
    one, two = stems(first), stems(second)
    if one.every.isdisjoint(two.every):
        return False
    return _continues(one, two) or _continues(two, one)


def _continues(one: Stems, two: Stems) -> bool:
    """Whether the first title says that it is of the second's series."""
    if one.parts & (two.every - two.behind):
        return True
    # One word is little to go by: "Mission: Impossible" is not of "The Mission".
    if _firm(one.before) & _firm((*two.before, *two.names)):
        return True
    return not one.numbered.isdisjoint((*two.names, *two.before, *two.numbered))


def same_title(first: str, second: str) -> bool:
    """Whether two titles are equal but for case, accents, punctuation, brackets and leading article.

    Example:
        >>> same_title("Léon", "LEON")
        True
    """
    whole = stems(first).whole
    return whole != "" and whole == stems(second).whole


def same_collection(first: Movie, second: Movie) -> bool:
    """Whether both movies are said to be of one collection."""
    if first.collection is None or second.collection is None:
        return False
    return collection_key(first.collection) == collection_key(second.collection)


def of_one_series(first: Movie, second: Movie) -> bool:
    """Whether two movies are of one series.

    They are if their collections are one, and are not if they are two. Where one of the movies is
    of none, the titles tell, unless the movies differ in every genre.
    """
    if first.collection is not None and second.collection is not None:
        return same_collection(first, second)
    if stems(first.title).every.isdisjoint(stems(second.title).every):
        return False
    genres = [set(movie.genres or movie.chosen_genres) for movie in (first, second)]
    n_shared, n_all = len(genres[0] & genres[1]), len(genres[0] | genres[1])
    if same_series(first.title, second.title):
        return not all(genres) or n_shared > 0
    # What titles alone leave in doubt is of one series where the genres are nearly the same.
    if 2 * n_shared > n_all and _differ_by_article(first, second):
        return True
    return 2 * n_shared >= n_all > 0 and _named_after(first, second)


def _differ_by_article(first: Movie, second: Movie) -> bool:
    """Whether titles are of one series but for the article of one word: "The Exorcist" and "Exorcist: …"."""
    one, two = stems(first.title), stems(second.title)
    before, others = (set(map(without_article, stem.before)) for stem in (one, two))
    names, other_names = (set(map(without_article, stem.names)) for stem in (one, two))
    return bool(before & (others | other_names) or others & names)


def _named_after(first: Movie, second: Movie) -> bool:
    """Whether one of two movies names the other's series behind a colon or dash, some years later.

    "The Lost World: Jurassic Park" came soon after "Jurassic Park"; "The Crow: City of Angels" came
    before "City of Angels", and "Jesse Stone: Stone Cold" long after "Stone Cold".
    """
    if first.year is None or second.year is None or abs(first.year - second.year) > _SOON_AFTER:
        return False
    one, two = stems(first.title), stems(second.title)
    if one.behind & two.parts or two.behind & one.parts:
        return True
    earlier, later = (one, two) if first.year < second.year else (two, one)
    return first.year != second.year and not later.behind.isdisjoint(earlier.names)


def _firm(found: Iterable[str]) -> set[str]:
    """Stems without articles, but for those of one word."""
    return {without_article(stem) if " " in without_article(stem) else stem for stem in found}


def find_series(catalog: Catalog, movies: Sequence[Movie]) -> tuple[str, ...]:
    """Movies of the catalog that are of one series with any of some movies; those themselves left out."""
    own = {movie.movie_id for movie in movies}
    found: dict[str, None] = {}
    for movie in movies:
        if movie.collection is not None:
            found |= dict.fromkeys(catalog.find_by_collection(movie.collection))
        titles: dict[str, str] = {}
        every = stems(movie.title).every
        # The title as it stands, too: of "C.H.U.D." the stem is "chud", and no title begins so.
        for beginning in sorted({*every, movie.title}):
            titles |= catalog.find_titles(beginning)
        # "The Lost World: Jurassic Park" does not begin with the stem that it is found by.
        titles |= catalog.find_titles_with(min(every, key=lambda stem: (len(stem), stem), default=""))
        near = [movie_id for movie_id, title in titles.items() if not every.isdisjoint(stems(title).every)]
        alike = catalog.find_movies(near).values()
        found |= dict.fromkeys(one.movie_id for one in alike if of_one_series(movie, one))
    return tuple(movie_id for movie_id in found if movie_id not in own)

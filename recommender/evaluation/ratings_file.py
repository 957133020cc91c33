"""Ratings by other people, from a file that is judged by and never learned from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from embeddings.errors import LabelsError
from indexer.types import Ratings
from recommender.evaluation.people import People
from recommender.taste import HIGHEST_RATING

_LINKS = "links.csv"
_MOST_OFF_SCALE = 0.02
"""Share of ratings above the scale that may be slips; more of them are another scale."""
_LATEST = 2**40


def read_people(path: Path, movie_ids: tuple[str, ...]) -> People:
    """The people of a table of ratings, by the movies that a catalog has.

    Args:
        path: As for ``read_ratings_file``.
        movie_ids: The catalog's.

    Raises:
        LabelsError: The file cannot be used, or rates none of these movies.
    """
    ratings = read_ratings_file(path)
    people = People.of_ratings(ratings, movie_ids)
    if not len(people):
        raise LabelsError(
            f"{path} rates no movie of this catalog: its ids are such as {ratings.movie_ids[0]}, the "
            f"catalog's such as {movie_ids[0]}. Name movies as the catalog does, in a column Id."
        )
    return people


def read_ratings_file(path: Path) -> Ratings:
    """Read a table of ratings.

    Args:
        path: CSV with the columns ``userId``, ``rating``, where there is one ``timestamp``, and
            ``Id`` (catalog ids) or ``movieId`` (MovieLens ids, joined by ``links.csv`` beside it).

    Returns:
        The ratings; people are named ``file:<userId>``, so that nobody of the catalog is taken for them.

    Raises:
        LabelsError: The file cannot be read, lacks a column, holds no rating, or rates on another scale.
    """
    table = _read_table(path)
    missing = [name for name in ("userId", "rating") if name not in table]
    if missing or not {"Id", "movieId"} & set(table):
        raise LabelsError(
            f"{path} has the columns {list(table)}; expected userId, rating, and Id (catalog ids) or "
            f"movieId (MovieLens ids, with {_LINKS} beside the file)."
        )
    ids = table["Id"].str.strip() if "Id" in table else _linked(table["movieId"], path.with_name(_LINKS))
    values = pd.to_numeric(table["rating"], errors="coerce")
    if float((values > HIGHEST_RATING).mean()) > _MOST_OFF_SCALE:
        raise LabelsError(
            f"{path} has ratings up to {values.max():g}; expected 0.5 to {HIGHEST_RATING:g}. Bring them to "
            "that scale, such as by halving ratings of 1 to 10."
        )
    usable = ids.notna() & values.between(0.5, 5.0) & table["userId"].notna()
    if not usable.any():
        raise LabelsError(f"{path} holds no rating between 0.5 and 5 of a movie with a known id.")
    kept = table[usable]
    times = _seconds(kept["timestamp"]) if "timestamp" in kept else np.zeros(len(kept), np.int64)
    return Ratings(
        ("file:" + kept["userId"].astype(str)).to_numpy(dtype=object),
        ids[usable].astype(str).to_numpy(dtype=object),
        values[usable].to_numpy(dtype=np.float32),
        times,
    )


def _seconds(column: pd.Series[str]) -> NDArray[np.int64]:
    """Seconds since 1970; 0 for what is no number, or none that a time can be."""
    times = pd.to_numeric(column, errors="coerce")
    return times.where(times.between(0, _LATEST), 0).to_numpy(dtype=np.int64)


def _linked(movie_ids: pd.Series[str], links: Path) -> pd.Series[str]:
    if not links.is_file():
        raise LabelsError(
            f"MovieLens ids need {links}, which does not exist; put it there or use catalog ids."
        )
    table = _read_table(links)
    if not {"movieId", "imdbId"} <= set(table):
        raise LabelsError(f"{links} has the columns {list(table)}; expected movieId and imdbId.")
    number = table["movieId"].str.strip()
    imdb = "tt" + table["imdbId"].str.strip().str.removeprefix("tt").str.zfill(7)
    return movie_ids.str.strip().map(dict(zip(number, imdb, strict=True)))


def _read_table(path: Path) -> pd.DataFrame:
    try:
        # Without index_col, rows longer than the heading would shift every column by one unseen.
        return pd.read_csv(path, dtype=str, index_col=False, skipinitialspace=True, encoding="utf-8-sig")
    except (OSError, ValueError) as error:  # pandas' own errors and a wrong encoding are ValueErrors
        raise LabelsError(f"{path} cannot be read as a table: {error}") from error

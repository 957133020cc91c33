"""Every poster as a point in the plane."""

from __future__ import annotations

import numpy as np
from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from numpy.typing import NDArray
from pydantic import Field

from embeddings.errors import NotFoundError
from indexer.types import Facts
from recommender.poster_map import current_map
from webui.answers import Answer
from webui.api.documents import NOT_MODIFIED, problems
from webui.services import services
from webui.validators import revalidated

poster_map = APIBlueprint("poster_map", __name__, url_prefix="/api/v1", abp_tags=[Tag(name="movies")])
_UNITS = 10_000


class MapAnswer(Answer):
    """Columns of one length: a movie, where its poster lies, its year, its telling genre."""

    method: str = Field(description="How the posters were laid out.")
    units: int = Field(description="x and y run from 0 to this.")
    genres: list[str]
    movie_ids: list[str]
    x: list[int]
    y: list[int]
    years: list[int] = Field(description="0 where unknown.")
    genre: list[int] = Field(description="Position in genres of the movie's rarest genre; -1 without one.")


@poster_map.get("/map", responses={200: MapAnswer, 304: NOT_MODIFIED, **problems(404, 422, 429, 503)})
def get_map() -> Response:
    """Every poster as a point; posters that look alike lie near each other."""
    return revalidated(map_document)


def map_document() -> dict[str, object]:
    """The map as it is sent.

    Raises:
        NotFoundError: No map was made yet.
    """
    view = services().recommender.reader.view()
    found = current_map(view)
    if found is None:
        raise NotFoundError("There is no map yet; run `onesheet reindex`, which draws it.")
    numbers = view.row_numbers(found.movie_ids)
    facts = view.facts
    there = (numbers >= 0) & facts.live[numbers]
    rows = numbers[there]
    places = np.rint(found.positions[there] * _UNITS).astype(int)
    return {
        "method": found.method,
        "units": _UNITS,
        "genres": list(view.manifest.genres),
        "movie_ids": [one for one, shown in zip(found.movie_ids, there.tolist(), strict=True) if shown],
        "x": places[:, 0].tolist(),
        "y": places[:, 1].tolist(),
        "years": facts.years[rows].tolist(),
        "genre": telling_genres(facts, rows, len(view.manifest.genres)).tolist(),
    }


def telling_genres(facts: Facts, rows: NDArray[np.int64], n_genres: int) -> NDArray[np.int64]:
    """Of each row the genre that fewest rows carry: Western tells more than Drama; -1 without one."""
    columns = np.arange(n_genres, dtype=np.uint64)
    carries = (facts.genre_bits[rows][:, None] >> columns) & np.uint64(1) != 0
    counts = np.where(carries, carries.sum(axis=0), np.iinfo(np.int64).max)
    if not n_genres:
        return np.full(len(rows), -1, dtype=np.int64)
    return np.where(carries.any(axis=1), counts.argmin(axis=1), -1)

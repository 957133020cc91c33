"""What the pages take from their URLs: the API's own fields, with the defaults of a page."""

from __future__ import annotations

from typing import Literal, TypeVar

from flask import request
from pydantic import BaseModel, Field, field_validator

from indexer.catalog.search import Search
from webui.schemas import (
    MAX_IDS,
    MAX_K,
    BlendContract,
    Contract,
    MovieId,
    list_fields,
    split_list,
)

Model = TypeVar("Model", bound=BaseModel)
PAGE_SIZE = 36
FIRST_DECADE = 1890


class WallForm(Contract):
    """Which movies hang on the wall."""

    q: str = Field(default="", max_length=200)
    genre: str = Field(default="", max_length=64)
    known: Literal["", "known", "predicted"] = ""
    decade: int | None = Field(default=None, ge=FIRST_DECADE, le=2100, multiple_of=10)
    sort: Literal["", "ratings", "title", "year", "oldest"] = ""
    cursor: str = Field(default="", max_length=1024)
    part: Literal["", "wall"] = ""

    @property
    def narrowed(self) -> bool:
        """Whether a filter is set."""
        return bool(self.genre or self.known or self.decade)

    @property
    def filtered(self) -> bool:
        """Whether fewer than all movies are asked for."""
        return bool(self.q) or self.narrowed

    def search(self) -> Search:
        """What the catalog is asked for."""
        return Search(
            q=self.q,
            genres=(self.genre,) if self.genre else (),
            year_min=self.decade,
            year_max=self.decade + 9 if self.decade else None,
            known={"known": True, "predicted": False}.get(self.known),
            sort=self.sort or None,
            limit=PAGE_SIZE,
            cursor=self.cursor or None,
        )


class PanelForm(BlendContract):
    """The sliders and filters beside "more like this"."""

    k: int = Field(default=24, ge=1, le=MAX_K)
    part: Literal["", "similar", "reading"] = ""

    @property
    def narrowed(self) -> bool:
        """Whether the filters stand anywhere but at rest, so that they are shown open."""
        rest = type(self)()
        names = ("k", "genres", "year_min", "year_max", "min_score", "diversity", "series")
        return self.collapse_duplicates or any(getattr(self, n) != getattr(rest, n) for n in names)


class TrayForm(PanelForm):
    """The tray: movies to be like, and unlike."""

    like: list[MovieId] = Field(default_factory=list, max_length=MAX_IDS)
    unlike: list[MovieId] = Field(default_factory=list, max_length=MAX_IDS)

    _ids = field_validator("like", "unlike", mode="before")(split_list)


def read_query(model: type[Model]) -> Model:
    """Read the query string into ``model``; a field left empty is not given.

    Fields that ``model`` does not have are ignored: links from elsewhere carry marks of their own.

    Raises:
        ValidationError: A value is outside what is allowed.
    """
    lists = list_fields(model)
    fields = {
        name: request.args.getlist(name) if name in lists else request.args[name]
        for name in request.args
        if name in model.model_fields and request.args[name] != ""
    }
    return model.model_validate(fields)

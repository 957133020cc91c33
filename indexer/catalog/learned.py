"""What the last reindex learned from the ratings, and from what exactly."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from indexer.catalog.base import CatalogBase, read_meta, write_meta

_KEY = "learned"


@dataclass(frozen=True)
class Learned:
    """A taste model and default weights, and a digest of all that they were learned from.

    Args:
        source: Digest of ratings, rows and the fitters' settings.
        taste_model: Id of the model whose factors the catalog holds; None where too little was rated.
        weights: Default weights by what is known of the query.
        ratings_revision: Revision of the last rating among those it was learned from.
        taught_by: Names the fitters and their settings.
    """

    source: str
    taste_model: str | None = None
    weights: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    ratings_revision: int = -1
    taught_by: str = ""


class LearnedNotes(CatalogBase):
    """Keeps what was learned in SQL, so that a lost index does not lose it."""

    def find_learned(self) -> Learned | None:
        """What ``save_learned`` kept; None before the first time."""
        with self._reading() as connection:
            text = read_meta(connection, _KEY)
        if text is None:
            return None
        kept = json.loads(text)
        weights = {name: (float(v), float(g), float(c)) for name, (v, g, c) in kept["weights"].items()}
        return Learned(
            kept["source"],
            kept["taste_model"],
            weights,
            kept.get("ratings_revision", -1),
            kept.get("taught_by", ""),
        )

    def save_learned(self, learned: Learned) -> None:
        """Keep what was learned; takes no revision, for the factors take theirs."""
        with self.transaction() as transaction:
            write_meta(transaction.connection, _KEY, json.dumps(asdict(learned)))

"""The milvus kind: the same contract, served by a Milvus beyond this machine, or by a file of Milvus Lite.

A snapshot's directory holds the columns of facts as ever, and in ``milvus.json``
the name of the collection that has its rows. The collection is indexed flat:
every row is looked at, so that any blend is exact, and Milvus spreads the
looking over its query nodes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import SnapshotError
from indexer.durable import write_durably
from indexer.vectors.base import VectorIndex, score_slack
from indexer.vectors.blocks import Widths, slices
from indexer.vectors.genre_groups import GenreGroups
from indexer.vectors.milvus_server import MilvusServer, pymilvus

PLACE_FILE = "milvus.json"
_MOST_FOUND = 16_384
"""Milvus answers no search and no query with more rows than this."""
_SENT_BYTES = 16 * 1024 * 1024


class MilvusIndex(VectorIndex):
    """Rows in a collection of Milvus; this process keeps only their genre groups.

    Args:
        collection: What has the rows on the kind's server, ``""`` before ``save``.
        n_rows: How many rows there are.
        groups: Rows by genre vector.
        widths: Of the blocks.
        joined: float32, (n, dim), rows that are still to be sent; None where the collection has them.
    """

    kind: ClassVar[str] = "milvus"
    exact: ClassVar[bool] = True
    server: ClassVar[MilvusServer] = MilvusServer("")
    """Where the rows are; ``at`` makes a kind for one."""

    def __init__(
        self,
        collection: str,
        n_rows: int,
        groups: GenreGroups | None,
        widths: Widths,
        joined: NDArray[np.float32] | None = None,
    ) -> None:
        super().__init__(widths, groups)
        self._collection = collection
        self._n_rows = n_rows
        self._joined = joined

    @classmethod
    def at(cls, server: MilvusServer) -> type[Self]:
        """This kind, with its rows on ``server``."""
        return type(cls.__name__, (cls,), {"server": server})

    @classmethod
    def build(cls, joined: NDArray[np.float32], widths: Widths) -> Self:
        groups = GenreGroups.find(joined[:, slices(widths)[1]])
        # As the catalog and the other kinds have them, so that all rank near ties alike.
        stored = joined.astype(np.float16).astype(np.float32)
        return cls("", len(joined), groups, widths, stored)

    @classmethod
    def load(cls, directory: Path, widths: Widths) -> Self:
        place = _read_place(directory)
        groups = GenreGroups.load(directory)
        index = cls(place["collection"], place["rows"], groups, widths)
        index._check_count()
        return index

    def save(self, directory: Path) -> tuple[str, ...]:
        """Write the place, then send the rows there.

        In this order, so that whoever finds the directory of a process that died can drop its collection.
        """
        if self._joined is None:
            raise SnapshotError(f"The rows of {self._collection} are in Milvus already; publish them again.")
        self._collection = f"onesheet_{os.urandom(8).hex()}"
        place = {"server": self.server.uri, "collection": self._collection, "rows": self._n_rows}
        write_durably(directory / PLACE_FILE, json.dumps(place, indent=1).encode())
        with self.server.named_errors():
            self._send(self._joined)
        self._joined = None
        return (PLACE_FILE, *(self._groups.save(directory) if self._groups else ()))

    @classmethod
    def forget(cls, directory: Path) -> None:
        """Drop the collection of a snapshot that nobody opens any more."""
        if (directory / PLACE_FILE).is_file():
            place = _read_place(directory)
            with cls.server.named_errors():
                cls.server.connect().drop_collection(place["collection"])  # no error where it is gone

    def __len__(self) -> int:
        return self._n_rows

    def read_rows(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        if self._joined is not None:
            return self._joined[rows]
        distinct, at = np.unique(rows, return_inverse=True)
        found: NDArray[np.float32] = np.empty((len(distinct), self.dim), dtype=np.float32)
        for part in _parts(len(distinct), self.dim):
            asked = distinct[part]
            with self.server.named_errors():
                answer = self._client.get(self._collection, ids=asked.tolist(), output_fields=["vector"])
            if len(answer) != len(asked):
                raise SnapshotError(
                    f"Collection {self._collection} of {self.server.uri} has {len(answer)} of {len(asked)} "
                    "rows asked for; run `onesheet verify --repair`."
                )
            places = np.searchsorted(asked, [one["row"] for one in answer])
            found[part][places] = [one["vector"] for one in answer]
        return found[at.reshape(-1)]

    def _candidates(
        self, query: NDArray[np.float32], k: int, allowed: NDArray[np.bool_] | None
    ) -> NDArray[np.int64]:
        """Ask for more until the k-th allowed row is clear of the last one found; then by a filter."""
        if self._joined is not None:
            return np.flatnonzero(np.ones(len(self)) if allowed is None else allowed)
        slack = score_slack(query)
        share = 1.0 if allowed is None else np.count_nonzero(allowed) / len(self)
        wanted = int((2 * k + 16) / share)
        while wanted < 2 * _MOST_FOUND:
            limit = min(wanted, _MOST_FOUND, len(self))
            rows, scores = self._ask(query, limit, "")
            keep = np.ones(len(rows), dtype=np.bool_) if allowed is None else allowed[rows]
            kept = scores[keep]
            if limit == len(self) or (len(kept) >= k and scores[-1] < kept[k - 1] - slack):
                return rows[keep]
            wanted = 4 * limit
        if allowed is None:
            return rows
        limit = min(_MOST_FOUND, int(np.count_nonzero(allowed)))
        return self._ask(query, limit, f"row in {np.flatnonzero(allowed).tolist()}")[0]

    def _ask(
        self, query: NDArray[np.float32], limit: int, filter_: str
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Row numbers and scores, best first."""
        with self.server.named_errors():
            [hits] = self._client.search(
                self._collection,
                [query.astype(np.float32)],
                filter=filter_,
                limit=limit,
                output_fields=["row"],
                anns_field="vector",
                search_params={"metric_type": "IP"},
                consistency_level="Strong",
            )
        rows = np.array([hit["row"] for hit in hits], dtype=np.int64)
        return rows, np.array([hit["distance"] for hit in hits], dtype=np.float64)

    @cached_property
    def _client(self) -> Any:
        return self.server.connect()

    def _send(self, joined: NDArray[np.float32]) -> None:
        schema = pymilvus().MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
        types = pymilvus().DataType
        schema.add_field("row", types.INT64, is_primary=True)
        schema.add_field("vector", types.FLOAT_VECTOR, dim=self.dim)
        index = self._client.prepare_index_params()
        index.add_index("vector", index_type="FLAT", metric_type="IP")
        self._client.create_collection(
            self._collection, schema=schema, index_params=index, consistency_level="Strong"
        )
        for part in _parts(len(joined), self.dim):
            rows = [{"row": part.start + i, "vector": vector} for i, vector in enumerate(joined[part])]
            self._client.insert(self._collection, rows)
        self._client.flush(self._collection)
        self._client.load_collection(self._collection)

    def _check_count(self) -> None:
        with self.server.named_errors():
            there = self._client.has_collection(self._collection)
            stats = self._client.get_collection_stats(self._collection) if there else {"row_count": 0}
        if int(stats["row_count"]) != self._n_rows:
            raise SnapshotError(
                f"Collection {self._collection} of {self.server.uri} has {stats['row_count']} rows, expected "
                f"{self._n_rows}; run `onesheet verify --repair`."
            )


def _read_place(directory: Path) -> dict[str, Any]:
    path = directory / PLACE_FILE
    try:
        place: dict[str, Any] = json.loads(path.read_bytes())
        return {"collection": place["collection"], "rows": int(place["rows"])}
    except (ValueError, KeyError, TypeError) as error:
        raise SnapshotError(f"{path} is damaged ({error!r}); run `onesheet verify --repair`.") from error


def _parts(n: int, dim: int) -> Iterator[slice]:
    """Slices of n rows that fit into one message."""
    size = min(_MOST_FOUND, max(1, _SENT_BYTES // (4 * max(dim, 1))))
    return (slice(start, min(start + size, n)) for start in range(0, n, size))

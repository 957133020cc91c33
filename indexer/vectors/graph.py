"""The graph kind: a walk along links finds candidates for any blend, finer codes rank them."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from indexer.vectors.axes import Axes
from indexer.vectors.base import RowNeighbours, VectorIndex, rank_vectors
from indexer.vectors.blends import blend_of, measure_spreads, usual_lengths
from indexer.vectors.blocks import Widths, slices
from indexer.vectors.codes import CodedRows
from indexer.vectors.faiss_files import bitmap_selector
from indexer.vectors.genre_groups import GenreGroups
from indexer.vectors.graphs import Graphs
from indexer.vectors.tuning import Effort, Plan, effort_for, tune

PLAN_FILE = "walks.json"
_LED_SHARE = 0.1
"""Up to this share of the rows, those that genres leave in question are looked at one by one."""
_LED_ROWS = 16_384
"""As many are looked at whatever share they are."""
_ROWS_PER_STEP = 100
"""Widening a beam by one row costs about as much as scoring this many rows one after the other."""


class GraphIndex(VectorIndex):
    """Graphs to find candidates, coded rows to rank them, genre groups where genres decide.

    Args:
        rows: The rows, coded.
        graphs: Graphs over them.
        groups: Rows by genre vector; None where nearly every row has its own.
        plan: How to search for each blend.
        widths: Of the blocks.
    """

    kind: ClassVar[str] = "graph"
    exact: ClassVar[bool] = False
    row_error: ClassVar[float] = 2e-3

    def __init__(
        self, rows: CodedRows, graphs: Graphs, groups: GenreGroups | None, plan: Plan, widths: Widths
    ) -> None:
        super().__init__(widths, groups)
        self._rows = rows
        self._graphs = graphs
        self._plan = plan

    @classmethod
    def build(cls, joined: NDArray[np.float32], widths: Widths) -> Self:
        spreads = measure_spreads(joined, widths)
        groups = GenreGroups.find(joined[:, slices(widths)[1]])
        rows = CodedRows.encode(joined, Axes.fit(joined, widths))
        graphs = Graphs.build(joined, widths, spreads, rows)
        index = cls(rows, graphs, groups, Plan(spreads, usual_lengths(joined, widths), ()), widths)
        index._plan = tune(joined, widths, index._plan, len(graphs), index._walk_for_ten)
        return index

    @classmethod
    def load(cls, directory: Path, widths: Widths) -> Self:
        plan = json.loads((directory / PLAN_FILE).read_bytes())
        efforts = tuple(Effort(tuple(one["blend"]), tuple(one["beams"])) for one in plan["efforts"])
        rows = CodedRows.load(directory, Axes.load(directory, plan["n_lead"]))
        return cls(
            rows,
            Graphs.load(directory, rows),
            GenreGroups.load(directory),
            Plan(np.array(plan["spreads"]), np.array(plan["lengths"]), efforts),
            widths,
        )

    def save(self, directory: Path) -> tuple[str, ...]:
        plan = {
            "n_lead": self._rows.axes.n_lead,
            "spreads": self._plan.spreads.tolist(),
            "lengths": self._plan.lengths.tolist(),
            "efforts": [asdict(one) for one in self._plan.efforts],
        }
        with (directory / PLAN_FILE).open("xb") as file:
            file.write(json.dumps(plan, indent=1).encode())
        grouped = self._groups.save(directory) if self._groups else ()
        coded = (*self._rows.axes.save(directory), *self._rows.save(directory))
        return (PLAN_FILE, *grouped, *coded, *self._graphs.save(directory))

    def __len__(self) -> int:
        return len(self._rows)

    def read_rows(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        return self._rows.read(rows)

    def rank(self, query: NDArray[np.float32], rows: NDArray[np.int64], k: int) -> RowNeighbours:
        """The k best of the given rows: all by their leading numbers, the best of these by every number."""
        turned = self._rows.axes.turn(query)
        return self._rank(turned, self._rows.narrow(turned, rows, _spare(k)), k)

    def _rank(self, turned: NDArray[np.float32], rows: NDArray[np.int64], k: int) -> RowNeighbours:
        return rank_vectors(turned, self._rows.read_turned(rows), rows, k)

    def _candidates(
        self, query: NDArray[np.float32], k: int, allowed: NDArray[np.bool_] | None
    ) -> NDArray[np.int64]:
        turned, n = self._rows.axes.turn(query), min(_spare(k), len(self))
        led = self._led_by_genre(query, k) if allowed is None else None
        if led is not None:
            return self._best_of(turned, led, n)
        selector = bitmap_selector(allowed)
        n_allowed = len(self) if allowed is None else int(np.count_nonzero(allowed))
        graph, beam = effort_for(
            self._plan, blend_of(query, self.widths, self._plan.spreads, self._plan.lengths)
        )
        # The n-th allowed row is expected at rank n / share of them all.
        beam = int(beam + 2 * (k * len(self) / n_allowed - 10))
        if beam * _ROWS_PER_STEP < n_allowed:
            rows = self._graphs.walk(graph, turned, n, beam, selector)
            if len(rows) == n:
                return rows
        return self._rows.search(turned, n, selector)

    def _led_by_genre(self, query: NDArray[np.float32], k: int) -> NDArray[np.int64] | None:
        """Rows of the few genre vectors that can matter, where genres outweigh all else; else None.

        There, a walk is lost among thousands of rows that differ by next to nothing.
        """
        visual, genre, taste = slices(self.widths)
        margin = 2.0 * float(np.linalg.norm(query[visual]) + np.linalg.norm(query[taste]))
        if self._groups is None or margin > float(np.linalg.norm(query[genre])):
            return None
        return self._groups.members_within(
            query[genre], k, margin, max(_LED_ROWS, int(_LED_SHARE * len(self)))
        )

    def _best_of(self, turned: NDArray[np.float32], rows: NDArray[np.int64], n: int) -> NDArray[np.int64]:
        """The n best of some rows by their leading numbers."""
        mask = np.zeros(len(self), dtype=np.bool_)
        mask[rows] = True
        return self._rows.search(turned, n, bitmap_selector(mask))

    def _walk_for_ten(self, graph: int, query: NDArray[np.float32], beam: int) -> NDArray[np.int64]:
        return self._graphs.walk(graph, self._rows.axes.turn(query), _spare(10), beam)


def _spare(k: int) -> int:
    """Rows kept by their leading numbers for the last ranking: these misplace a row by some ranks."""
    return k + max(118, k // 2)

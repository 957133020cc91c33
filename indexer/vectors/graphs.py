"""The graphs kind: a portfolio of HNSW graphs over one storage, each built for its own blend.

A graph built on one blend is weak far from it: walking it by look alone, when
look had little say in who its neighbours are, needs a beam many times as wide.
So there are four, one for the middle of the weight simplex and one near each
corner; a query walks the one that was found best for weights like its own,
with the beam that was found wide enough there (``tuning.py``).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar, Self

import faiss
import numpy as np
from numpy.typing import NDArray

from indexer.vectors.base import VectorIndex
from indexer.vectors.blends import Blend, blend_of, measure_spreads, scales
from indexer.vectors.blocks import Widths, slices
from indexer.vectors.codes import CodedRows
from indexer.vectors.faiss_files import bitmap_selector, map_index, write_index
from indexer.vectors.tuning import Anchor, choose_anchor, tune

PLAN_FILE = "graphs.json"
PORTFOLIO: tuple[Blend, ...] = (
    (1 / 3, 1 / 3, 1 / 3),
    (0.88, 0.06, 0.06),
    (0.06, 0.88, 0.06),
    (0.06, 0.06, 0.88),
)
LINKS = 8
BUILD_BEAM = 80
SCANNED_SHARE = 0.1
"""Up to this share of allowed rows they are scanned: a walk would step on nine others for each."""

_RANKED_AGAIN = 16
_CHUNK = 65_536


class GraphsIndex(VectorIndex):
    """Graphs to find candidates by 8-bit codes, 12-bit codes to rank them.

    Args:
        rows: The rows, coded.
        graphs: FAISS HNSW indexes without storage of their own, in the order of ``PORTFOLIO``.
        spreads: Standard deviation of each block's inner product over random pairs, (3,).
        lengths: Usual length of a row's blocks, (3,).
        anchors: Which graph and beam serve which weights.
    """

    kind: ClassVar[str] = "graphs"
    exact: ClassVar[bool] = False

    def __init__(
        self,
        rows: CodedRows,
        graphs: list[Any],
        plan: tuple[NDArray[np.float64], NDArray[np.float64], tuple[Anchor, ...]],
        widths: Widths,
    ) -> None:
        super().__init__(widths)
        self._rows = rows
        self._graphs = graphs
        self._spreads, self._lengths, self._anchors = plan
        for graph in graphs:
            graph.storage, graph.own_fields = rows.coarse, False

    @classmethod
    def build(cls, joined: NDArray[np.float32], widths: Widths) -> Self:
        spreads = measure_spreads(joined, widths)
        lengths = np.array([_usual_length(joined[:, part]) for part in slices(widths)])
        graphs = [_build_graph(joined, scales(blend, widths, spreads)) for blend in PORTFOLIO]
        index = cls(CodedRows.encode(joined), graphs, (spreads, lengths, ()), widths)
        index._anchors = tune(joined, widths, spreads, index.walk_counted, len(graphs))
        return index

    @classmethod
    def load(cls, directory: Path, widths: Widths) -> Self:
        plan = json.loads((directory / PLAN_FILE).read_bytes())
        anchors = tuple(Anchor(tuple(one["blend"]), one["graph"], one["beam"]) for one in plan["anchors"])
        dim = sum(widths)
        graphs = [map_index(directory / f"graph-{i}.faiss", dim) for i in range(plan["n_graphs"])]
        measured = (np.array(plan["spreads"]), np.array(plan["lengths"]), anchors)
        return cls(CodedRows.load(directory, dim), graphs, measured, widths)

    def save(self, directory: Path) -> tuple[str, ...]:
        names = self._rows.save(directory)
        for i, graph in enumerate(self._graphs):
            write_index(graph, directory / f"graph-{i}.faiss", faiss.IO_FLAG_SKIP_STORAGE)
        plan = {
            "n_graphs": len(self._graphs),
            "spreads": self._spreads.tolist(),
            "lengths": self._lengths.tolist(),
            "anchors": [{"blend": a.blend, "graph": a.graph, "beam": a.beam} for a in self._anchors],
        }
        with (directory / PLAN_FILE).open("xb") as file:
            file.write(json.dumps(plan, indent=1).encode())
        return (*names, *(f"graph-{i}.faiss" for i in range(len(self._graphs))), PLAN_FILE)

    def __len__(self) -> int:
        return len(self._rows)

    def read_rows(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        return self._rows.read(rows)

    def walk(
        self, query: NDArray[np.float32], graph: int, beam: int, n: int, selector: Any = None
    ) -> NDArray[np.int64]:
        """Up to n rows found by walking one graph with a beam, int64."""
        params = faiss.SearchParametersHNSW(sel=selector, efSearch=max(beam, n))
        rows: NDArray[np.int64] = self._graphs[graph].search(query[None], n, params=params)[1][0]
        return rows[rows >= 0]

    def walk_counted(
        self, query: NDArray[np.float32], graph: int, beam: int, n: int
    ) -> tuple[NDArray[np.int64], int]:
        """The n best rows that a walk finds, ranked, and how many rows it looked at."""
        stats = faiss.cvar.hnsw_stats
        stats.reset()
        found = self.walk(query, graph, beam, max(n + _RANKED_AGAIN, min(beam, 2 * n)))
        looked_at = int(stats.ndis)
        return self.rank(query, found, n).rows, looked_at

    def _candidates(
        self, query: NDArray[np.float32], k: int, allowed: NDArray[np.bool_] | None
    ) -> NDArray[np.int64]:
        wanted = min(k + max(_RANKED_AGAIN, k // 2), len(self))
        share = 1.0 if allowed is None else np.count_nonzero(allowed) / len(self)
        selector = bitmap_selector(allowed)
        if share > SCANNED_SHARE:
            anchor = choose_anchor(self._anchors, blend_of(query, self.widths, self._spreads, self._lengths))
            beam = int(max(anchor.beam, wanted) / share)
            rows = self.walk(query, anchor.graph, beam, wanted, selector)
            if len(rows) >= min(k, int(share * len(self))):
                return rows
        params = None if selector is None else faiss.SearchParameters(sel=selector)
        scanned: NDArray[np.int64] = self._rows.coarse.search(query[None], wanted, params=params)[1][0]
        return scanned[scanned >= 0]


def _build_graph(joined: NDArray[np.float32], scale: NDArray[np.float32]) -> Any:
    """An HNSW graph of the scaled rows; its own storage serves the building only."""
    graph = faiss.IndexHNSWSQ(
        joined.shape[1], faiss.ScalarQuantizer.QT_fp16, LINKS, faiss.METRIC_INNER_PRODUCT
    )
    graph.hnsw.efConstruction = BUILD_BEAM
    for start in range(0, len(joined), _CHUNK):
        graph.add(joined[start : start + _CHUNK] * scale)
    return graph


def _usual_length(block: NDArray[np.float32]) -> float:
    """Median length of the rows that have this block; 1 where none has."""
    lengths = np.linalg.norm(block, axis=1)
    known = lengths[lengths > 0]
    return float(np.median(known)) if len(known) else 1.0

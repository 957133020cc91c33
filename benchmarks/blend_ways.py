"""Ways to search any blend of three signals; each finds candidates, all are ranked alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import faiss
import hnswlib
import numpy as np
from numpy.typing import NDArray

from indexer.vectors.base import rank_vectors
from indexer.vectors.blends import Blend, scales
from indexer.vectors.blocks import Widths, pad, padded_width, slices
from indexer.vectors.exact import ExactIndex
from indexer.vectors.graph import GraphIndex

K = 10
BEAMS = (16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 2048)


class Way(ABC):
    """One way; ``efforts`` go from quick to thorough.

    Args:
        rows: float32, (n, dim).
        widths: Of the blocks.
        spreads: Standard deviation of each block over random pairs, (3,).
    """

    name: ClassVar[str]
    efforts: ClassVar[tuple[int, ...]] = BEAMS

    def __init__(self, rows: NDArray[np.float32], widths: Widths, spreads: NDArray[np.float64]) -> None:
        self.rows, self.widths, self.spreads = rows, widths, spreads

    def prepare(self, blend: Blend) -> None:  # noqa: B027 - most ways need nothing
        """Whatever must be built for one blend."""

    @abstractmethod
    def search(self, query: NDArray[np.float32], effort: int) -> NDArray[np.int64]:
        """Rows that may be the best ten, ranked."""

    def rank(self, query: NDArray[np.float32], found: NDArray[np.int64]) -> NDArray[np.int64]:
        """The best ten of some rows, by their own vectors."""
        found = found[found >= 0]
        return rank_vectors(query, self.rows[found], found, K).rows


class Flat(Way):
    """Every row, half precision: the exact kind."""

    name = "flat (exact kind)"
    efforts = (0,)

    def __init__(self, rows: NDArray[np.float32], widths: Widths, spreads: NDArray[np.float64]) -> None:
        super().__init__(rows, widths, spreads)
        self.index = ExactIndex.build(rows, widths)

    def search(self, query: NDArray[np.float32], effort: int) -> NDArray[np.int64]:
        return self.index.search(query[None], K)[0].rows


class Served(Way):
    """Two graphs over one storage, as they are served: the graph kind."""

    name = "two graphs (graph kind)"
    efforts = (0,)

    def __init__(self, rows: NDArray[np.float32], widths: Widths, spreads: NDArray[np.float64]) -> None:
        super().__init__(rows, widths, spreads)
        self.index = GraphIndex.build(rows, widths)

    def search(self, query: NDArray[np.float32], effort: int) -> NDArray[np.int64]:
        return self.index.search(query[None], K)[0].rows


class Scan(Way):
    """Four bits for every four numbers of every row, added up by FAISS; the best are ranked again."""

    name = "fast-scan PQ + ranked again"
    efforts = (32, 64, 128, 256, 512, 1024, 2048, 4096, 8192)

    def __init__(self, rows: NDArray[np.float32], widths: Widths, spreads: NDArray[np.float64]) -> None:
        super().__init__(rows, widths, spreads)
        dim = padded_width(rows.shape[1])
        self.codes = faiss.IndexPQFastScan(dim, dim // 4, 4, faiss.METRIC_INNER_PRODUCT)
        self.codes.train(pad(rows[:: max(1, len(rows) // 50_000)]))
        self.fine = eight_bits(rows)
        for start in range(0, len(rows), 65_536):
            self.codes.add(pad(rows[start : start + 65_536]))
        self.refined = faiss.IndexRefine(self.codes, self.fine)

    def search(self, query: NDArray[np.float32], effort: int) -> NDArray[np.int64]:
        params = faiss.IndexRefineSearchParameters(k_factor=max(1.0, effort / 42))
        return self.rank(query, self.refined.search(pad(query[None]), 42, params=params)[1][0])


class OneGraph(Way):
    """One HNSW graph over the joined rows, built on the equal blend."""

    name = "one graph"

    def __init__(self, rows: NDArray[np.float32], widths: Widths, spreads: NDArray[np.float64]) -> None:
        super().__init__(rows, widths, spreads)
        self.codes = eight_bits(rows)
        scaled = pad(rows * scales((1 / 3, 1 / 3, 1 / 3), widths, spreads))
        self.graph = faiss.IndexHNSWFlat(scaled.shape[1], 16, faiss.METRIC_INNER_PRODUCT)
        self.graph.hnsw.efConstruction = 160
        self.graph.add(scaled)
        # Walked over the 8-bit codes of the rows themselves; the weights come with the query.
        self.graph.storage, self.graph.own_fields = self.codes, False

    def search(self, query: NDArray[np.float32], effort: int) -> NDArray[np.int64]:
        params = faiss.SearchParametersHNSW(efSearch=max(effort, 26))
        return self.rank(query, self.graph.search(pad(query[None]), 26, params=params)[1][0])


class GraphPerSignal(Way):
    """A graph per signal; what each finds is joined and ranked by the blend."""

    name = "graph per signal"

    def __init__(self, rows: NDArray[np.float32], widths: Widths, spreads: NDArray[np.float64]) -> None:
        super().__init__(rows, widths, spreads)
        self.graphs = []
        for part in slices(widths):
            block = pad(rows[:, part])
            graph = faiss.IndexHNSWFlat(block.shape[1], 16, faiss.METRIC_INNER_PRODUCT)
            graph.hnsw.efConstruction = 100
            graph.add(block)
            self.graphs.append(graph)

    def search(self, query: NDArray[np.float32], effort: int) -> NDArray[np.int64]:
        params = faiss.SearchParametersHNSW(efSearch=effort)
        found = [
            graph.search(pad(query[None, part]), effort, params=params)[1][0]
            for graph, part in zip(self.graphs, slices(self.widths), strict=True)
            if query[part].any()
        ]
        return self.rank(query, np.unique(np.concatenate(found)))


class Ivf(Way):
    """Inverted lists of 8-bit codes, ranked again."""

    name = "IVF + 8 bits + ranked again"
    efforts = (1, 2, 4, 8, 16, 32, 64, 128, 256)

    def __init__(self, rows: NDArray[np.float32], widths: Widths, spreads: NDArray[np.float64]) -> None:
        super().__init__(rows, widths, spreads)
        scale = scales((1 / 3, 1 / 3, 1 / 3), widths, spreads)
        self.scale = scale
        n_lists = max(16, int(4 * len(rows) ** 0.5))
        metric, bits = faiss.METRIC_INNER_PRODUCT, faiss.ScalarQuantizer.QT_8bit
        scaled = pad(rows * scale)
        self._coarse = faiss.IndexFlatIP(scaled.shape[1])
        self.index = faiss.IndexIVFScalarQuantizer(self._coarse, scaled.shape[1], n_lists, bits, metric)
        self.index.by_residual = False
        step = max(1, len(rows) // (50 * n_lists))
        self.index.train(scaled[::step].copy())
        self.index.add(scaled)

    def search(self, query: NDArray[np.float32], effort: int) -> NDArray[np.int64]:
        params = faiss.SearchParametersIVF(nprobe=effort)
        return self.rank(query, self.index.search(pad((query / self.scale)[None]), 26, params=params)[1][0])


class HnswlibForBlend(Way):
    """hnswlib with a graph built for the very blend that is asked: the bound to be measured against."""

    name = "hnswlib, one blend"

    def prepare(self, blend: Blend) -> None:
        self.scale = scales(blend, self.widths, self.spreads)
        used = self.scale > 0
        self.used = used
        self.graph: Any = hnswlib.Index(space="ip", dim=int(used.sum()))
        self.graph.init_index(len(self.rows), M=16, ef_construction=100, random_seed=0)
        self.graph.add_items((self.rows * self.scale)[:, used])
        self.graph.set_num_threads(1)

    def search(self, query: NDArray[np.float32], effort: int) -> NDArray[np.int64]:
        self.graph.set_ef(effort)
        scaled = (query[self.used] / self.scale[self.used])[None]
        found: NDArray[np.int64] = self.graph.knn_query(scaled, K)[0][0].astype(np.int64)
        return found


WAYS: tuple[type[Way], ...] = (Flat, Served, Scan, Ivf, GraphPerSignal, HnswlibForBlend, OneGraph)


def eight_bits(rows: NDArray[np.float32]) -> Any:
    """Rows in FAISS 8-bit codes, each number in its own range."""
    width = padded_width(rows.shape[1])
    codes = faiss.IndexScalarQuantizer(width, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
    codes.train(pad(np.stack([rows.min(axis=0), rows.max(axis=0)])))
    for start in range(0, len(rows), 65_536):
        codes.add(pad(rows[start : start + 65_536]))
    return codes

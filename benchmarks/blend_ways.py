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
from indexer.vectors.blocks import Widths, pad, slices
from indexer.vectors.codes import CodedRows
from indexer.vectors.exact import ExactIndex
from indexer.vectors.scan import ScanIndex

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


class Scan(Way):
    """Short codes of every row, 12-bit rows to rank: the scan kind, as it is served."""

    name = "fast-scan PQ + ranked again (scan kind)"
    efforts = (0,)

    def __init__(self, rows: NDArray[np.float32], widths: Widths, spreads: NDArray[np.float64]) -> None:
        super().__init__(rows, widths, spreads)
        self.index = ScanIndex.build(rows, widths)

    def search(self, query: NDArray[np.float32], effort: int) -> NDArray[np.int64]:
        return self.index.search(query[None], K)[0].rows


class Portfolio(Way):
    """Two graphs over one storage; for each blend the one is walked that suits it.

    A graph that leans to look and one in the middle find more than one per corner.
    """

    name = "portfolio of two graphs"
    built_for: ClassVar[tuple[Blend, ...]] = ((0.7, 0.15, 0.15), (1 / 3, 1 / 3, 1 / 3))

    def __init__(self, rows: NDArray[np.float32], widths: Widths, spreads: NDArray[np.float64]) -> None:
        super().__init__(rows, widths, spreads)
        self.codes = CodedRows.encode(rows)
        self.graphs = [
            build_graph(rows * scales(one, widths, spreads), 8, self.codes) for one in self.built_for
        ]

    def prepare(self, blend: Blend) -> None:
        self.graph = self.graphs[0 if blend[0] >= blend[2] - 0.1 and blend[0] > 0.25 else 1]

    def search(self, query: NDArray[np.float32], effort: int) -> NDArray[np.int64]:
        params = faiss.SearchParametersHNSW(efSearch=max(effort, 42))
        return self.rank(query, self.graph.search(pad(query[None]), 42, params=params)[1][0])


class OneGraph(Way):
    """One HNSW graph over the joined rows, built on the equal blend."""

    name = "one graph"

    def __init__(self, rows: NDArray[np.float32], widths: Widths, spreads: NDArray[np.float64]) -> None:
        super().__init__(rows, widths, spreads)
        self.codes = CodedRows.encode(rows)
        self.graph = build_graph(rows * scales((1 / 3, 1 / 3, 1 / 3), widths, spreads), 16, self.codes)

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


WAYS: tuple[type[Way], ...] = (Flat, Scan, Ivf, GraphPerSignal, HnswlibForBlend, OneGraph, Portfolio)


def build_graph(scaled: NDArray[np.float32], links: int, codes: CodedRows) -> Any:
    """An HNSW graph of scaled rows, walked over the 8-bit codes of the rows themselves."""
    scaled = pad(scaled)
    graph = faiss.IndexHNSWFlat(scaled.shape[1], links, faiss.METRIC_INNER_PRODUCT)
    graph.hnsw.efConstruction = 160
    graph.add(scaled)
    graph.storage, graph.own_fields = codes.coarse, False
    return graph

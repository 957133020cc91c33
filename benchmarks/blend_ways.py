"""Ways to search any blend of three signals; each finds candidates, all are ranked alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import faiss
import hnswlib
import numpy as np
from numpy.typing import NDArray

from indexer.vectors.base import rank_vectors
from indexer.vectors.blends import Blend, scales
from indexer.vectors.blocks import Widths, pad, slices
from indexer.vectors.exact import ExactIndex
from indexer.vectors.scan import ScanIndex

K = 10
_FEW = 42
"""Rows found by their 8-bit codes and ranked again: these misplace a row by a few ranks."""
_LINKS = 16
_BUILD_BEAM = 100
BEAMS = (16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 2048)


@dataclass(frozen=True)
class Searched:
    """What every way is given.

    Args:
        rows: float32, (n, dim).
        widths: Of the blocks.
        spreads: Standard deviation of each block over random pairs, (3,).
        folder: Keeps what is built; what lies there is not built again.
    """

    rows: NDArray[np.float32]
    widths: Widths
    spreads: NDArray[np.float64]
    folder: Path


class Way(ABC):
    """One way; ``efforts`` go from quick to thorough.

    Args:
        searched: The rows, and where to keep what is built of them.
    """

    name: ClassVar[str]
    efforts: ClassVar[tuple[int, ...]] = BEAMS

    def __init__(self, searched: Searched) -> None:
        self.rows, self.widths, self.spreads = searched.rows, searched.widths, searched.spreads
        self.folder = searched.folder / self.name.split(" ")[0]
        self.folder.mkdir(parents=True, exist_ok=True)

    def bytes_per_row(self) -> float:
        """What the files of this way take, without the rows that the found ones are ranked by."""
        return sum(path.stat().st_size for path in self.folder.iterdir()) / len(self.rows)

    def kept(self, name: str, build: Callable[[], Any]) -> Any:
        """A FAISS index from its file; built and written first where there is none."""
        path = self.folder / name
        if not path.exists():
            aside = path.with_suffix(".part")
            faiss.write_index(build(), str(aside))
            aside.rename(path)
        return faiss.read_index(str(path))

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

    def __init__(self, searched: Searched) -> None:
        super().__init__(searched)
        self.index = ExactIndex.build(self.rows, self.widths)
        if not any(self.folder.iterdir()):
            self.index.save(self.folder)

    def search(self, query: NDArray[np.float32], effort: int) -> NDArray[np.int64]:
        return self.index.search(query[None], K)[0].rows


class Scan(Way):
    """Short codes of every row, 12-bit rows to rank: the scan kind, as it is served."""

    name = "scan kind: fast-scan PQ + ranked again"
    efforts = (0,)

    def __init__(self, searched: Searched) -> None:
        super().__init__(searched)
        if not any(self.folder.iterdir()):
            ScanIndex.build(self.rows, self.widths).save(self.folder)
        self.index = ScanIndex.load(self.folder, self.widths)

    def search(self, query: NDArray[np.float32], effort: int) -> NDArray[np.int64]:
        return self.index.search(query[None], K)[0].rows


class OneGraph(Way):
    """One HNSW graph over the joined rows, built on the equal blend and walked by any."""

    name = "one graph + ranked again"
    built_for: ClassVar[Blend] = (1 / 3, 1 / 3, 1 / 3)

    def __init__(self, searched: Searched) -> None:
        super().__init__(searched)
        self.scale = scales(self.built_for, self.widths, self.spreads)
        self.graph = self.kept("joined.hnsw", lambda: build_graph(self.rows * self.scale))

    def search(self, query: NDArray[np.float32], effort: int) -> NDArray[np.int64]:
        params = faiss.SearchParametersHNSW(efSearch=max(effort, _FEW))
        scaled = pad((query / self.scale)[None])
        return self.rank(query, self.graph.search(scaled, _FEW, params=params)[1][0])


class LookGraph(OneGraph):
    """The same, leaning to look: for the weights that the graph in the middle serves badly."""

    name = "leaning graph + ranked again"
    built_for = (0.7, 0.15, 0.15)


class GraphPerSignal(Way):
    """A graph per signal; what each finds is joined and ranked by the blend."""

    name = "graphs, one per signal + ranked again"

    def __init__(self, searched: Searched) -> None:
        super().__init__(searched)
        self.graphs = [
            self.kept(f"{number}.hnsw", partial(build_graph, self.rows[:, part]))
            for number, part in enumerate(slices(self.widths))
        ]

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

    name = "IVF, 8 bits + ranked again"
    efforts = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)

    def __init__(self, searched: Searched) -> None:
        super().__init__(searched)
        self.scale = scales((1 / 3, 1 / 3, 1 / 3), self.widths, self.spreads)
        self.index = self.kept("joined.ivf", self._build)

    def _build(self) -> Any:
        n_lists = max(16, int(4 * len(self.rows) ** 0.5))
        metric, bits = faiss.METRIC_INNER_PRODUCT, faiss.ScalarQuantizer.QT_8bit
        scaled = pad(self.rows * self.scale)
        coarse = faiss.IndexFlatIP(scaled.shape[1])
        index = faiss.IndexIVFScalarQuantizer(coarse, scaled.shape[1], n_lists, bits, metric)
        index.by_residual = False
        index.train(scaled[:: max(1, len(scaled) // (50 * n_lists))].copy())
        index.add(scaled)
        self._coarse = coarse  # FAISS keeps a bare pointer to it
        return index

    def search(self, query: NDArray[np.float32], effort: int) -> NDArray[np.int64]:
        params = faiss.SearchParametersIVF(nprobe=effort)
        scaled = pad((query / self.scale)[None])
        return self.rank(query, self.index.search(scaled, _FEW, params=params)[1][0])


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


WAYS: tuple[type[Way], ...] = (Flat, Scan, Ivf, OneGraph, LookGraph, GraphPerSignal, HnswlibForBlend)


def build_graph(rows: NDArray[np.float32]) -> Any:
    """An HNSW graph of rows over their 8-bit codes, 16 links a row."""
    padded = pad(rows)
    bits, metric = faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    graph = faiss.IndexHNSWSQ(padded.shape[1], bits, _LINKS, metric)
    graph.hnsw.efConstruction = _BUILD_BEAM
    # The least and the greatest of each number are all that its range is made of.
    graph.train(pad(np.stack([rows.min(axis=0), rows.max(axis=0)])))
    graph.add(padded)
    return graph

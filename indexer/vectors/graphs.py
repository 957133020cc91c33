"""A small portfolio of HNSW graphs over one storage; a query walks the one that suits its weights.

A graph finds the neighbours of the blend that it was built for, and of blends
near to it: one leans to look, one to taste, and together they reach every blend.
Rows are linked by inner product, so that a walk climbs to the long taste rows
which it favours.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import faiss
import numpy as np
from numpy.typing import NDArray

from indexer.vectors.blends import Blend, scales
from indexer.vectors.blocks import Widths, pad
from indexer.vectors.codes import CodedRows
from indexer.vectors.faiss_files import read_index, write_index


@dataclass(frozen=True)
class Build:
    """How one graph is built.

    Args:
        blend: The weights whose inner product links rows.
        links: Links of a row on the upper levels; the lowest has twice as many, four bytes each.
        beam: How many rows are kept in view while a row looks for its links.
        full: Whether links that pruning would drop fill the row's list up, as far as there is room.
    """

    blend: Blend
    links: int
    beam: int
    full: bool


BUILDS = (Build((0.7, 0.15, 0.15), 8, 128, True), Build((1 / 3, 1 / 3, 1 / 3), 7, 160, False))
"""Taste rows are of many lengths and outweigh the rest at equal weights: the second graph leans to taste."""
_FILE = "graph-{}.faiss"


class Graphs:
    """Graphs that share the coded rows as their storage.

    Args:
        graphs: FAISS HNSW indexes whose storage is ``codes.lead``.
        codes: The rows; held, because FAISS keeps a bare pointer to them.
    """

    def __init__(self, graphs: list[Any], codes: CodedRows) -> None:
        self._graphs = graphs
        self._codes = codes

    @classmethod
    def build(
        cls, joined: NDArray[np.float32], widths: Widths, spreads: NDArray[np.float64], codes: CodedRows
    ) -> Self:
        """Link rows, float32, (n, dim), once for each of ``BUILDS``."""
        return cls([_over(_linked(joined, widths, spreads, codes, one), codes) for one in BUILDS], codes)

    @classmethod
    def load(cls, directory: Path, codes: CodedRows) -> Self:
        """Map what ``save`` wrote."""
        flags = faiss.IO_FLAG_SKIP_STORAGE | faiss.IO_FLAG_MMAP_IFC
        paths = [directory / _FILE.format(number) for number in range(len(BUILDS))]
        return cls([_over(read_index(path, codes.lead.d, flags), codes) for path in paths], codes)

    def save(self, directory: Path) -> tuple[str, ...]:
        """Write one file per graph and return their names."""
        names = tuple(_FILE.format(number) for number in range(len(self)))
        for name, graph in zip(names, self._graphs, strict=True):
            write_index(graph, directory / name, faiss.IO_FLAG_SKIP_STORAGE)
        return names

    def __len__(self) -> int:
        return len(self._graphs)

    def walk(
        self, graph: int, turned: NDArray[np.float32], n: int, beam: int, selector: Any = None
    ) -> NDArray[np.int64]:
        """The n best rows that one graph comes by, best first; fewer where a selector lets fewer pass.

        Args:
            graph: Which one.
            turned: The query, turned, float32, (dim,).
            n: How many rows at most.
            beam: How many rows are kept in view; the more, the surer and the slower.
            selector: FAISS selector of the rows that may be found; others are walked over.
        """
        params = faiss.SearchParametersHNSW(efSearch=max(beam, n), sel=selector)
        rows: NDArray[np.int64] = self._graphs[graph].search(self._codes.lead_of(turned), n, params=params)[
            1
        ][0]
        return rows[rows >= 0]


def _linked(
    joined: NDArray[np.float32], widths: Widths, spreads: NDArray[np.float64], codes: CodedRows, how: Build
) -> Any:
    """A graph of scaled rows; its links alone are kept."""
    axes = codes.axes
    scale = axes.lead_scales(scales(how.blend, widths, spreads))
    graph = faiss.IndexHNSWFlat(codes.lead.d, how.links, faiss.METRIC_INNER_PRODUCT)
    graph.hnsw.efConstruction, graph.keep_max_size_level0 = how.beam, how.full
    for _, turned in axes.turned(joined):
        graph.add(pad(turned[:, : axes.n_lead] * scale))
    links = faiss.serialize_index(graph, faiss.IO_FLAG_SKIP_STORAGE)
    return faiss.deserialize_index(links, faiss.IO_FLAG_SKIP_STORAGE)


def _over(graph: Any, codes: CodedRows) -> Any:
    """The graph, walked by the inner product with the coded rows; the weights come with the query."""
    graph.storage, graph.own_fields = codes.lead, False
    return graph

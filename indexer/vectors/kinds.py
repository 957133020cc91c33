"""Which kinds of index there are, and which one a catalog of some size gets."""

from __future__ import annotations

from indexer.vectors.base import VectorIndex
from indexer.vectors.exact import ExactIndex
from indexer.vectors.graphs import GraphsIndex

KINDS: dict[str, type[VectorIndex]] = {kind.kind: kind for kind in (ExactIndex, GraphsIndex)}


def kind_for(n_rows: int) -> str:
    """The kind for a catalog of ``n_rows`` movies."""
    return ExactIndex.kind

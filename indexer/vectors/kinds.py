"""Which kinds of index there are, and which one a catalog of some size gets."""

from __future__ import annotations

from indexer.vectors.base import VectorIndex
from indexer.vectors.exact import ExactIndex
from indexer.vectors.scan import ScanIndex

KINDS: dict[str, type[VectorIndex]] = {kind.kind: kind for kind in (ExactIndex, ScanIndex)}

EXACT_ROWS = 20_000
"""Up to here an exact scan takes no longer than a page takes to be written; see ``docs/benchmarks.md``."""


def kind_for(n_rows: int) -> str:
    """The kind for a catalog of ``n_rows`` movies.

    Example:
        >>> kind_for(6_000), kind_for(1_000_000)
        ('exact', 'scan')
    """
    return ExactIndex.kind if n_rows <= EXACT_ROWS else ScanIndex.kind

"""The scan kind: short codes of every row are looked at, the most promising rows are ranked again.

Product quantisation with four bits for every four numbers makes codes of
about 43 bytes, and FAISS adds up 32 of them at a time in registers: a million rows
take milliseconds. What a query weighs enters the tables that are added up, not the
codes, so any blend is as quick as any other, which no graph can say.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar, Self

import faiss
import numpy as np
from numpy.typing import NDArray

from indexer.vectors.base import FEW_ROWS, VectorIndex
from indexer.vectors.blends import blend_of, measure_spreads, usual_lengths
from indexer.vectors.blocks import Widths, pad, padded_width, slices
from indexer.vectors.codes import CodedRows
from indexer.vectors.faiss_files import bitmap_selector, read_index, write_index
from indexer.vectors.genre_groups import GenreGroups
from indexer.vectors.tuning import Effort, effort_for, tune

CODES_FILE = "codes.faiss"
PLAN_FILE = "scan.json"
_GROUP = 4
"""Numbers coded together."""
_TRAINED_ON = 50_000
_CHUNK = 65_536
_LED_ROWS, _LED_SHARE = 16_384, 0.1
"""Up to this many rows, or this share of all, what genres leave in question is looked at row by row."""
_MARGIN = 1.25
"""More rows than a filter lets pass on average are taken from the scan, for it is kinder to some queries."""
_DEEPEST = 0.5
"""Filtered rows come from the scan while it need not go deeper than this share of the allowed rows. FAISS
cannot filter the scan itself: the fewer are allowed the deeper it must go, and beyond this it is quicker
to look at all of the allowed ones by their longer codes, which FAISS can filter."""


class ScanIndex(VectorIndex):
    """Codes to find candidates, 12-bit rows to rank them, genre groups where only genres count.

    Args:
        codes: FAISS fast-scan index.
        rows: The rows, coded more finely.
        groups: Rows by genre vector; None where nearly every row has its own.
        plan: Spreads and usual lengths of the blocks, (3,) each, and the efforts found for blends.
        widths: Of the blocks.
    """

    kind: ClassVar[str] = "scan"
    exact: ClassVar[bool] = False

    def __init__(
        self,
        codes: Any,
        rows: CodedRows,
        groups: GenreGroups | None,
        plan: tuple[NDArray[np.float64], NDArray[np.float64], tuple[Effort, ...]],
        widths: Widths,
    ) -> None:
        super().__init__(widths, groups)
        self._codes = codes
        self._rows = rows
        self._refined = faiss.IndexRefine(codes, rows.coarse)
        self._spreads, self._lengths, self._efforts = plan

    @classmethod
    def build(cls, joined: NDArray[np.float32], widths: Widths) -> Self:
        spreads = measure_spreads(joined, widths)
        groups = GenreGroups.find(joined[:, slices(widths)[1]])
        plan = (spreads, usual_lengths(joined, widths), ())
        index = cls(_build_codes(joined), CodedRows.encode(joined), groups, plan, widths)
        index._efforts = tune(joined, widths, spreads, index._ranked)
        return index

    @classmethod
    def load(cls, directory: Path, widths: Widths) -> Self:
        plan = json.loads((directory / PLAN_FILE).read_bytes())
        efforts = tuple(Effort(tuple(one["blend"]), one["n_ranked"]) for one in plan["efforts"])
        return cls(
            read_index(directory / CODES_FILE, padded_width(sum(widths))),
            CodedRows.load(directory, sum(widths)),
            GenreGroups.load(directory),
            (np.array(plan["spreads"]), np.array(plan["lengths"]), efforts),
            widths,
        )

    def save(self, directory: Path) -> tuple[str, ...]:
        write_index(self._codes, directory / CODES_FILE)
        plan = {
            "spreads": self._spreads.tolist(),
            "lengths": self._lengths.tolist(),
            "efforts": [{"blend": one.blend, "n_ranked": one.n_ranked} for one in self._efforts],
        }
        with (directory / PLAN_FILE).open("xb") as file:
            file.write(json.dumps(plan, indent=1).encode())
        grouped = self._groups.save(directory) if self._groups else ()
        return (CODES_FILE, PLAN_FILE, *grouped, *self._rows.save(directory))

    def __len__(self) -> int:
        return len(self._rows)

    def read_rows(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        return self._rows.read(rows)

    def _candidates(
        self, query: NDArray[np.float32], k: int, allowed: NDArray[np.bool_] | None
    ) -> NDArray[np.int64]:
        blend = blend_of(query, self.widths, self._spreads, self._lengths)
        n_ranked = effort_for(self._efforts, blend, k)
        led = self._led_by_genre(query, k, allowed)
        if led is not None:
            return self._best_of(query, led, _spare(k))
        if allowed is None:
            return self._best(query, n_ranked, _spare(k))
        promising = self._promising(query, n_ranked, allowed)
        if promising is not None:
            return self._best_of(query, promising, _spare(k))
        return self._rows.search(query, min(_spare(k), len(self)), bitmap_selector(allowed))

    def _promising(
        self, query: NDArray[np.float32], n_ranked: int, allowed: NDArray[np.bool_]
    ) -> NDArray[np.int64] | None:
        """As many allowed rows as are ranked without a filter; None where the scan holds too few of them."""
        n_allowed = int(np.count_nonzero(allowed))
        n_scanned = min(int(_MARGIN * n_ranked * len(self) / n_allowed), len(self))
        if n_scanned > _DEEPEST * n_allowed:
            return None
        rows = self._scan(query, n_scanned)
        rows = rows[allowed[rows]][:n_ranked]
        return rows if len(rows) == n_ranked else None

    def _led_by_genre(
        self, query: NDArray[np.float32], k: int, allowed: NDArray[np.bool_] | None
    ) -> NDArray[np.int64] | None:
        """Allowed rows of the few genre vectors that can matter, where genres outweigh all else; else None.

        There, short codes cannot tell thousands of equal genre vectors apart.
        """
        visual, genre, taste = slices(self.widths)
        margin = 2.0 * float(np.linalg.norm(query[visual]) + np.linalg.norm(query[taste]))
        if self._groups is None or margin > float(np.linalg.norm(query[genre])):
            return None
        most = max(_LED_ROWS, int(_LED_SHARE * len(self)))
        return self._groups.members_within(query[genre], k, (margin, most), allowed)

    def _best_of(self, query: NDArray[np.float32], rows: NDArray[np.int64], n: int) -> NDArray[np.int64]:
        """The n best of some rows by their 8-bit codes."""
        if len(rows) <= FEW_ROWS:
            return self._rows.narrow(query, rows, n)
        mask = np.zeros(len(self), dtype=np.bool_)
        mask[rows] = True
        return self._rows.search(query, n, bitmap_selector(mask))

    def _scan(self, query: NDArray[np.float32], n: int) -> NDArray[np.int64]:
        """The n rows of which the codes promise most, best first."""
        rows: NDArray[np.int64] = self._codes.search(pad(query[None]), n)[1][0]
        return rows[rows >= 0]

    def _best(self, query: NDArray[np.float32], n_ranked: int, n: int) -> NDArray[np.int64]:
        """The n best by their 8-bit codes, among those of which the short codes promise most."""
        n = min(n, len(self))
        # FAISS takes the number of promising rows as a multiple of n, and rounds it down.
        factor = max(1.0, (min(n_ranked, len(self)) + 0.5) / n)
        params = faiss.IndexRefineSearchParameters(k_factor=factor)
        rows: NDArray[np.int64] = self._refined.search(pad(query[None]), n, params=params)[1][0]
        return rows[rows >= 0]

    def _ranked(self, query: NDArray[np.float32], n_ranked: int, k: int) -> NDArray[np.int64]:
        """The k best rows among those of which the codes promise most."""
        return self.rank(query, self._best(query, n_ranked, _spare(k)), k).rows


def _spare(k: int) -> int:
    """Rows kept by their 8-bit codes for the last ranking: these misplace a row by a few ranks."""
    return k + max(32, k // 2)


def _build_codes(joined: NDArray[np.float32]) -> Any:
    dim = padded_width(joined.shape[1])
    codes = faiss.IndexPQFastScan(dim, dim // _GROUP, 4, faiss.METRIC_INNER_PRODUCT)
    codes.train(pad(joined[:: max(1, len(joined) // _TRAINED_ON)]))
    for start in range(0, len(joined), _CHUNK):
        codes.add(pad(joined[start : start + _CHUNK]))
    return codes

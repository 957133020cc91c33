"""What a protocol found, over one or several splits, as figures with intervals."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recommender.evaluation.bootstrap import interval, relative_gain

NEAREST = "nearest_ndcg_at_10"
"""Figure by the 99 nearest in popularity on whichever side: beside the best known, fame still helps there."""
N_DECILES = 10
Row = dict[str, object]


@dataclass(frozen=True)
class Figures:
    """One metric of one row: a figure per person (or per movie that asks), named.

    Args:
        names: (n,), whose figure it is; somebody asked in several splits stands several times.
        values: float64, (n,).
    """

    names: NDArray[np.str_]
    values: NDArray[np.float64]

    def by_name(self) -> NDArray[np.float64]:
        """Mean figure of each name, names sorted."""
        _, index = np.unique(self.names, return_inverse=True)
        return np.asarray(np.bincount(index, self.values) / np.bincount(index))


@dataclass
class RowResult:
    """Everything that was measured of one row; splits are added one by one.

    Args:
        metrics: Metric to its figures, one per split.
        questions: nDCG@10 of each matched question, one array per split.
        of_lists: Figure of the top tens (see ``judge.Verdict``) to its values, one per split.
    """

    metrics: dict[str, list[Figures]] = field(default_factory=dict)
    questions: list[NDArray[np.float64]] = field(default_factory=list)
    of_lists: dict[str, list[float]] = field(default_factory=dict)

    def figures(self, metric: str) -> NDArray[np.float64]:
        """One figure per person over all splits."""
        parts = self.metrics[metric]
        return Figures(
            np.concatenate([one.names for one in parts]), np.concatenate([one.values for one in parts])
        ).by_name()


@dataclass
class Outcome:
    """What one protocol found.

    Args:
        protocol: ``genre``, ``warm`` or ``cold``.
        rows: Name to result.
        headline: The metric that rows are compared by.
        popularity: Popularity of the movie to be found, per matched question, one array per split.
        askers: Who asks it, likewise.
        people: Everybody who asked.
        n_queries: Questions over all splits.
        n_left_out: Pairs of liked movies that could not be matched.
        notes: What else a reader should know, ready for JSON.
        seed: Of the bootstrap.
    """

    protocol: str
    headline: str
    seed: int
    rows: dict[str, RowResult] = field(default_factory=dict)
    popularity: list[NDArray[np.int64]] = field(default_factory=list)
    askers: list[NDArray[np.str_]] = field(default_factory=list)
    people: set[str] = field(default_factory=set)
    n_queries: int = 0
    n_left_out: int = 0
    notes: dict[str, object] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """The document that ``onesheet evaluate-similar --json`` prints."""
        return {
            "protocol": self.protocol,
            "n_users": len(self.people),
            "n_queries": self.n_queries,
            "n_left_out": self.n_left_out,
            "rows": self.rows_as_json(),
            **self.notes,
        }

    def rows_as_json(self) -> dict[str, Row]:
        """The figures of every row, ready for JSON."""
        return {name: self._row(result) for name, result in self.rows.items()}

    def gain(self, row: str, against: str, metric: str = "") -> Row:
        """How much better one row is than another, drawn over the same people.

        Args:
            row: Name of the one.
            against: Name of the other.
            metric: By which figure; empty takes the headline.
        """
        metric = metric or self.headline
        ours, theirs = self.rows[row].figures(metric), self.rows[against].figures(metric)
        gain, low, high = relative_gain(ours, theirs, self.seed)
        return {
            "row": row,
            "against": against,
            "metric": metric,
            "relative_gain": _rounded(gain),
            "ci95": [_rounded(low), _rounded(high)],
        }

    def _row(self, result: RowResult) -> Row:
        row: Row = {name: _rounded(float(result.figures(name).mean())) for name in result.metrics}
        row |= {name: _rounded(float(np.mean(values))) for name, values in result.of_lists.items()}
        row["ci95"] = {
            name: [_rounded(end) for end in interval(result.figures(name), self.seed)]
            for name in result.metrics
        }
        if result.questions and self.popularity:
            row["by_decile"] = self.by_decile(result)
        return row

    def by_decile(self, result: RowResult) -> list[Row]:
        """The headline by tenth of the matched questions, least popular movie to be found first.

        As everywhere, a tenth's figure is the mean over those who ask in it.
        """
        ndcg = np.concatenate(result.questions)
        return [
            span | {self.headline: _rounded(float(self._by_person(ndcg, part).mean()))}
            for span, part in self._deciles()
        ]

    def gain_by_decile(self, row: str, against: str) -> Row:
        """By how much one row is ahead of another in each tenth, drawn over the same people."""
        ours, theirs = (np.concatenate(self.rows[name].questions) for name in (row, against))
        tenths = []
        for span, part in self._deciles():
            mine, other = self._by_person(ours, part), self._by_person(theirs, part)
            low, high = interval(mine - other, self.seed)
            figures = {"ours": mine.mean(), "theirs": other.mean(), "difference": (mine - other).mean()}
            tenths.append(
                span
                | {name: _rounded(float(value)) for name, value in figures.items()}
                | {"ci95": [_rounded(low), _rounded(high)]}
            )
        return {"row": row, "against": against, "metric": self.headline, "tenths": tenths}

    def _deciles(self) -> list[tuple[Row, NDArray[np.int64]]]:
        """What a reader should know of each tenth of the matched questions, and their positions."""
        popularity = np.concatenate(self.popularity)
        parts = np.array_split(np.argsort(popularity, kind="stable"), N_DECILES)
        return [
            ({"from": int(least), "to": int(most), "n_queries": len(part)}, part)
            for part in parts
            if len(part)
            for least, most in [popularity[part[[0, -1]]]]
        ]

    def _by_person(self, values: NDArray[np.float64], part: NDArray[np.int64]) -> NDArray[np.float64]:
        return Figures(np.concatenate(self.askers)[part], values[part]).by_name()


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 4)

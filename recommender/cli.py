"""The commands of ``recommender``; the root command imports them from here when they are called."""

from __future__ import annotations

from recommender.cli_evaluate import evaluate_similar
from recommender.cli_reindex import reindex
from recommender.cli_similar import similar

__all__ = ["evaluate_similar", "reindex", "similar"]

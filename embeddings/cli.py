"""The commands of ``embeddings``; the root command imports them from here when they are called.

Torch is imported inside the commands, so that ``--help`` and a wrong option answer at once.
"""

from __future__ import annotations

from embeddings.cli_calibrate import calibrate
from embeddings.cli_compare import compare
from embeddings.cli_evaluate import evaluate
from embeddings.cli_export import export
from embeddings.cli_predict import predict
from embeddings.cli_train import train

__all__ = ["calibrate", "compare", "evaluate", "export", "predict", "train"]

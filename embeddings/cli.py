"""The commands of ``embeddings``; the root command imports them from here when they are called.

Torch is imported inside the commands, so that ``--help`` and a wrong option answer at once.
"""

from __future__ import annotations

from embeddings.cli_export import export
from embeddings.cli_predict import predict

__all__ = ["export", "predict"]

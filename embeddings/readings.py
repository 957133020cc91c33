"""What is read off embeddings linearly, in a JSON file beside the checkpoint of their encoder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

from embeddings.errors import CheckpointError

Kind = TypeVar("Kind")


def load_reading(kind: type[Kind], path: Path, cure: str) -> Kind:
    """Read what was fitted on the embeddings of one encoder.

    Args:
        kind: What the file holds; making one of values that do not fit together raises ValueError.
        path: A JSON object of the fields of ``kind``.
        cure: What to do about a file that is of no use, for the message.

    Raises:
        CheckpointError: The file is damaged or cannot be read.
    """
    try:
        return kind(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, TypeError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is damaged ({error}): {cure}") from error

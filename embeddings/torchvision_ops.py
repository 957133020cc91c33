"""Makes torchvision importable beside a torch it was not compiled for.

Write ``from embeddings.torchvision_ops import torchvision``. The torchvision on PyPI is compiled for
the CUDA build of torch; beside the CPU-only build its C++ library does not
load, and a plain ``import torchvision`` dies with "operator torchvision::nms does
not exist", because it describes two operators that nobody defined. Only
detection models call those operators; classification models need none.

Traps:
    * An attempt to import torchvision that fails leaves half of it in
      ``sys.modules``; so the library is tried first, and the import made once.
    * The operators must not be defined where the library does load: a second
      definition of an operator is an error.
    * ``torchvision.io`` and ``torchvision.ops.nms`` still raise when called,
      and should: there is nothing behind them.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import torch

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


def _library_loads() -> bool:
    """Tell whether torchvision's C++ library fits this torch; loads it where it does."""
    spec = importlib.util.find_spec("torchvision")
    if spec is None or not spec.submodule_search_locations:
        return False
    libraries = [path for folder in spec.submodule_search_locations for path in Path(folder).glob("_C*.*")]
    try:
        for path in libraries:
            torch.ops.load_library(str(path))  # type: ignore[no-untyped-call]
    except OSError:
        return False
    return bool(libraries)


def _define_missing_operators() -> torch.library.Library | None:
    """Declare the two operators that torchvision describes at import, without a body."""
    if _library_loads():
        return None
    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for schema in _SCHEMAS:
        library.define(schema)  # type: ignore[no-untyped-call]
    return library


# A library takes its definitions with it when it is collected, so it is kept.
_LIBRARY = _define_missing_operators()

import torchvision  # noqa: E402

__all__ = ["torchvision"]

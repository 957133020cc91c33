"""Whether a poster shows a large face, as a reason may say it: sure or not at all."""

from __future__ import annotations

import functools
import threading
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

FACE_SIZE = (180, 270)
"""Pixels that a poster is looked at in."""
_LEAST_SIDE = 36  # a fifth of the width: smaller faces are found too seldom to tell posters apart
_SCALE_STEP = 1.2
_LEAST_HITS = 5
_LEAST_WEIGHT = 5.0
"""Sum of the last stage: of detections from here on, at least nine in ten are faces (``docs/similar.md``)."""
_IMPORTING = threading.Lock()

Box = tuple[int, int, int, int]


def shows_face(picture: Image.Image) -> bool:
    """Whether a frontal face at least a fifth as wide as the poster is found with certainty.

    Args:
        picture: RGB, of any size.
    """
    return bool(find_faces(picture))


def find_faces(picture: Image.Image) -> list[tuple[float, Box]]:
    """Certain faces: how sure, and left, top, right, bottom in pixels of ``FACE_SIZE``.

    Args:
        picture: RGB, of any size.

    Source:
        P. Viola and M. Jones, "Rapid Object Detection using a Boosted Cascade of Simple
        Features", CVPR 2001; the cascade that OpenCV ships for frontal faces.
    """
    cv2 = _opencv()
    grey = np.asarray(picture.resize(FACE_SIZE).convert("L"))
    boxes, _, weights = _cascade(threading.get_ident()).detectMultiScale3(
        cv2.equalizeHist(grey),
        _SCALE_STEP,
        _LEAST_HITS,
        minSize=(_LEAST_SIDE, _LEAST_SIDE),
        outputRejectLevels=True,
    )
    found = zip(np.ravel(weights).tolist(), np.reshape(boxes, (-1, 4)).tolist(), strict=True)
    return [(weight, (x, y, x + w, y + h)) for weight, (x, y, w, h) in found if weight >= _LEAST_WEIGHT]


def _opencv() -> Any:
    """OpenCV, imported when first needed: a server by id seldom measures a poster."""
    # While OpenCV imports, it takes itself out of sys.modules: a second thread would get half of it.
    with _IMPORTING:
        import cv2
    return cv2


@functools.lru_cache(maxsize=64)
def _cascade(_thread: int) -> Any:
    """The cascade of one thread: detecting writes into it, so that two threads may not share it."""
    cv2 = _opencv()
    cv2.setNumThreads(1)  # posters are measured side by side already
    return cv2.CascadeClassifier(str(Path(cv2.data.haarcascades) / "haarcascade_frontalface_default.xml"))

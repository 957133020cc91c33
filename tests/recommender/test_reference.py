from __future__ import annotations

import gc
import weakref

from recommender.percentiles import SetShape
from recommender.reference import Reference
from recommender.types import Weights


def test_a_reference_that_nobody_uses_lets_go_of_its_snapshot_at_once(home) -> None:
    view = home.recommender.reader.view()
    reference = Reference(view)
    weights = Weights(0.5, 0.3, 0.2)
    for shape in (SetShape(1), SetShape(3, 1)):
        assert reference.percentiles(weights, shape) is reference.percentiles(weights, shape)
    held = weakref.ref(reference)
    gc.disable()
    try:
        del reference
        assert held() is None
    finally:
        gc.enable()

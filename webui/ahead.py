"""The everyday question of every movie, answered ahead while there is little else to do."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

import numpy as np

from embeddings.errors import OnesheetError
from recommender.types import SimilarRequest

if TYPE_CHECKING:
    from indexer.view import IndexView
    from webui.services import Services

log = logging.getLogger("webui")
_LOOK_SECONDS = 2.0
"""How often it looks for change; a state must have stood for as long before work begins."""
_CALM_SECONDS = 1.0
_BUSY_SHARE, _CALM_SHARE = 0.2, 0.8
"""Share of its time that it works, while somebody asks and while nobody does."""
_CACHE_SHARE = 0.5
"""Of the kept answers; the rest is left to what people really ask."""
_LOOK_EVERY = 50


class AnswersAhead:
    """Fills the kept answers with "more like this" at default weights, best known movies first.

    A catalog that changes is left alone until it has stood still for a moment:
    a change empties the answers that are kept.

    Args:
        services: Whose answers.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End ``run`` after the answer under way."""
        self._stopped.set()

    def run(self) -> None:
        """Look for a new state and answer its questions, until stopped."""
        prepared = before = None
        while not self._stopped.wait(_LOOK_SECONDS):
            try:
                view = self._services.recommender.reader.view()
                state = (view.manifest.name, view.revision)
                if state == before and state != prepared and self.prepare(view):
                    prepared = state
            except OnesheetError as error:
                log.warning("answers ahead", extra={"error": str(error)})
                continue
            before = state

    def prepare(self, view: IndexView) -> bool:
        """Answer for every movie of a view, and say whether that came to its end before the view was old."""
        answers, facts = self._services.answers, view.facts
        rows = np.flatnonzero(facts.live)
        rows = rows[np.argsort(-facts.n_ratings[rows], kind="stable")]
        for n, movie_id in enumerate(map(bytes.decode, facts.movie_ids[rows].tolist())):
            if answers.n_bytes > _CACHE_SHARE * answers.max_bytes:
                break
            if n % _LOOK_EVERY == 0 and self._services.recommender.reader.view() is not view:
                return False
            started = time.monotonic()
            self._services.similar_body(SimilarRequest(like=(movie_id,)), view)
            now = time.monotonic()
            calm = now - self._services.asked_at > _CALM_SECONDS
            share = _CALM_SHARE if calm else _BUSY_SHARE
            if self._stopped.wait((now - started) * (1 / share - 1)):
                return False
        return True

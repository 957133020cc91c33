"""What the views of one process share: the recommender, opened after the fork and only once."""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING, cast

from flask import Flask, current_app

from embeddings.checkpoint import BUNDLED, CheckpointManifest
from embeddings.errors import OnesheetError
from indexer.settings import Settings
from webui.metrics import Metrics
from webui.settings import WebSettings

if TYPE_CHECKING:
    from recommender.recommender import Recommender

_EXTENSION = "onesheet"


class Services:
    """Holds the recommender of a process; nothing is opened before it is asked for.

    Args:
        settings: Where the home is and what it allows.
        web: How this process answers.
        metrics: Where it counts.
        recommender: One that is already open; None opens it on first use.
    """

    def __init__(
        self, settings: Settings, web: WebSettings, metrics: Metrics, recommender: Recommender | None = None
    ) -> None:
        self.settings = settings
        self.web = web
        self.metrics = metrics
        self._recommender = recommender
        self._opening = threading.Lock()

    @property
    def recommender(self) -> Recommender:
        """The recommender of this process.

        Raises:
            CatalogError: The catalog cannot be opened.
            SnapshotError: The index cannot be opened.
        """
        if self._recommender is None:
            with self._opening:
                if self._recommender is None:
                    # faiss comes with it: the master of the server must fork before that.
                    from recommender.recommender import open_recommender

                    self._recommender = open_recommender(self.settings)
        return self._recommender

    def why_not_ready(self) -> str | None:
        """Say what is missing before a question can be answered; None when nothing is."""
        try:
            self.recommender.reader.view()
        except OnesheetError as error:
            return str(error)
        return None

    @functools.cached_property
    def manifest(self) -> CheckpointManifest:
        """What the checkpoint says of itself; read without torch.

        Raises:
            CheckpointError: It is missing or damaged.
        """
        return CheckpointManifest.read(self.settings.model or BUNDLED)

    def measure(self) -> None:
        """Set the gauges to what this process serves now; nothing while nothing is open."""
        if self._recommender is None:
            return
        view = self._recommender.reader.view()
        n_rows = int(view.facts.live.sum())
        self.metrics.movies.set(n_rows)
        self.metrics.overlay_rows.set(len(view.facts) - view.manifest.count)
        self.metrics.revision_lag.set(view.revision - view.manifest.revision)


def services() -> Services:
    """The services of the app that handles the request."""
    return services_of(current_app)


def services_of(app: Flask) -> Services:
    """The services of one app."""
    return cast(Services, app.extensions[_EXTENSION])


def install_services(app: Flask, held: Services) -> None:
    """Hand ``held`` to the views of one app."""
    app.extensions[_EXTENSION] = held

"""One whole reindex of a home: the index, what is learned, the map, and what pages keep beside it."""

from __future__ import annotations

from collections.abc import Callable

from indexer.catalog import Catalog
from indexer.learning import Fitters
from indexer.reindex import ReindexOptions, reindex
from indexer.settings import Settings
from indexer.snapshots import open_store
from indexer.types import ReindexReport
from recommender.picture_store import PICTURES_NAME, refresh_pictures
from recommender.poster_map import MapDrawer


def make_reindex(
    settings: Settings, catalog: Catalog, options: ReindexOptions, device: str = "auto"
) -> Callable[[], ReindexReport]:
    """Load the encoder once and give a function that brings the home up to date.

    Args:
        settings: Of the home.
        catalog: Its open catalog.
        options: How each run works.
        device: Where the encoder runs.

    Raises:
        CheckpointError: The checkpoint cannot be loaded.
    """
    # Imported here: torch takes seconds, which --help and `onesheet similar` need not wait for.
    from embeddings.encoder import Encoder
    from recommender.affinity_model import AffinityModel
    from recommender.learned_weights import WeightLearner
    from recommender.taste import TasteModel

    encoder = Encoder.load(settings.model, device=device)
    store = open_store(settings)
    fitters = Fitters(TasteModel(), WeightLearner(), MapDrawer(), AffinityModel())

    def run() -> ReindexReport:
        report = reindex(catalog, encoder, store, fitters, options)
        if (
            not options.unread_only
        ):  # it goes through every poster; a missing picture is measured when asked for
            refresh_pictures(catalog, settings.cache_dir / PICTURES_NAME)
        return report

    return run

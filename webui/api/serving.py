"""What is being served: genres, snapshot, the encoder's own figures."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi3 import APIBlueprint, Tag

from webui.answers import GenresAnswer, ModelAnswer, SnapshotAnswer
from webui.api.documents import NOT_MODIFIED, problems
from webui.services import services
from webui.validators import revalidated

serving = APIBlueprint(
    "serving",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="server")],
    abp_responses={304: NOT_MODIFIED, **problems(422, 429, 503)},
)


@serving.get("/genres", responses={200: GenresAnswer})
def get_genres() -> Response:
    """Every genre and how many movies carry it, the most frequent first."""
    return revalidated(genres_document)


@serving.get("/snapshot", responses={200: SnapshotAnswer})
def get_snapshot() -> Response:
    """The snapshot that answers, and what the catalog changed since."""
    return revalidated(snapshot_document)


@serving.get("/model", responses={200: ModelAnswer})
def get_model() -> Response:
    """The encoder: what it is, where it comes from, how well it does."""
    return jsonify(services().manifest.to_json())


def genres_document() -> dict[str, object]:
    """Genres as they are sent."""
    recommender = services().recommender
    counts = recommender.catalog.genre_counts()
    predicted = set(recommender.reader.view().manifest.genres)
    names = sorted({*counts, *predicted}, key=lambda genre: (-counts.get(genre, 0), genre))
    return {
        "genres": [
            {"genre": genre, "movies": counts.get(genre, 0), "predicted": genre in predicted}
            for genre in names
        ]
    }


def snapshot_document() -> dict[str, object]:
    """The view as it is sent."""
    view = services().recommender.reader.view()
    manifest = view.manifest
    return {
        "name": manifest.name,
        "kind": manifest.kind,
        "fingerprint": manifest.fingerprint,
        "genres": list(manifest.genres),
        "widths": list(manifest.widths),
        "spreads": list(manifest.spreads),
        "count": int(view.facts.live.sum()),
        "revision": view.revision,
        "snapshot_revision": manifest.revision,
        "overlay_rows": view.overlay_size,
        "taste_model": manifest.taste_model,
        "default_weights": {name: list(shares) for name, shares in manifest.default_weights.items()},
        "created_at": manifest.created_at,
    }

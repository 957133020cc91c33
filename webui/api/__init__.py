"""The JSON API: one file for each resource, each with one blueprint."""

from webui.api.health import health
from webui.api.heatmap import heatmap
from webui.api.media_server import media_server
from webui.api.movies import movies
from webui.api.posters import posters
from webui.api.predict import predict
from webui.api.serving import serving
from webui.api.similar import similar
from webui.schemas import (
    HeatmapForm,
    NoFields,
    PutMovieBody,
    PutMovieForm,
    RecommendationsBody,
    SimilarBody,
    SimilarForm,
)

BODIES = (NoFields, SimilarForm, SimilarBody, RecommendationsBody, PutMovieForm, PutMovieBody, HeatmapForm)
BLUEPRINTS = (health, movies, similar, predict, heatmap, media_server, serving, posters)
UNCOUNTED = frozenset(("health", "posters"))

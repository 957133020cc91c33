"""The JSON API: one file for each resource, each with one blueprint."""

from webui.api.health import health
from webui.api.heatmap import heatmap
from webui.api.media_server import media_server
from webui.api.movies import movies
from webui.api.poster_map import poster_map
from webui.api.posters import posters
from webui.api.predict import predict
from webui.api.serving import serving
from webui.api.similar import similar
from webui.schemas import PutMovieBody, RecommendationsBody, SimilarBody

BODIES = (SimilarBody, RecommendationsBody, PutMovieBody)
BLUEPRINTS = (health, movies, similar, predict, heatmap, media_server, poster_map, serving, posters)
UNCOUNTED = frozenset(("health", "posters"))

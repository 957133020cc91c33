"""Genres of an uploaded poster."""

from __future__ import annotations

import time

from flask import Response, jsonify
from flask_openapi3 import APIBlueprint, Tag

from webui.answers import PredictAnswer
from webui.api.documents import file_body, problems
from webui.bodies import read_form, read_upload
from webui.schemas import NoFields
from webui.services import services

predict = APIBlueprint("predict", __name__, url_prefix="/api/v1", abp_tags=[Tag(name="genres")])


@predict.post(
    "/predict",
    responses={200: PredictAnswer, **problems(400, 413, 415, 422, 429, 503)},
    openapi_extensions=file_body(NoFields),
)
def post_predict() -> Response:
    """Genre probabilities of a poster and the genres they speak for; nothing is stored."""
    started = time.perf_counter()
    poster = read_upload()
    read_form(NoFields)
    prediction = services().predict(poster)
    likeliest = dict(sorted(prediction.genre_probs.items(), key=lambda item: (-item[1], item[0])))
    return jsonify(
        genre_probs=likeliest,
        genres=[genre for genre in likeliest if genre in prediction.chosen],
        fingerprint=prediction.fingerprint,
        took_ms=round((time.perf_counter() - started) * 1000, 3),
    )

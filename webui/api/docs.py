"""The OpenAPI document and a page to try it, with nothing fetched from elsewhere."""

from __future__ import annotations

import re
from typing import Any, cast

from flask import Blueprint, Response, current_app, jsonify, render_template, request
from flask_openapi3 import OpenAPI
from markupsafe import Markup, escape

from embeddings.errors import OnesheetError
from indexer.catalog import Search
from webui.api.links import with_links
from webui.api.reference import read_reference
from webui.services import services

docs = Blueprint("docs", __name__, url_prefix="/api")


@docs.app_template_filter()
def code_spans(text: str) -> Markup:
    """A description of the document, whose code stands between double backticks, as HTML.

    Example:
        >>> code_spans("A file ``poster`` < 20 MB.")
        Markup('A file <code>poster</code> &lt; 20 MB.')
    """
    # What is put in is the escaped text itself and two tags.
    return Markup(re.sub(r"``(.+?)``", r"<code>\1</code>", str(escape(text))))


@docs.get("/openapi.json")
def get_openapi() -> Response:
    """The OpenAPI 3.1 document, made from the views, with links from answer to answer."""
    return jsonify(_document())


@docs.get("/docs")
def get_docs() -> str:
    """The document as a page on which each operation can be tried."""
    document = _document()
    return render_template(
        "reference.html", document=document, reference=read_reference(document, _samples())
    )


def _document() -> dict[str, Any]:
    # Its paths begin at the server's root; behind a proxy the site may stand below another one.
    here = {"servers": [{"url": request.script_root or "/"}]}
    return with_links(cast(OpenAPI, current_app).api_doc) | here


def _samples() -> dict[str, Any]:
    """Values that work here and now: the best known movie and the first genre, where there are any."""
    samples: dict[str, Any] = {"value": 5, "source": "imdb"}
    held = services()
    try:
        best_known = held.recommender.catalog.search_movies(Search(limit=1)).movies
        samples["genre"] = next(iter(held.manifest.genres))
    except OnesheetError:
        return samples  # an empty home has its reference all the same
    for movie in best_known:
        samples |= dict.fromkeys(("movie_id", "like", "external_id"), movie.movie_id)
    return samples

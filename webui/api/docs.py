"""The OpenAPI document and a page to try it, with nothing fetched from elsewhere."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import cast

from flask import Blueprint, Response, current_app, jsonify, render_template, request
from flask_openapi3 import OpenAPI

from webui.api.links import with_links


def _swagger_dir() -> Path:
    spec = find_spec("flask_openapi3_swagger")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("flask_openapi3_swagger")
    return Path(spec.origin).parent / "templates" / "swagger"


docs = Blueprint(
    "docs", __name__, url_prefix="/api", static_folder=_swagger_dir(), static_url_path="/docs/files"
)


@docs.get("/openapi.json")
def get_openapi() -> Response:
    """The OpenAPI 3.1 document, made from the views, with links from answer to answer."""
    # Its paths begin at the server's root; behind a proxy the site may stand below another one.
    here = {"servers": [{"url": request.script_root or "/"}]}
    return jsonify(with_links(cast(OpenAPI, current_app).api_doc) | here)


@docs.get("/docs")
def get_docs() -> str:
    """The document as a page on which each operation can be tried."""
    return render_template("api_docs.html")

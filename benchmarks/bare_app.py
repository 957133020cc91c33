"""What the API is measured against: a bare Flask app that answers one JSON document, nothing around it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify

from indexer.settings import load_settings
from webui.server import ServeOptions, Server
from webui.settings import WebSettings


class BareServer(Server):
    """The same gunicorn with the same options, serving the bare app."""

    def __init__(self, options: ServeOptions, document: dict[str, Any]) -> None:
        self._document = document
        super().__init__(options, load_settings(), WebSettings())

    def load_config(self) -> None:
        """As the real server, without opening a recommender."""
        super().load_config()
        self.cfg.set("post_worker_init", lambda worker: None)
        self.cfg.set("worker_exit", lambda arbiter, worker: None)

    def load(self) -> Flask:
        """The bare app."""
        return make_bare_app(self._document)


def make_bare_app(document: dict[str, Any]) -> Flask:
    """An app with one view that turns ``document`` into JSON at every request."""
    app = Flask("bare")

    @app.get("/bare")
    def get_bare() -> Response:
        return jsonify(document)

    return app


if __name__ == "__main__":
    port, file = int(sys.argv[1]), Path(sys.argv[2])
    BareServer(ServeOptions(port=port), json.loads(file.read_text(encoding="utf-8"))).run()

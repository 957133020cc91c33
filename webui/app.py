"""The app factory: the API, the pages, and what stands around both."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from flask import Response
from flask_compress import Compress
from flask_cors import CORS
from flask_openapi3 import Info, OpenAPI
from werkzeug.middleware.proxy_fix import ProxyFix

from indexer.settings import Settings, load_settings
from webui.access import RATE_LIMIT_HEADERS, install_access
from webui.api import BLUEPRINTS, BODIES, UNCOUNTED
from webui.api.docs import docs
from webui.api.documents import SECURITY_SCHEMES, add_body_schemas
from webui.json_bytes import BytesProvider
from webui.metrics import make_metrics
from webui.observability import REQUEST_ID_HEADER, install_observability
from webui.overload import LoadGate
from webui.pages import pages
from webui.problems import install_problems, problem_of_validation
from webui.schemas import ProblemDocument
from webui.services import Services, install_services
from webui.settings import WebSettings, load_web_settings

if TYPE_CHECKING:
    from recommender.recommender import Recommender


def create_app(
    settings: Settings | None = None,
    recommender: Recommender | None = None,
    web: WebSettings | None = None,
) -> OpenAPI:
    """Build the app; no file, database or index is opened before the first request.

    Args:
        settings: Where the home is; None reads the environment.
        recommender: One that is already open; None opens the home's own on first use.
        web: How this process answers; None reads the environment.

    Raises:
        InvalidRequestError: A setting is not what it must be.
    """
    settings = settings or load_settings()
    web = web or load_web_settings()
    app = _SyncApp(
        "webui",
        info=Info(title="onesheet", version=version("onesheet"), description=_ABOUT),
        security_schemes=SECURITY_SCHEMES,
        validation_error_model=ProblemDocument,
        validation_error_callback=lambda error: problem_of_validation(error).response(),
        doc_ui=False,
    )
    app.config.update(MAX_CONTENT_LENGTH=web.max_body_bytes, MAX_FORM_MEMORY_SIZE=2**20)
    app.json = BytesProvider(app)
    metrics = make_metrics()
    install_services(app, Services(settings, web, metrics, recommender))
    install_problems(app)
    install_observability(app, metrics)
    limiter = install_access(app, settings.api_keys, settings.rate_limit, web.rate_limit_storage)
    Compress(app)
    if web.cors_origins:
        CORS(app, origins=list(web.cors_origins), expose_headers=_READABLE_ELSEWHERE)
    for blueprint in BLUEPRINTS:
        app.register_api(blueprint)
        if blueprint.name in UNCOUNTED:
            limiter.exempt(blueprint)
    app.register_blueprint(docs)
    app.register_blueprint(pages)
    add_body_schemas(app, BODIES)
    app.after_request(_forbid_foreign_content)
    _install_doors(app, web, metrics.shed.inc)
    return app


class _SyncApp(OpenAPI):
    """An app without coroutines: Flask looks into each view and hook at each request to find out."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function itself."""
        return func


def _install_doors(app: OpenAPI, web: WebSettings, on_shed: Callable[[], None]) -> None:
    wsgi = LoadGate(app.wsgi_app, web, on_shed)
    n = web.trusted_proxies
    # Flask's own way to wrap an app is to set wsgi_app, which mypy sees as a method.
    app.wsgi_app = ProxyFix(wsgi, n, n, n, n, n) if n else wsgi  # type: ignore[method-assign]


def _forbid_foreign_content(response: Response) -> Response:
    # In one pass: to set a header is to compare it with every other.
    given = {name for name, _ in response.headers}
    response.headers.extend([header for header in _SAFETY_HEADERS if header[0] not in given])
    return response


_SAFETY_HEADERS = (
    (
        "Content-Security-Policy",
        "default-src 'self'; img-src 'self' data: blob:; "
        "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'",
    ),
    ("Referrer-Policy", "same-origin"),
    ("X-Content-Type-Options", "nosniff"),
)
# Headers that a script of another origin may read, where it may call at all.
_READABLE_ELSEWHERE = ("ETag", REQUEST_ID_HEADER, "Retry-After", *RATE_LIMIT_HEADERS)
_ABOUT = "More like this, by a movie's poster, its genres, and the people who liked it."

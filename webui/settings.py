"""Settings of the web door alone: how it answers, not what; read from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from embeddings.errors import InvalidRequestError
from embeddings.posters import MAX_BYTES

DEFAULT_RATE_LIMIT = "1200/minute"
MAX_UPLOAD_BYTES = MAX_BYTES
_FORM_OVERHEAD_BYTES = 64 * 2**10


@dataclass(frozen=True)
class WebSettings:
    """How one web process answers.

    Args:
        cors_origins: Origins whose pages may call the API; none by default.
        trusted_proxies: How many proxies stand in front and set ``X-Forwarded-*``; 0 trusts none.
        max_running: Requests worked on at once in one process.
        max_waiting: Requests that may wait for a place; more are answered 503.
        max_wait_seconds: How long one waits before it is answered 503.
        rate_limit_storage: ``limits`` storage URI; the default counts in each process by itself.
    """

    cors_origins: tuple[str, ...] = ()
    trusted_proxies: int = 0
    max_running: int = 4
    max_waiting: int = 32
    max_wait_seconds: float = 5.0
    rate_limit_storage: str = "memory://"

    @property
    def max_body_bytes(self) -> int:
        """Largest request body that is read: a poster of the largest size and the form around it."""
        return MAX_UPLOAD_BYTES + _FORM_OVERHEAD_BYTES


def load_web_settings(environ: Mapping[str, str] | None = None) -> WebSettings:
    """Read ``ONESHEET_CORS_ORIGINS``, ``ONESHEET_TRUSTED_PROXIES``, ``ONESHEET_MAX_RUNNING``,
    ``ONESHEET_MAX_WAITING``, ``ONESHEET_MAX_WAIT_SECONDS`` and ``ONESHEET_RATE_LIMIT_STORAGE``.

    Args:
        environ: The environment; None is the process's own.

    Raises:
        InvalidRequestError: A number is not one, or is out of range.
    """
    env = os.environ if environ is None else environ
    default = WebSettings()
    return WebSettings(
        cors_origins=tuple(o.strip() for o in env.get("ONESHEET_CORS_ORIGINS", "").split(",") if o.strip()),
        trusted_proxies=int(_number(env, "ONESHEET_TRUSTED_PROXIES", default.trusted_proxies, least=0)),
        max_running=int(_number(env, "ONESHEET_MAX_RUNNING", default.max_running, least=1)),
        max_waiting=int(_number(env, "ONESHEET_MAX_WAITING", default.max_waiting, least=0)),
        max_wait_seconds=_number(env, "ONESHEET_MAX_WAIT_SECONDS", default.max_wait_seconds, least=0),
        rate_limit_storage=env.get("ONESHEET_RATE_LIMIT_STORAGE") or default.rate_limit_storage,
    )


def _number(env: Mapping[str, str], name: str, default: float, least: float) -> float:
    text = env.get(name, "").strip()
    if not text:
        return default
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not least <= number < 1e6:
        raise InvalidRequestError(f"{name} is {text!r}; give a number of at least {least:g}.", name)
    return number

"""Who may change data and how often anyone may ask: API keys and rate limits."""

from __future__ import annotations

import hashlib
import hmac
import math
import re
import time
from collections.abc import Sequence

from flask import Flask, Response, current_app, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, Unauthorized

from embeddings.errors import InvalidRequestError
from webui.settings import DEFAULT_RATE_LIMIT

RATE_LIMIT_HEADERS = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
_HASH_PREFIX = "sha256:"
_EXTENSION = "onesheet-keys"


class ApiKeys:
    """Keys that may change data; only their SHA-256 digests are kept.

    Args:
        keys: Keys as text, or ``sha256:HEX`` so that no file holds the key itself.

    Raises:
        InvalidRequestError: What stands behind ``sha256:`` is no digest.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._digests = tuple(_digest_of(key) for key in keys)

    def __len__(self) -> int:
        return len(self._digests)

    def knows(self, key: str) -> bool:
        """Whether ``key`` is one of them; takes as long for a wrong key as for a right one."""
        given = _digest(key)
        found = False
        for digest in self._digests:
            found |= hmac.compare_digest(given, digest)
        return found


def require_api_key() -> None:
    """Let a request that changes data pass only with a key.

    Raises:
        Forbidden: The server has no keys: nothing may be changed over HTTP.
        Unauthorized: The request has no key, or one that is not known.
    """
    keys: ApiKeys = current_app.extensions[_EXTENSION]
    if not keys:
        raise Forbidden("This server has no API keys, so nothing can be changed; set ONESHEET_API_KEYS.")
    key = bearer_key()
    if key is None or not keys.knows(key):
        raise Unauthorized(
            "This needs a known API key, sent as Authorization: Bearer KEY.",
            www_authenticate=WWWAuthenticate("bearer", {"realm": "onesheet"}),
        )


def bearer_key() -> str | None:
    """The key of the ``Authorization: Bearer`` header; None without one."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" and key.strip() else None


def install_access(app: Flask, keys: Sequence[str], rate_limit: str | None, storage: str) -> Limiter:
    """Give ``app`` its keys and its rate limit.

    Args:
        app: The app.
        keys: As for ``ApiKeys``.
        rate_limit: Flask-Limiter notation; empty is off; None is the default.
        storage: ``limits`` storage URI that counts.

    Returns:
        The limiter, so that pictures and health can be exempted.

    Source:
        R. Polli and A. Martinez, "RateLimit Header Fields for HTTP",
        draft-ietf-httpapi-ratelimit-headers-06, 2022: ``RateLimit-Reset`` is in seconds from now.
        The limiter's own headers give a time of day there, and a ``Retry-After`` with every error.
    """
    app.extensions[_EXTENSION] = ApiKeys(keys)
    limit = DEFAULT_RATE_LIMIT if rate_limit is None else rate_limit
    limiter = Limiter(
        _caller,
        app=app,
        application_limits=[limit] if limit else [],
        enabled=bool(limit),
        storage_uri=storage,
    )

    @app.after_request
    def tell_count(response: Response) -> Response:
        """Say what is left of the caller's count; only who has used it up must wait for the next."""
        counted = limiter.current_limit
        if counted is not None:
            # The limiter rounds the end of a count up; no wait is longer than the count.
            wait = math.ceil(counted.reset_at - time.time())
            seconds = min(max(0, wait), counted.limit.get_expiry())
            told = (counted.limit.amount, counted.remaining, seconds)
            response.headers.extend(zip(RATE_LIMIT_HEADERS, map(str, told), strict=True))
            if response.status_code == 429:
                response.headers["Retry-After"] = str(max(1, seconds))
        return response

    return limiter


def _caller() -> str:
    """Who is counted: a known key, else the address; an unknown key must not buy a fresh count."""
    key = bearer_key()
    keys: ApiKeys = current_app.extensions[_EXTENSION]
    if key is not None and keys.knows(key):
        return f"key:{_digest(key).hex()[:16]}"
    return f"address:{get_remote_address()}"


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


def _digest_of(key: str) -> bytes:
    if not key.startswith(_HASH_PREFIX):
        return _digest(key)
    text = key.removeprefix(_HASH_PREFIX)
    if re.fullmatch(r"[0-9a-fA-F]{64}", text) is None:
        raise InvalidRequestError(
            f"An API key begins with {_HASH_PREFIX!r} but has {len(text)} characters behind it; "
            "give the 64 hexadecimal digits of sha256sum.",
            "api_keys",
        )
    return bytes.fromhex(text)

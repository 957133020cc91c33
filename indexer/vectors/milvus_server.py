"""Where a Milvus is and how it lets us in: read from the index URL, handed to pymilvus under its own names.

    milvus://[USER:PASSWORD@]HOST:PORT[/DATABASE][?OPTION=VALUE&...]
    milvus://FILE.db                                  a file of Milvus Lite

pymilvus is imported when a server is asked for the first time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from embeddings.errors import InvalidRequestError, SnapshotError

_SECONDS = 30.0
_TLS_OPTIONS = ("server_pem_path", "server_name", "ca_pem_path", "client_pem_path", "client_key_path")
_OPTIONS = ("token", "secure", *_TLS_OPTIONS)


@dataclass(frozen=True)
class MilvusServer:
    """A Milvus, and what it takes to be let in.

    Args:
        uri: ``http://HOST:PORT``, ``https://HOST:PORT`` for TLS, or the file of Milvus Lite; no secret.
        database: Its database; ``""`` is the default one.
        credentials: pymilvus' arguments ``user`` and ``password``, or ``token``.
        tls: pymilvus' arguments that say which certificates are trusted and shown.
    """

    uri: str
    database: str = ""
    credentials: dict[str, str] = field(default_factory=dict, repr=False)
    tls: dict[str, str] = field(default_factory=dict)

    @property
    def directory(self) -> str:
        """A directory name for its snapshots: what is published to one server is not what another has."""
        where = self.uri.partition("://")[2] or self.uri
        place = f"{where}/{self.database}" if self.database else where
        return "milvus-" + re.sub(r"[^A-Za-z0-9.]+", "-", place).strip("-")

    def connect(self) -> Any:
        """A client of pymilvus.

        Raises:
            SnapshotError: pymilvus is not installed, or the server cannot be reached or lets nobody in.
        """
        settings: dict[str, Any] = {"db_name": self.database, **self.credentials, **self.tls}
        if self.uri.startswith("https://"):
            settings["secure"] = True
        with self.named_errors():
            try:
                return pymilvus().MilvusClient(self.uri, timeout=_SECONDS, **settings)
            except OSError as error:
                raise SnapshotError(
                    f"A certificate that the index URL names cannot be read: {error}; mend its path."
                ) from error

    @contextmanager
    def named_errors(self) -> Iterator[None]:
        """What Milvus says, as a sentence of ours."""
        failures = pymilvus().exceptions.MilvusException
        try:
            yield
        except failures as error:
            said = str(getattr(error, "message", "") or error)
            raise SnapshotError(
                f"Milvus at {self.uri} could not answer ({said}); start it, or name another "
                "ONESHEET_INDEX_URL."
            ) from error


def pymilvus() -> Any:
    """The library.

    Raises:
        SnapshotError: It is not installed.
    """
    try:
        import pymilvus as library
    except ImportError as error:
        raise SnapshotError(
            "The index URL names Milvus, and pymilvus is not installed; "
            "run `pip install 'onesheet[distributed]'`."
        ) from error
    return library


def parse_milvus(url: str) -> MilvusServer:
    """Read an index URL that begins with ``milvus://``.

    Raises:
        InvalidRequestError: It names neither HOST:PORT nor a file that ends in ``.db``, or an option that
            there is not. The message shows no secret.

    Example:
        >>> parse_milvus("milvus://127.0.0.1:19530").uri
        'http://127.0.0.1:19530'
        >>> parse_milvus("milvus://me:secret@milvus.example:443/films?secure=true")
        MilvusServer(uri='https://milvus.example:443', database='films', tls={})
    """
    if url.endswith(".db") and "?" not in url and "@" not in url:
        return MilvusServer(url.removeprefix("milvus://"))
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _malformed(url) from None
    database = parts.path.removeprefix("/")
    if not host or not port or "/" in database:
        raise _malformed(url)
    options = _options(parts, url)
    tls = {name: options[name] for name in _TLS_OPTIONS if name in options}
    secure = options.get("secure", "true" if tls else "false") == "true"
    bracketed = f"[{host}]" if ":" in host else host
    return MilvusServer(
        f"{'https' if secure else 'http'}://{bracketed}:{port}", database, _credentials(parts, options), tls
    )


def _options(parts: SplitResult, url: str) -> dict[str, str]:
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(set(options) - set(_OPTIONS))
    if unknown:
        raise InvalidRequestError(
            f"The index URL {without_secrets(url)} has unknown options {unknown}; "
            f"known are {', '.join(_OPTIONS)}.",
            field="index_url",
        )
    if options.get("secure", "true") not in ("true", "false"):
        raise InvalidRequestError(
            f"secure is {options['secure']!r} in the index URL; expected true or false.", field="index_url"
        )
    return options


def _credentials(parts: SplitResult, options: dict[str, str]) -> dict[str, str]:
    if "token" in options:
        return {"token": options["token"]}
    if parts.username is None:
        return {}
    return {"user": unquote(parts.username), "password": unquote(parts.password or "")}


def _malformed(url: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"The index URL is {without_secrets(url)!r}; expected milvus://[USER:PASSWORD@]HOST:PORT[/DATABASE] "
        "or milvus://FILE.db.",
        field="index_url",
    )


def without_secrets(url: str) -> str:
    """An index URL as it may be shown: without user, password and options.

    Example:
        >>> without_secrets("milvus://me:secret@milvus.example:19530?token=abc")
        'milvus://…@milvus.example:19530?…'
    """
    return re.sub(r"\?.*", "?…", re.sub(r"//[^/]*@", "//…@", url))

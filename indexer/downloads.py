"""Posters from the web: only from allowed hosts, whole, in bounds, and proven to be images.

Every safeguard is here and nowhere else. A host must be on the list, all its
addresses must be public, the connection goes to the very address that was
checked (so a name that answers differently the second time gains nothing),
and every redirect starts over at the list.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import ipaddress
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, urljoin, urlsplit

import certifi
import urllib3.exceptions
from urllib3 import BaseHTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection

from embeddings.errors import PosterError
from embeddings.posters import MAX_BYTES, poster_format, read_poster
from indexer.catalog import Catalog, PosterFile
from indexer.durable import write_durably
from indexer.settings import Settings

_PORTS = {"http": 80, "https": 443}
_SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp"}
_PROTOCOLS = ipaddress.IPv4Network("192.0.0.0/24")
_REDIRECTS = 3
_CHUNK = 1 << 16
_BUSY = frozenset((429, 502, 503, 504))
_AGENT = "onesheet/0.1"
_IDLE_SECONDS = 10.0
_SAVED_AT_ONCE = 50


@dataclass(frozen=True)
class DownloadRules:
    """What may be fetched and how gently.

    Args:
        hosts: Allowed hosts; ``*.example.org`` allows every host below, ``host:8080`` another port.
        max_bytes: Size at which a download is broken off.
        seconds: Time after which it is broken off.
        per_host: Downloads from one host at the same time.
        workers: Downloads at the same time in all.
        retries: How often a busy host is asked again.
        allow_private: Addresses of this machine and its network too; for tests with a server of their own.
    """

    hosts: tuple[str, ...] = ()
    max_bytes: int = MAX_BYTES
    seconds: float = 30.0
    per_host: int = 4
    workers: int = 8
    retries: int = 2
    allow_private: bool = False

    def allows(self, url: str) -> bool:
        """Whether the URL's host and port are on the list."""
        try:
            _check_url(url, self)
        except PosterError:
            return False
        return True


@dataclass
class DownloadReport:
    """What one run of downloads did: how many posters it kept, and the errors of the others by movie."""

    downloaded: int = 0
    failed: dict[str, str] = field(default_factory=dict)


def rules_of(settings: Settings) -> DownloadRules:
    """The rules that a home's settings stand for."""
    return DownloadRules(hosts=settings.poster_hosts, allow_private=settings.allow_private_posters)


def host_of(url: str) -> str:
    """The host of a URL, for messages; the text itself where it is no URL."""
    try:
        return urlsplit(url).hostname or url[:80]
    except ValueError:
        return url[:80]


def fetch_poster(url: str, rules: DownloadRules) -> bytes:
    """Fetch one poster.

    Returns:
        Its bytes, which were read as an image once.

    Raises:
        PosterError: The host is not allowed or not public, does not answer in time, answers with
            something else than an image, or with too much of it.
    """
    deadline = time.monotonic() + rules.seconds
    here = url
    for _ in range(_REDIRECTS + 1):
        status, headers, data = _get(here, rules, deadline)
        if status in (301, 302, 303, 307, 308) and headers.get("Location"):
            here = urljoin(here, headers["Location"])
            continue
        if status != 200:
            raise PosterError(f"{url} answered {status}; expected a picture")
        read_poster(data)
        return data
    raise PosterError(f"{url} redirects more than {_REDIRECTS} times")


def download_posters(
    catalog: Catalog, rules: DownloadRules, progress: Callable[[], object] | None = None
) -> DownloadReport:
    """Fetch the posters of all movies that have a URL and no file yet; what is done stays done.

    Args:
        catalog: Whose movies.
        rules: What may be fetched; other URLs are passed over.
        progress: Called after every URL.
    """
    urls = {one: url for one, url in catalog.posters_to_download().items() if rules.allows(url)}
    report = DownloadReport()
    kept: list[PosterFile] = []
    try:
        for movie_id, outcome in _fetched(urls, rules):
            if isinstance(outcome, PosterError):
                report.failed[movie_id] = str(outcome)
            else:
                kept.append(keep_poster(catalog, movie_id, outcome))
                report.downloaded += 1
            if len(kept) >= _SAVED_AT_ONCE:
                _save(catalog, kept)
                kept = []
            if progress is not None:
                progress()
    finally:
        _save(catalog, kept)
    return report


def keep_poster(catalog: Catalog, movie_id: str, data: bytes) -> PosterFile:
    """Write a poster under the home, named by movie and content, so that a new one never overwrites.

    Raises:
        OSError: The disk is full or failing.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    suffix = _SUFFIXES.get(poster_format(data) or "", ".jpg")
    path = catalog.home / "posters" / f"{movie_id}.{sha256[:16]}{suffix}"
    if not path.exists():
        write_durably(path, data)
    return PosterFile(movie_id, str(path), sha256, len(data), path.stat().st_mtime_ns)


def _save(catalog: Catalog, kept: list[PosterFile]) -> None:
    if not kept:
        return
    with catalog.transaction():
        catalog.set_posters({file.movie_id: Path(file.path) for file in kept})
        catalog.save_poster_files(kept)


def _fetched(urls: Mapping[str, str], rules: DownloadRules) -> Iterator[tuple[str, bytes | PosterError]]:
    """Every movie and its poster or error, as they come; few at a time, so that memory stays small."""
    gates: defaultdict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(rules.per_host))
    for url in urls.values():
        gates[urlsplit(url).netloc]  # made here: threads share them, and none may make its own

    def fetch(url: str) -> bytes | PosterError:
        with gates[urlsplit(url).netloc]:
            try:
                return fetch_poster(url, rules)
            except PosterError as error:
                return error

    with ThreadPoolExecutor(rules.workers) as pool:
        waiting: dict[Future[bytes | PosterError], str] = {}
        queue = iter(urls.items())
        while True:
            for movie_id, url in queue:
                waiting[pool.submit(fetch, url)] = movie_id
                if len(waiting) >= 2 * rules.workers:
                    break
            if not waiting:
                return
            done, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                yield waiting.pop(future), future.result()


def _get(url: str, rules: DownloadRules, deadline: float) -> tuple[int, Mapping[str, str], bytes]:
    """One answer, no redirect followed; a busy host is asked again after the time it names."""
    parts, port = _check_url(url, rules)
    for attempt in range(rules.retries + 1):
        address = _public_address(parts, port, rules)
        status, headers, data = _ask(parts, port, address, rules, deadline)
        pause = _pause(headers.get("Retry-After"), attempt)
        if status not in _BUSY or attempt == rules.retries or time.monotonic() + pause > deadline:
            return status, headers, data
        time.sleep(pause)
    raise PosterError(f"{url} stayed busy")


def _pause(retry_after: str | None, attempt: int) -> float:
    if retry_after is not None and retry_after.isascii() and retry_after.isdigit():
        return float(retry_after[:6])
    return 0.5 * 2.0**attempt


def _check_url(url: str, rules: DownloadRules) -> tuple[SplitResult, int]:
    """The parts and port of a URL whose host is on the list."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise PosterError(f"{url[:200]!r} is not a URL: {error}") from error
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme not in _PORTS or not host or parts.username is not None:
        raise PosterError(f"{url[:200]!r} is not a plain http or https URL")
    named = f"{host}:{port}"
    for rule in (one.lower().rstrip(".") for one in rules.hosts):
        allowed = rule if ":" in rule else f"{rule}:{_PORTS[parts.scheme]}"
        if named == allowed or (allowed.startswith("*.") and named.endswith(allowed[1:])):
            return parts, port
    listed = ", ".join(rules.hosts) or "none"
    raise PosterError(f"the host {named} is not among ONESHEET_POSTER_HOSTS ({listed})")


def _public_address(parts: SplitResult, port: int, rules: DownloadRules) -> str:
    """An address of the host to connect to, all of its addresses being public."""
    host = parts.hostname or ""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise PosterError(f"the host {host} cannot be found ({error})") from error
    addresses = [str(one[4][0]) for one in found]
    for address in addresses:
        if not rules.allow_private and not is_public(address):
            raise PosterError(f"the host {host} has the address {address}, which is not a public one")
    if not addresses:
        raise PosterError(f"the host {host} has no address")
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet's, also where it carries an IPv4 address inside.

    Example:
        >>> is_public("93.184.216.34"), is_public("127.0.0.1"), is_public("::ffff:10.0.0.1")
        (True, False, False)
    """
    try:
        ip = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inside = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in ipaddress.ip_network("64:ff9b::/96"):
            inside = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inside is not None:
            return is_public(str(inside))
        if ip.is_site_local:  # private until 2004, and global to Python
            return False
    elif ip in _PROTOCOLS:  # of which older Pythons take most for global
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def _ask(
    parts: SplitResult, port: int, address: str, rules: DownloadRules, deadline: float
) -> tuple[int, Mapping[str, str], bytes]:
    url, target = parts.geturl(), (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Host": parts.netloc, "User-Agent": _AGENT, "Accept": "image/*", "Accept-Encoding": "identity"}
    connection = _connection(parts, address, port)
    # A timeout of the socket begins anew with every byte; this one does not.
    cut = threading.Timer(max(deadline - time.monotonic(), 0.01), _cut, [connection])
    cut.start()
    try:
        connection.request("GET", target, headers=headers, preload_content=False, decode_content=False)
        answer = connection.getresponse()
        status, headers_back, body = answer.status, answer.headers, _read_body(answer, url, rules)
    except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError) as error:
        if time.monotonic() >= deadline:
            raise PosterError(f"{url} took longer than {rules.seconds:g} s") from error
        raise PosterError(f"{url} cannot be fetched ({type(error).__name__}: {error})") from error
    finally:
        cut.cancel()
        connection.close()
    if time.monotonic() >= deadline:  # what was cut in its headers looks like a short answer
        raise PosterError(f"{url} took longer than {rules.seconds:g} s")
    return status, headers_back, body


def _connection(parts: SplitResult, address: str, port: int) -> HTTPConnection:
    """A connection to the address that was checked; the certificate must still be the host's."""
    if parts.scheme == "http":
        return HTTPConnection(address, port, timeout=_IDLE_SECONDS)
    host = (parts.hostname or "").rstrip(".")  # neither certificates nor SNI know the final dot
    return HTTPSConnection(
        address,
        port,
        timeout=_IDLE_SECONDS,
        cert_reqs="CERT_REQUIRED",
        ca_certs=certifi.where(),
        server_hostname=host,
        assert_hostname=host,
    )


def _cut(connection: HTTPConnection) -> None:
    """Make whatever waits on the connection fail at once."""
    held: socket.socket | None = connection.sock
    if held is not None:
        # Closed by the other thread meanwhile: then there is nothing left to cut.
        with contextlib.suppress(OSError):
            held.shutdown(socket.SHUT_RDWR)


def _read_body(answer: BaseHTTPResponse, url: str, rules: DownloadRules) -> bytes:
    if answer.status != 200:
        return b""
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise PosterError(f"{url} answered with compressed bytes although none were asked for")
    body = bytearray()
    for chunk in answer.stream(_CHUNK, decode_content=False):
        body += chunk
        if len(body) > rules.max_bytes:
            raise PosterError(f"{url} is larger than {rules.max_bytes:,} bytes")
    return bytes(body)

"""Downloads over TLS: the connection goes to the address that was checked, the certificate is the host's.

A server on this machine, with a certificate of an authority made for the test,
plays a host of the web; only the look-up of names is replaced.
"""

from __future__ import annotations

import http.server
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from embeddings.errors import PosterError
from indexer import downloads
from indexer.downloads import DownloadRules, fetch_poster

NAME = "poster.example"
ELSEWHERE = "elsewhere.example"


class Handler(http.server.BaseHTTPRequestHandler):
    server: TlsHost

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on stderr."""

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers["Host"]))
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/"))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.poster)))
        self.end_headers()
        self.wfile.write(self.server.poster)


class TlsHost(http.server.ThreadingHTTPServer):
    """Serves one poster over TLS; notes what it was asked for and by which name (SNI)."""

    daemon_threads = True

    def __init__(self, poster: bytes, authority: trustme.CA) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.poster = poster
        self.asked: list[tuple[str, str]] = []
        self.names: list[str | None] = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(NAME).configure_cert(context)
        context.sni_callback = lambda _socket, name, _context: self.names.append(name)
        self.socket = context.wrap_socket(self.socket, server_side=True)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that refuses the certificate hangs up; it is no news."""

    def url(self, path: str, name: str = NAME) -> str:
        return f"https://{name}:{self.port}{path}"


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """An authority that downloads trust for the length of the test, in the place of the web's."""
    made = trustme.CA()
    made.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setattr(downloads.certifi, "where", lambda: str(tmp_path / "authority.pem"))
    return made


@pytest.fixture
def host(authority: trustme.CA, draw_poster: Callable[[str], bytes]) -> Iterator[TlsHost]:
    """A running server whose certificate is for ``poster.example``."""
    server = TlsHost(draw_poster("over TLS"), authority)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def resolved(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names that were looked up; ``*.example`` is this machine at first, and an address inside after that."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def resolve(name: str, *args: Any, **kwargs: Any) -> Any:
        if not str(name).rstrip(".").endswith(".example"):
            return real(name, *args, **kwargs)
        asked.append(name)
        return real("127.0.0.1" if asked.count(name) == 1 else "10.0.0.1", *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked


@pytest.fixture
def rules(host: TlsHost, monkeypatch: pytest.MonkeyPatch) -> DownloadRules:
    """Rules that allow two hosts, and take this machine's own address for one of the open internet."""
    real = downloads.is_public
    monkeypatch.setattr(downloads, "is_public", lambda address: address == "127.0.0.1" or real(address))
    return DownloadRules((f"{NAME}:{host.port}", f"{ELSEWHERE}:{host.port}"), seconds=20)


def test_name_and_certificate_are_the_hosts_and_the_address_is_the_one_that_was_checked(
    host: TlsHost, rules: DownloadRules, resolved: list[str]
) -> None:
    assert fetch_poster(host.url("/a.jpg"), rules) == host.poster
    assert host.names == [NAME]
    assert host.asked == [("/a.jpg", f"{NAME}:{host.port}")]
    assert resolved == [NAME]  # a second look-up would have led inside


def test_a_name_with_a_final_dot_is_the_same_host(
    host: TlsHost, rules: DownloadRules, resolved: list[str]
) -> None:
    assert fetch_poster(host.url("/a.jpg", f"{NAME}."), rules) == host.poster
    assert host.names == [NAME]


def test_a_certificate_of_another_host_is_refused(
    host: TlsHost, rules: DownloadRules, resolved: list[str]
) -> None:
    with pytest.raises(PosterError, match=rf"{ELSEWHERE}.*cannot be fetched"):
        fetch_poster(host.url("/a.jpg", ELSEWHERE), rules)
    assert host.names == [ELSEWHERE]
    assert host.asked == []


def test_a_certificate_for_the_bare_address_is_not_asked_for_by_name(
    host: TlsHost, resolved: list[str]
) -> None:
    rules = DownloadRules((f"127.0.0.1:{host.port}",), allow_private=True)
    with pytest.raises(PosterError, match="cannot be fetched"):
        fetch_poster(host.url("/a.jpg", "127.0.0.1"), rules)
    assert host.asked == []


def test_an_authority_that_nobody_trusts_is_refused(
    host: TlsHost, rules: DownloadRules, resolved: list[str], tmp_path: Path
) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "authority.pem")
    with pytest.raises(PosterError, match="cannot be fetched"):
        fetch_poster(host.url("/a.jpg"), rules)
    assert host.asked == []


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("https://other.example/a.jpg", r"other\.example:443 is not among"),
        ("http://{name}:{port}0/a.jpg", "is not among|is not a URL"),
        ("https://{name}/a.jpg", f"{NAME}:443 is not among"),
        ("https://{name}:{port}/a.jpg", r"has the address 10\.0\.0\.1, which is not a public one"),
        ("//other.example/a.jpg", r"other\.example:443 is not among"),
        ("https://169.254.169.254/latest", "is not among"),
    ],
)
def test_a_redirect_starts_over_at_the_list_and_at_the_look_up(
    host: TlsHost, rules: DownloadRules, resolved: list[str], target: str, said: str
) -> None:
    where = target.format(name=NAME, port=host.port)
    with pytest.raises(PosterError, match=said):
        fetch_poster(host.url(f"/to/{where}"), rules)
    assert len(host.asked) == 1


@pytest.mark.parametrize("address", ["127.0.0.1", "10.9.8.7", "::1", "::ffff:192.168.0.1", "169.254.169.254"])
def test_an_address_inside_is_refused_before_a_byte_is_sent(
    host: TlsHost, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, host.port))]
    monkeypatch.setattr(downloads.socket, "getaddrinfo", lambda *args, **kwargs: found)
    with pytest.raises(PosterError, match="not a public one"):
        fetch_poster(host.url("/a.jpg"), DownloadRules((f"{NAME}:{host.port}",)))
    assert (host.names, host.asked) == ([], [])

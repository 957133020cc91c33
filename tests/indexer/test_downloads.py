"""Downloading posters: a real server on this machine plays every kind of host."""

from __future__ import annotations

import http.server
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from embeddings.errors import PosterError
from indexer import downloads
from indexer.catalog import Catalog, MovieFacts
from indexer.downloads import DownloadRules, download_posters, fetch_poster, is_public
from indexer.settings import load_settings


class Host(http.server.ThreadingHTTPServer):
    """Serves what ``answers`` says, and notes what it was asked for."""

    daemon_threads = True

    def __init__(self, poster: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.poster = poster
        self.asked: list[tuple[str, str]] = []
        self.at_once, self.most_at_once = 0, 0
        self.lock = threading.Lock()
        self.closing = threading.Event()

    @property
    def name(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Host

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on stderr."""

    def do_GET(self) -> None:
        with self.server.lock:
            self.server.asked.append((self.path, self.headers["Host"]))
            self.server.at_once += 1
            self.server.most_at_once = max(self.server.most_at_once, self.server.at_once)
        try:
            self.answer(self.path.split("?")[0].strip("/").split("/"))
        finally:
            with self.server.lock:
                self.server.at_once -= 1

    def answer(self, path: list[str]) -> None:
        kind = path[0]
        if kind == "to":
            self.send(302, b"", Location="http://" + "/".join(path[1:]))
        elif kind == "loop":
            self.send(302, b"", Location="/loop")
        elif kind == "busy" and len([one for one, _ in self.server.asked if one == self.path]) == 1:
            self.send(503, b"", **{"Retry-After": "0"})
        elif kind == "big":
            self.send(200, b"\xff\xd8\xff" + bytes(3_000_000))
        elif kind == "gzip":
            self.send(200, self.server.poster, **{"Content-Encoding": "gzip"})
        elif kind == "text":
            self.send(200, b"<html>not a picture</html>")
        elif kind == "gone":
            self.send(404, b"")
        elif kind in ("drip", "headers"):
            self.drip(kind)
        else:
            if kind == "slow":
                time.sleep(0.05)
            self.send(200, self.server.poster)

    def send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def drip(self, kind: str) -> None:
        """A byte now and then, for ever: of the body, or of a header that never ends."""
        start = b"HTTP/1.1 200 OK\r\n"
        start += b"Content-Length: 100000\r\n\r\n" if kind == "drip" else b"X-Slow: "
        self.wfile.write(start)
        while not self.server.closing.wait(0.1):
            self.wfile.write(b"x")
            self.wfile.flush()


@pytest.fixture
def host(draw_poster: Callable[[str], bytes], monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """A running server on this machine."""
    server = Host(draw_poster("from the web"))
    # A client that hangs up in the middle is what these tests are about; it is no news.
    monkeypatch.setattr(server, "handle_error", lambda request, client: None)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.closing.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def rules(host: Host) -> DownloadRules:
    """Rules that allow the test server."""
    return DownloadRules((host.name,), max_bytes=1_000_000, seconds=20, allow_private=True)


def test_a_poster_is_fetched_from_an_allowed_host(host: Host, rules: DownloadRules) -> None:
    assert fetch_poster(f"http://{host.name}/a.jpg?w=3", rules) == host.poster
    assert host.asked == [("/a.jpg?w=3", host.name)]


@pytest.mark.parametrize(
    "url",
    [
        "http://other.example/a.jpg",
        "http://127.0.0.1/a.jpg",
        "http://user:pass@{host}/a.jpg",
        "http://{host}@other.example/a.jpg",
        "file:///etc/passwd",
        "ftp://{host}/a.jpg",
        "//{host}/a.jpg",
        "http://",
        "http://[::1/a.jpg",
        "http://{host}9999999/a.jpg",
        "http://{host}.other.example/a.jpg",
        "",
    ],
)
def test_other_urls_are_never_asked(host: Host, rules: DownloadRules, url: str) -> None:
    with pytest.raises(PosterError):
        fetch_poster(url.replace("{host}", host.name), rules)
    assert host.asked == []


def test_without_a_list_no_host_is_allowed(host: Host) -> None:
    with pytest.raises(PosterError, match="ONESHEET_POSTER_HOSTS"):
        fetch_poster(f"http://{host.name}/a.jpg", DownloadRules(allow_private=True))


@pytest.mark.parametrize(
    ("rule", "url", "allowed"),
    [
        ("img.example", "https://img.example/a.jpg", True),
        ("img.example", "https://IMG.example./a.jpg", True),
        ("img.example", "https://img.example:8443/a.jpg", False),
        ("img.example:8443", "https://img.example:8443/a.jpg", True),
        ("img.example", "https://www.img.example/a.jpg", False),
        ("*.img.example", "https://www.img.example/a.jpg", True),
        ("*.img.example", "https://img.example/a.jpg", False),
        ("*.img.example", "https://badimg.example/a.jpg", False),
    ],
)
def test_a_rule_allows_a_host_a_port_or_every_host_below(rule: str, url: str, allowed: bool) -> None:
    assert DownloadRules((rule,)).allows(url) is allowed


def test_an_address_of_this_machine_is_refused_whatever_its_name(host: Host, rules: DownloadRules) -> None:
    port = host.server_address[1]
    for name in ("127.0.0.1", "localhost"):
        guarded = DownloadRules((f"{name}:{port}",))
        with pytest.raises(PosterError, match="not a public one"):
            fetch_poster(f"http://{name}:{port}/a.jpg", guarded)
    assert host.asked == []


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "224.0.0.1"),
        *("100.64.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1"),
        *("::ffff:127.0.0.1", "2002:7f00:1::", "64:ff9b::a00:1", "nonsense", ""),
        *("fec0::1", "192.0.0.8"),
    ],
)
def test_private_addresses_are_told_apart(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


def test_a_name_with_one_private_address_among_public_ones_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80))
        for address in ("93.184.216.34", "10.0.0.1")
    ]
    monkeypatch.setattr(downloads.socket, "getaddrinfo", lambda *args, **kwargs: found)
    with pytest.raises(PosterError, match=r"10\.0\.0\.1"):
        fetch_poster("http://rebind.example/a.jpg", DownloadRules(("rebind.example",)))


def test_the_connection_goes_to_the_address_that_was_checked(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolved = []
    real = socket.getaddrinfo

    def resolve(name: str, *args: object, **kwargs: object) -> object:
        resolved.append(name)
        return real("127.0.0.1" if name == "poster.example" else name, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    port = host.server_address[1]
    rules = DownloadRules((f"poster.example:{port}",), allow_private=True)
    assert fetch_poster(f"http://poster.example:{port}/a.jpg", rules) == host.poster
    assert resolved.count("poster.example") == 1  # a second look-up could answer something else
    assert host.asked == [("/a.jpg", f"poster.example:{port}")]


def test_a_redirect_is_followed_on_the_list_and_refused_off_it(host: Host, rules: DownloadRules) -> None:
    assert fetch_poster(f"http://{host.name}/to/{host.name}/a.jpg", rules) == host.poster
    with pytest.raises(PosterError, match=r"other\.example:80 is not among"):
        fetch_poster(f"http://{host.name}/to/other.example/a.jpg", rules)
    with pytest.raises(PosterError, match="redirects more than"):
        fetch_poster(f"http://{host.name}/loop", rules)


@pytest.mark.parametrize(
    ("path", "said"),
    [("big", "larger than"), ("gzip", "compressed"), ("text", "JPEG|format|image"), ("gone", "answered 404")],
)
def test_an_answer_that_is_no_poster_is_refused(
    host: Host, rules: DownloadRules, path: str, said: str
) -> None:
    with pytest.raises(PosterError, match=said):
        fetch_poster(f"http://{host.name}/{path}", rules)


@pytest.mark.parametrize("path", ["drip", "headers"])
def test_a_server_that_drips_is_broken_off_in_time(host: Host, path: str) -> None:
    rules = DownloadRules((host.name,), seconds=0.5, allow_private=True)
    with pytest.raises(PosterError, match=r"longer than 0\.5 s"):
        fetch_poster(f"http://{host.name}/{path}", rules)


def test_a_busy_server_is_asked_again(host: Host, rules: DownloadRules) -> None:
    assert fetch_poster(f"http://{host.name}/busy", rules) == host.poster
    assert len(host.asked) == 2


def test_a_server_that_does_not_answer_is_named() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        name = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(PosterError, match="cannot be fetched"):
        fetch_poster(f"http://{name}/a.jpg", DownloadRules((name,), allow_private=True))


def test_posters_come_in_gently_and_only_once(catalog: Catalog, host: Host, rules: DownloadRules) -> None:
    ids = [f"tt{i}" for i in range(12)]
    catalog.upsert_movies([MovieFacts(one) for one in [*ids, "gone", "elsewhere"]], "csv")
    urls = {one: f"http://{host.name}/slow/{one}.jpg" for one in ids}
    catalog.set_poster_urls(
        urls | {"gone": f"http://{host.name}/gone", "elsewhere": "http://other.example/a"}
    )
    ticks: list[None] = []
    report = download_posters(catalog, rules, lambda: ticks.append(None))
    assert (report.downloaded, list(report.failed), len(ticks)) == (12, ["gone"], 13)
    assert 1 < host.most_at_once <= rules.per_host
    files = catalog.poster_files()
    assert [Path(file.path).read_bytes() == host.poster for file in files] == [True] * 12
    assert all(Path(file.path).parent == catalog.home / "posters" and file.sha256 for file in files)
    again = download_posters(catalog, rules)
    assert (again.downloaded, list(again.failed)) == (0, ["gone"])
    assert len(host.asked) == 14


def test_what_was_fetched_before_an_interruption_is_kept(
    catalog: Catalog, host: Host, rules: DownloadRules
) -> None:
    ids = [f"tt{i}" for i in range(30)]
    catalog.upsert_movies([MovieFacts(one) for one in ids], "csv")
    catalog.set_poster_urls({one: f"http://{host.name}/{one}.jpg" for one in ids})
    seen: list[None] = []

    def stop_at_five() -> None:
        seen.append(None)
        if len(seen) == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download_posters(catalog, rules, stop_at_five)
    assert len(catalog.poster_files()) >= 5
    left = len(catalog.posters_to_download())
    assert download_posters(catalog, rules).downloaded == left
    assert len(catalog.poster_files()) == 30


def test_private_hosts_are_allowed_by_an_explicit_setting_alone(tmp_path: Path) -> None:
    plain = load_settings(tmp_path, {"ONESHEET_POSTER_HOSTS": "a.example, b.example"})
    assert downloads.rules_of(plain) == DownloadRules(("a.example", "b.example"))
    told = load_settings(tmp_path, {"ONESHEET_ALLOW_PRIVATE_POSTERS": "1"})
    assert downloads.rules_of(told).allow_private

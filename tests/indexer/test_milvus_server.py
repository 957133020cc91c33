"""Index URLs that name a Milvus, and what of them reaches a server: credentials and certificates."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest
import trustme

from embeddings.errors import InvalidRequestError, SnapshotError
from indexer.settings import load_settings
from indexer.snapshots import open_store
from indexer.vectors.milvus_server import MilvusServer, parse_milvus

NAME = "milvus.example"


@dataclass
class Doorkeeper(grpc.GenericRpcHandler):
    """A server that notes who asks and lets nobody in."""

    authorizations: list[str] = field(default_factory=list)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        metadata = dict(handler_call_details.invocation_metadata)
        self.authorizations.append(base64.b64decode(str(metadata.get("authorization", ""))).decode())

        def refuse(_request: bytes, context: grpc.ServicerContext) -> bytes:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "nobody is let in")

        return grpc.unary_unary_rpc_method_handler(refuse)


@contextmanager
def serving(credentials: grpc.ServerCredentials | None) -> Iterator[tuple[Doorkeeper, int]]:
    """A doorkeeper at a port of this machine, behind TLS where there are credentials."""
    doorkeeper = Doorkeeper()
    server = grpc.server(ThreadPoolExecutor(2), handlers=(doorkeeper,))
    if credentials is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    try:
        yield doorkeeper, port
    finally:
        server.stop(None).wait()


@pytest.fixture
def authority() -> trustme.CA:
    """Issues certificates for this test."""
    return trustme.CA()


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str, trustme.Blob], Path]:
    """Writes a certificate or a key into a file."""

    def write(name: str, blob: trustme.Blob) -> Path:
        blob.write_to_path(str(tmp_path / name))
        return tmp_path / name

    return write


def refused(url: str) -> None:
    with pytest.raises(SnapshotError, match="could not answer"):
        parse_milvus(url).connect()


@pytest.mark.parametrize(
    ("who", "option", "said"),
    [("me:s%40cret%3A@", "", "me:s@cret:"), ("", "?token=key-1", "key-1"), ("", "", "")],
)
def test_user_and_password_or_a_token_are_shown_to_the_server(who: str, option: str, said: str) -> None:
    with serving(None) as (doorkeeper, port):
        refused(f"milvus://{who}127.0.0.1:{port}{option}")
    assert set(doorkeeper.authorizations) == {said}


def test_a_server_whose_certificate_is_trusted_is_asked_over_tls(
    authority: trustme.CA, written: Callable[[str, trustme.Blob], Path]
) -> None:
    own = authority.issue_cert(NAME)
    chain = b"".join(blob.bytes() for blob in own.cert_chain_pems)
    trusted = written("authority.pem", authority.cert_pem)
    with serving(grpc.ssl_server_credentials([(own.private_key_pem.bytes(), chain)])) as (doorkeeper, port):
        refused(f"milvus://me:secret@127.0.0.1:{port}?server_pem_path={trusted}&server_name={NAME}")
    assert set(doorkeeper.authorizations) == {"me:secret"}


def test_a_server_that_wants_to_see_a_certificate_is_shown_one(
    authority: trustme.CA, written: Callable[[str, trustme.Blob], Path]
) -> None:
    own, ours = authority.issue_cert(NAME), authority.issue_cert("onesheet.example")
    chain = b"".join(blob.bytes() for blob in own.cert_chain_pems)
    files = {
        "ca_pem_path": written("authority.pem", authority.cert_pem),
        "client_pem_path": written("client.pem", ours.cert_chain_pems[0]),
        "client_key_path": written("client.key", ours.private_key_pem),
    }
    options = "&".join(f"{name}={path}" for name, path in files.items())
    credentials = grpc.ssl_server_credentials(
        [(own.private_key_pem.bytes(), chain)], authority.cert_pem.bytes(), require_client_auth=True
    )
    with serving(credentials) as (doorkeeper, port):
        refused(f"milvus://127.0.0.1:{port}?token=key-1&server_name={NAME}&{options}")
    assert set(doorkeeper.authorizations) == {"key-1"}


def test_a_server_of_another_authority_hears_no_password(
    authority: trustme.CA,
    written: Callable[[str, trustme.Blob], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("indexer.vectors.milvus_server._SECONDS", 1.0)
    stranger = trustme.CA().issue_cert(NAME)
    chain = stranger.cert_chain_pems[0].bytes()
    trusted = written("authority.pem", authority.cert_pem)
    credentials = grpc.ssl_server_credentials([(stranger.private_key_pem.bytes(), chain)])
    with serving(credentials) as (doorkeeper, port):
        refused(f"milvus://me:secret@127.0.0.1:{port}?server_pem_path={trusted}&server_name={NAME}")
    assert doorkeeper.authorizations == []


def test_a_certificate_that_is_not_there_is_named(tmp_path: Path) -> None:
    server = parse_milvus(f"milvus://127.0.0.1:19530?server_pem_path={tmp_path}/none.pem")
    with pytest.raises(SnapshotError, match=r"none\.pem'; mend its path"):
        server.connect()


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("milvus://h:19530", MilvusServer("http://h:19530")),
        ("milvus://[::1]:19530", MilvusServer("http://[::1]:19530")),
        ("milvus://h:443/films?secure=true", MilvusServer("https://h:443", "films")),
        (
            "milvus://h:443?server_pem_path=/a.pem",
            MilvusServer("https://h:443", tls={"server_pem_path": "/a.pem"}),
        ),
        ("milvus:///var/lib/movies.db", MilvusServer("/var/lib/movies.db")),
    ],
)
def test_a_url_says_where_and_how(url: str, server: MilvusServer) -> None:
    assert parse_milvus(url) == server


@pytest.mark.parametrize(
    "where", ["", "localhost", "h:p", "file.txt", "h:19530/x/y", "[::1]", "me:secret@h", "h:1?a=secret"]
)
def test_a_url_that_names_no_milvus_is_refused_without_a_secret(tmp_path: Path, where: str) -> None:
    settings = load_settings(tmp_path, {"ONESHEET_INDEX_URL": f"milvus://{where}"})
    with pytest.raises(InvalidRequestError, match="index URL") as caught:
        open_store(settings)
    assert "secret" not in str(caught.value)


def test_no_secret_is_in_the_name_of_a_directory_or_in_what_is_printed(tmp_path: Path) -> None:
    url = "milvus://me:secret@h:19530/films?secure=true"
    store = open_store(load_settings(tmp_path, {"ONESHEET_INDEX_URL": url}))
    assert store.root == tmp_path / "milvus-h-19530-films"
    assert "secret" not in repr(parse_milvus(url))

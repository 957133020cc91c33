from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from embeddings.encoded import Poster
from embeddings.encoder import Encoder
from embeddings.errors import CheckpointError, InvalidRequestError


@pytest.fixture(scope="module")
def encoder(tiny_checkpoint: Path) -> Encoder:
    return Encoder.load(tiny_checkpoint, "cpu")


@pytest.fixture(scope="module")
def posters(tmp_path_factory: pytest.TempPathFactory) -> list[Poster]:
    """Twelve different pictures in three formats, as files."""
    folder = tmp_path_factory.mktemp("posters")
    rng = np.random.default_rng(5)
    found = []
    for i, suffix in enumerate(["jpg", "png", "webp"] * 4):
        coarse = Image.fromarray(rng.integers(0, 255, (6, 4, 3), dtype=np.uint8))
        path = folder / f"{i}.{suffix}"
        coarse.resize((100 + 10 * i, 150)).save(path)
        found.append(Poster(f"tt{i:07}", path))
    return found


def test_loading_restores_what_the_checkpoint_says(encoder: Encoder) -> None:
    assert encoder.embedding_dim == 32
    assert tuple(encoder.genres) == ("Action", "Comedy", "Drama", "Horror", "Romance")
    assert encoder.fingerprint == encoder.manifest.fingerprint
    assert encoder.manifest.metrics == {"macro_f1": 0.5}


def test_every_row_has_unit_length_and_probabilities(encoder: Encoder, posters: list[Poster]) -> None:
    encoded = encoder.encode(posters)
    assert encoded.movie_ids == tuple(poster.movie_id for poster in posters)
    assert encoded.embeddings.shape == (12, 32) and encoded.embeddings.dtype == np.float32
    assert encoded.genre_probs.shape == (12, 5) and encoded.genre_probs.dtype == np.float32
    assert np.allclose(np.linalg.norm(encoded.embeddings, axis=1), 1, atol=1e-5)
    assert ((encoded.genre_probs >= 0) & (encoded.genre_probs <= 1)).all()


def test_the_same_posters_give_the_same_answer_to_the_bit(encoder: Encoder, posters: list[Poster]) -> None:
    first, second = encoder.encode(posters), encoder.encode(posters)
    assert np.array_equal(first.embeddings, second.embeddings)
    assert np.array_equal(first.genre_probs, second.genre_probs)


@pytest.mark.parametrize("batch_size", [1, 2, 5, 12, 64])
def test_company_in_a_batch_changes_nothing(batch_size: int, encoder: Encoder, posters: list[Poster]) -> None:
    together = encoder.encode(posters)
    parts = list(encoder.encode_batches(posters, batch_size, workers=2))
    assert [len(part) for part in parts] == [min(batch_size, 12 - i) for i in range(0, 12, batch_size)]
    assert np.abs(np.concatenate([p.embeddings for p in parts]) - together.embeddings).max() <= 1e-3
    assert np.abs(np.concatenate([p.genre_probs for p in parts]) - together.genre_probs).max() <= 1e-3


def test_an_unreadable_poster_is_reported_and_its_neighbours_keep_their_ids(
    encoder: Encoder, posters: list[Poster]
) -> None:
    bad = [Poster("bad-bytes", b"no picture"), Poster("absent", Path("absent.jpg"))]
    mixed = [*posters[:2], bad[0], *posters[2:5], bad[1]]
    for batch_size in (1, 2, 3, 64):
        parts = list(encoder.encode_batches(mixed, batch_size))
        rows = {mid: row for part in parts for mid, row in zip(part.movie_ids, part.embeddings, strict=True)}
        alone = encoder.encode(posters[:5])
        assert list(rows) == [poster.movie_id for poster in posters[:5]]
        assert np.abs(np.stack(list(rows.values())) - alone.embeddings).max() <= 1e-3
        failed = [failure for part in parts for failure in part.failed]
        assert [(f.movie_id, f.poster) for f in failed] == [
            ("bad-bytes", "<10 bytes>"),
            ("absent", "absent.jpg"),
        ]
        assert "neither JPEG, PNG nor WebP" in failed[0].error
        assert "there is no poster file absent.jpg" in failed[1].error


def test_nothing_and_nothing_readable_give_empty_rows(encoder: Encoder) -> None:
    for posters in ([], [Poster("bad", b"")]):
        encoded = encoder.encode(posters)
        assert encoded.embeddings.shape == (0, 32) and encoded.genre_probs.shape == (0, 5)
        assert len(encoded.failed) == len(posters)


def test_bytes_and_the_file_that_holds_them_give_the_same_row(
    encoder: Encoder, posters: list[Poster]
) -> None:
    path = posters[0].source
    assert isinstance(path, Path)
    encoded = encoder.encode([posters[0], Poster("copy", path.read_bytes())])
    assert np.array_equal(encoded.embeddings[0], encoded.embeddings[1])


def test_posters_are_taken_only_as_far_ahead_as_needed(encoder: Encoder, posters: list[Poster]) -> None:
    taken = 0

    def endless() -> Iterator[Poster]:
        nonlocal taken
        while True:
            taken += 1
            yield posters[taken % 12]

    batches = encoder.encode_batches(endless(), batch_size=4)
    assert len(next(batches)) == 4
    assert taken <= 16
    batches.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("decode")]


def test_genres_are_chosen_by_each_ones_own_threshold(encoder: Encoder) -> None:
    probs = np.full((1, 5), 0.5, np.float32)
    assert encoder.choose(probs).tolist() == [[True, True, True, False, False]]


def test_threads_share_one_encoder(encoder: Encoder, posters: list[Poster]) -> None:
    expected = encoder.encode(posters).embeddings
    results: dict[int, float] = {}

    def work(i: int) -> None:
        results[i] = float(np.abs(encoder.encode(posters).embeddings - expected).max())

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4 and max(results.values()) <= 1e-3


@pytest.mark.parametrize("device", ["gpu", "cuda:9x", "mps", ""])
def test_an_unknown_device_is_refused(device: str, tiny_checkpoint: Path) -> None:
    with pytest.raises(InvalidRequestError, match="device"):
        Encoder.load(tiny_checkpoint, device)


def test_a_directory_without_a_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is no checkpoint"):
        Encoder.load(tmp_path)


def test_a_batch_of_no_size_is_refused(encoder: Encoder, posters: list[Poster]) -> None:
    with pytest.raises(ValueError, match="batch_size"):
        next(encoder.encode_batches(posters, 0))


@pytest.mark.real_data
def test_every_real_edge_case_gets_a_row_or_a_sentence(encoder: Encoder, real_data: Path) -> None:
    paths = sorted((real_data / "edgecases").iterdir())
    encoded = encoder.encode([Poster(path.name, path) for path in paths])
    assert len(encoded) + len(encoded.failed) == len(paths)
    assert len(encoded) == 26
    assert np.isfinite(encoded.embeddings).all() and np.isfinite(encoded.genre_probs).all()
    assert all(failure.movie_id in failure.error for failure in encoded.failed)


def test_the_picture_decides_the_row(encoder: Encoder, encode_image: Callable[..., bytes]) -> None:
    red, blue = (encode_image(Image.new("RGB", (60, 90), color)) for color in ("red", "blue"))
    encoded = encoder.encode([Poster("red", red), Poster("blue", blue), Poster("red again", red)])
    assert encoded.embeddings[0] @ encoded.embeddings[2] > 0.999
    assert encoded.embeddings[0] @ encoded.embeddings[1] < 0.99


def test_a_mirrored_look_is_the_look_at_the_mirror_image(
    encoder: Encoder, posters: list[Poster], encode_image: Callable[..., bytes]
) -> None:
    size = (encoder.manifest.preprocessing.width, encoder.manifest.preprocessing.height)
    drawn = Image.open(posters[1].source).convert("RGB").resize(size)
    mirror_image = drawn.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    one, other = (
        Poster(name, encode_image(picture)) for name, picture in (("a", drawn), ("b", mirror_image))
    )
    (mirrored,) = encoder.encode_batches([one], mirrored=True)
    (straight,) = encoder.encode_batches([other])
    assert np.allclose(mirrored.genre_probs, straight.genre_probs, atol=1e-5)
    assert not np.allclose(mirrored.genre_probs, encoder.encode([one]).genre_probs, atol=1e-5)

"""Finding posters that show the same picture."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from embeddings.encoded import Poster
from indexer.catalog import Catalog
from indexer.duplicates import MAX_DISTANCE, group_artwork, near_pairs
from indexer.scan import scan_posters


def flipped(word: np.ndarray, n_bits: int, rng: np.random.Generator) -> np.ndarray:
    bits = np.unpackbits(word)
    bits[rng.choice(64, n_bits, replace=False)] ^= 1
    return np.packbits(bits)


def test_every_pair_within_the_distance_is_found_and_no_other() -> None:
    rng = np.random.default_rng(0)
    seeds = rng.integers(0, 256, (150, 8), dtype=np.uint8)
    copies = [flipped(seeds[i % 150], i % 16, rng) for i in range(900)]
    bits = np.concatenate([seeds, np.array(copies, dtype=np.uint8)])
    unpacked = np.unpackbits(bits, axis=1)
    distance = (unpacked[:, None] != unpacked[None]).sum(axis=2)
    expected = np.argwhere(np.triu(distance <= MAX_DISTANCE, 1))
    found = near_pairs(bits)
    # Equal hashes are joined through the first of them, so pairs are compared by the hashes they join.
    assert {frozenset((bits[a].tobytes(), bits[b].tobytes())) for a, b in found} == {
        frozenset((bits[a].tobytes(), bits[b].tobytes())) for a, b in expected
    }


@pytest.mark.parametrize("n", [0, 1])
def test_no_pair_needs_no_index(n: int) -> None:
    assert near_pairs(np.zeros((n, 8), np.uint8)).shape == (0, 2)


@pytest.fixture
def filled(
    catalog: Catalog, posters_dir: Path, add_movies: Callable[..., None], draw_poster: Callable[[str], bytes]
) -> Iterator[Catalog]:
    """Twelve movies; b is a's poster saved anew, smaller and brighter, c and d are the same file."""
    add_movies("abcdefghijkl")
    picture = Image.open(io.BytesIO(draw_poster("a"))).resize((200, 300), Image.Resampling.BICUBIC)
    picture.save(posters_dir / "a.png")
    ImageEnhance.Brightness(picture.resize((120, 180))).enhance(1.1).save(posters_dir / "b.png")
    (posters_dir / "d.png").write_bytes((posters_dir / "c.png").read_bytes())
    scan_posters(catalog)
    yield catalog


def test_copies_share_a_group_and_every_movie_stays(filled: Catalog) -> None:
    report = group_artwork(filled)
    assert (report.hashed, report.groups, report.movies) == (12, 2, 4)
    groups = filled.artwork_groups()
    assert sorted(groups) == ["a", "b", "c", "d"]
    assert groups["a"] == groups["b"] != groups["c"] == groups["d"]
    assert filled.n_movies() == 12


def test_two_versions_of_a_sleeve_are_told_by_hash_pixels_and_embedding_together(
    catalog: Catalog, posters_dir: Path, add_movies: Callable[..., None], make_encoder: type
) -> None:
    add_movies("ab")
    rng = np.random.default_rng(6)
    sleeve = Image.fromarray(rng.integers(0, 256, (9, 6, 3), dtype=np.uint8))
    sleeve = sleeve.resize((160, 240), Image.Resampling.BICUBIC)
    sleeve.save(posters_dir / "a.png")
    titled = sleeve.copy()
    titled.paste((250, 250, 250), (0, 150, 160, 176))
    titled.save(posters_dir / "b.png")
    scan_posters(catalog)
    assert group_artwork(catalog).groups == 0  # the title moves the hash too far for hash and pixels alone
    encoder = make_encoder()
    catalog.add_encoder(encoder.fingerprint, encoder.genres, encoder.embedding_dim)
    encoded = encoder.encode([Poster(one, posters_dir / f"{one}.png") for one in "ab"])
    assert float(encoded.embeddings[0] @ encoded.embeddings[1]) > 0.94
    catalog.save_embeddings(encoded, encoder.fingerprint, encoder.choose(encoded.genre_probs), ["x", "y"])
    assert group_artwork(catalog, encoder.fingerprint).groups == 1


def test_looking_again_reads_nothing_and_changes_nothing(filled: Catalog) -> None:
    group_artwork(filled)
    before = filled.revision()
    report = group_artwork(filled)
    assert (report.hashed, report.moved, filled.revision()) == (0, 0, before)


def test_a_poster_that_changes_leaves_its_group(
    filled: Catalog, posters_dir: Path, draw_poster: Callable[[str], bytes]
) -> None:
    group_artwork(filled)
    (posters_dir / "d.png").write_bytes(draw_poster("something else"))
    scan_posters(filled)
    report = group_artwork(filled)
    assert (report.hashed, report.moved) == (1, 2)
    assert sorted(filled.artwork_groups()) == ["a", "b"]


def test_an_unreadable_poster_belongs_to_no_group(filled: Catalog, posters_dir: Path) -> None:
    for name in "cd":
        (posters_dir / f"{name}.png").write_bytes(b"not a picture")
    scan_posters(filled)
    group_artwork(filled)
    assert sorted(filled.artwork_groups()) == ["a", "b"]

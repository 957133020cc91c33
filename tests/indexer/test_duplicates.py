"""Finding posters that show the same picture."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from embeddings.encoded import Poster
from indexer.artwork_groups import regroup
from indexer.artwork_table import load_table
from indexer.catalog import Catalog
from indexer.duplicates import group_artwork
from indexer.scan import scan_posters


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Where the table of compared posters is kept."""
    return tmp_path / "artwork.npz"


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


def test_copies_share_a_group_and_every_movie_stays(filled: Catalog, table: Path) -> None:
    report = group_artwork(filled, table)
    assert (report.hashed, report.compared, report.groups, report.movies) == (12, 12, 2, 4)
    groups = filled.artwork_groups()
    assert sorted(groups) == ["a", "b", "c", "d"]
    assert groups["a"] == groups["b"] != groups["c"] == groups["d"]
    assert filled.n_movies() == 12


def test_two_versions_of_a_sleeve_are_told_by_hash_pixels_and_embedding_together(
    catalog: Catalog, posters_dir: Path, add_movies: Callable[..., None], make_encoder: type, table: Path
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
    assert (
        group_artwork(catalog, table).groups == 0
    )  # the title moves the hash too far for hash and pixels alone
    encoder = make_encoder()
    catalog.add_encoder(encoder.fingerprint, encoder.genres, encoder.embedding_dim)
    encoded = encoder.encode([Poster(one, posters_dir / f"{one}.png") for one in "ab"])
    assert float(encoded.embeddings[0] @ encoded.embeddings[1]) > 0.94
    catalog.save_embeddings(encoded, encoder.fingerprint, encoder.choose(encoded.genre_probs), ["x", "y"])
    assert group_artwork(catalog, table, encoder.fingerprint).groups == 1


def test_looking_again_reads_nothing_and_changes_nothing(filled: Catalog, table: Path) -> None:
    group_artwork(filled, table)
    before = filled.revision()
    for _ in range(2):  # the groups that the first run saved are changes, too
        report = group_artwork(filled, table)
        assert (report.hashed, report.compared, report.moved, filled.revision()) == (0, 0, 0, before)
    assert (report.groups, report.movies) == (2, 4)


def test_a_poster_that_changes_leaves_its_group(
    filled: Catalog, posters_dir: Path, draw_poster: Callable[[str], bytes], table: Path
) -> None:
    group_artwork(filled, table)
    (posters_dir / "d.png").write_bytes(draw_poster("something else"))
    scan_posters(filled)
    report = group_artwork(filled, table)
    assert (report.hashed, report.moved) == (1, 2)
    assert sorted(filled.artwork_groups()) == ["a", "b"]


def test_an_unreadable_poster_belongs_to_no_group(filled: Catalog, posters_dir: Path, table: Path) -> None:
    for name in "cd":
        (posters_dir / f"{name}.png").write_bytes(b"not a picture")
    scan_posters(filled)
    group_artwork(filled, table)
    assert sorted(filled.artwork_groups()) == ["a", "b"]


def test_only_new_posters_are_compared_and_they_join_the_groups_there_are(
    filled: Catalog, posters_dir: Path, add_movies: Callable[..., None], table: Path
) -> None:
    group_artwork(filled, table)
    before = filled.artwork_groups()
    (posters_dir / "e.png").write_bytes((posters_dir / "b.png").read_bytes())
    add_movies(["A0", "m"])  # one sorts before all others
    (posters_dir / "A0.png").write_bytes((posters_dir / "c.png").read_bytes())
    scan_posters(filled)
    report = group_artwork(filled, table)
    # The new ones, and the members of the groups that the two posters joined are left in peace.
    assert (report.hashed, report.compared, report.moved) == (3, 3, 2)
    assert filled.artwork_groups() == {**before, "e": before["a"], "A0": before["c"]}


def test_a_poster_that_shows_what_two_groups_show_joins_them(
    filled: Catalog, posters_dir: Path, add_movies: Callable[..., None], table: Path
) -> None:
    group_artwork(filled, table)
    groups = filled.artwork_groups()
    # Between a's picture and c's there is none: the groups are joined by hand, as a chain would.
    posters = load_table(table).posters
    rows = [posters.movie_ids.tolist().index(name.encode()) for name in "ace"]
    compared = np.arange(len(posters)) == rows[2]
    after = regroup(posters.groups, compared, np.array([[rows[0], rows[2]], [rows[1], rows[2]]]))
    assert set(after[np.isin(posters.movie_ids, [b"a", b"b", b"c", b"d", b"e"])]) == {min(groups.values())}


def test_a_group_that_loses_its_link_falls_apart(
    catalog: Catalog, posters_dir: Path, add_movies: Callable[..., None], table: Path
) -> None:
    add_movies("abc")
    rng = np.random.default_rng(8)
    noise = rng.normal(0, 1, (3, 24, 16, 3))
    for name, shift in zip("abc", (0.0, 0.5, 1.0), strict=True):
        mixed = (1 - shift) * noise[0] + shift * noise[1] + 2 * noise[2]
        pixels = np.clip(128 + 35 * mixed, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).resize((160, 240), Image.Resampling.BICUBIC).save(posters_dir / f"{name}.png")
    scan_posters(catalog)
    group_artwork(catalog, table)
    assert sorted(catalog.artwork_groups()) == ["a", "b", "c"]
    catalog.remove_movies(["b"])
    report = group_artwork(catalog, table)
    assert (report.compared, report.moved, catalog.artwork_groups()) == (2, 2, {})


def test_a_lost_or_damaged_table_costs_time_and_moves_nobody(filled: Catalog, table: Path) -> None:
    group_artwork(filled, table)
    before, revision = filled.artwork_groups(), filled.revision()
    data = bytearray(table.read_bytes())
    data[len(data) // 2] ^= 1
    for damage in (b"", bytes(data), bytes(data[:1000])):
        table.write_bytes(damage)
        report = group_artwork(filled, table)
        assert (report.hashed, report.compared, report.moved) == (0, 12, 0)
        assert (filled.artwork_groups(), filled.revision()) == (before, revision)


def test_groups_saved_by_a_run_that_died_before_its_table_are_found_again(
    filled: Catalog, posters_dir: Path, add_movies: Callable[..., None], table: Path
) -> None:
    group_artwork(filled, table)
    old = table.read_bytes()
    add_movies(["m"])
    (posters_dir / "m.png").write_bytes((posters_dir / "e.png").read_bytes())
    scan_posters(filled)
    group_artwork(filled, table)
    groups = filled.artwork_groups()
    assert groups["m"] == groups["e"]
    table.write_bytes(old)
    assert group_artwork(filled, table).moved == 0
    assert filled.artwork_groups() == groups

"""Posters, embeddings and taste factors in the catalog, and the rows that an index reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from embeddings.encoded import UnreadablePoster
from embeddings.errors import CatalogError
from embeddings.genres import GenreVocabulary
from indexer.catalog import Catalog, Counts, MovieFacts, PosterFile
from indexer.catalog.artwork import HashedPoster, ReadPoster

ENCODER = "encoder-1"


@pytest.fixture
def filled(catalog: Catalog) -> Catalog:
    """A catalog of three movies, the second with known genres."""
    movies = [
        MovieFacts("tt1", "One", 1999),
        MovieFacts("tt2", "Two", genres=("Drama", "Opera")),
        MovieFacts("tt3"),
    ]
    catalog.upsert_movies(movies, "csv")
    return catalog


def to_embed(catalog: Catalog, encoder: str = ENCODER) -> list[str]:
    return [poster.movie_id for poster in catalog.posters_to_embed(encoder)]


def test_a_poster_is_due_once_it_was_read_and_until_it_is_embedded(
    filled: Catalog, embed: Callable[..., int]
) -> None:
    assert filled.set_posters({"tt1": Path("/p/1.jpg"), "tt9": Path("/p/9.jpg")}) == Counts(added=1)
    assert to_embed(filled) == []
    filled.save_poster_files([PosterFile("tt1", "/p/1.jpg", "sha-tt1", 10, 11)])
    assert to_embed(filled) == ["tt1"]
    embed({"tt1": ([1, 0], [0.9, 0.1, 0.1])})
    assert to_embed(filled) == []
    assert to_embed(filled, "encoder-2") == ["tt1"]
    filled.save_poster_files([PosterFile("tt1", "/p/1.jpg", "other", 10, 12)])
    assert to_embed(filled) == ["tt1"]


def test_a_poster_that_moved_is_read_again_but_not_embedded_again(
    filled: Catalog, embed: Callable[..., int]
) -> None:
    filled.set_posters({"tt1": Path("/p/1.jpg")})
    filled.save_poster_files([PosterFile("tt1", "/p/1.jpg", "sha-tt1", 10, 11)])
    embed({"tt1": ([1, 0], [0.9, 0.1, 0.1])})
    assert filled.set_posters({"tt1": Path("/q/1.jpg")}) == Counts(updated=1)
    assert filled.set_posters({"tt1": Path("/q/1.jpg")}) == Counts(unchanged=1)
    (known,) = filled.poster_files()
    assert (known.path, known.sha256) == ("/q/1.jpg", None)
    filled.save_poster_files([PosterFile("tt1", "/q/1.jpg", "sha-tt1", 10, 11)])
    assert to_embed(filled) == []


def test_a_poster_under_the_home_moves_with_it(filled: Catalog, tmp_path: Path) -> None:
    filled.set_posters({"tt1": filled.home / "posters" / "1.jpg"})
    assert filled.get_movie("tt1").poster == str(filled.home / "posters" / "1.jpg")
    moved = Catalog(filled.engine, tmp_path / "elsewhere")
    assert moved.get_movie("tt1").poster == str(tmp_path / "elsewhere" / "posters" / "1.jpg")


def test_an_unreadable_poster_is_not_due_until_its_bytes_change(
    filled: Catalog, embed: Callable[..., int]
) -> None:
    embed({"tt1": ([1, 0], [0.9, 0.1, 0.1])})
    filled.set_posters({"tt1": Path("/p/1.jpg")})
    filled.save_poster_files([PosterFile("tt1", "/p/1.jpg", "broken", 10, 11)])
    filled.save_unreadable([UnreadablePoster("tt1", "/p/1.jpg", "It is truncated.")])
    assert to_embed(filled) == []
    assert [poster.error for poster in filled.unreadable_posters()] == ["It is truncated."]
    assert filled.n_embeddings(ENCODER) == 0
    filled.save_poster_files([PosterFile("tt1", "/p/1.jpg", "mended", 10, 12)])
    assert to_embed(filled) == ["tt1"]
    assert filled.unreadable_posters() == []


def test_a_dropped_poster_takes_its_embedding_along_and_leaves_the_movie(
    filled: Catalog, embed: Callable[..., int]
) -> None:
    filled.set_posters({"tt1": Path("/p/1.jpg"), "tt2": Path("/p/2.jpg")})
    embed({"tt1": ([1, 0], [0.9, 0.1, 0.1]), "tt2": ([1, 0], [0.9, 0.1, 0.1])})
    before = filled.revision()
    assert filled.drop_posters(["tt1"]) == 1
    assert [poster.movie_id for poster in filled.poster_files()] == ["tt2"]
    assert filled.changes_since(before).changed == ("tt1",)
    assert filled.get_movie("tt1").poster is None


def test_urls_wait_for_movies_that_have_no_file(filled: Catalog) -> None:
    filled.set_posters({"tt1": Path("/p/1.jpg")})
    filled.set_poster_urls({"tt1": "https://a/1.jpg", "tt2": "https://a/2.jpg", "tt9": "https://a/9.jpg"})
    assert filled.posters_to_download() == {"tt2": "https://a/2.jpg"}
    filled.set_posters({"tt2": Path("/p/2.jpg")})
    assert filled.posters_to_download() == {}


def test_poster_directories_are_remembered_once(filled: Catalog) -> None:
    filled.add_poster_dir(Path("/posters"), "folder")
    filled.add_poster_dir(Path("/posters"), "by_id")
    filled.add_poster_dir(filled.home / "posters", "by_id")
    assert filled.poster_dirs() == {Path("/posters"): "by_id", filled.home / "posters": "by_id"}


def test_embeddings_are_saved_once_and_movies_that_left_are_passed_over(
    filled: Catalog, embed: Callable[..., int]
) -> None:
    vectors = {"tt1": ([0.6, 0.8], [0.9, 0.1, 0.1]), "tt9": ([1, 0], [0.9, 0.1, 0.1])}
    assert embed(vectors) == 1
    before = filled.revision()
    assert embed(vectors) == 0
    assert (filled.revision(), filled.n_embeddings(ENCODER)) == (before, 1)


def test_an_encoder_that_changed_under_its_fingerprint_is_refused(filled: Catalog) -> None:
    filled.add_encoder(ENCODER, GenreVocabulary(("Comedy",)), 2)
    filled.add_encoder(ENCODER, GenreVocabulary(("Comedy",)), 2)
    with pytest.raises(CatalogError, match="altered"):
        filled.add_encoder(ENCODER, GenreVocabulary(("Comedy", "Drama")), 2)


def test_another_encoder_prepares_unseen_and_takes_over_at_once(
    filled: Catalog, embed: Callable[..., int]
) -> None:
    embed({"tt1": ([1, 0], [0.9, 0.1, 0.1])})
    filled.activate(ENCODER, None)
    before = filled.revision()
    embed({"tt1": ([0, 1], [0.1, 0.1, 0.9])}, "encoder-2")
    assert filled.revision() == before
    assert filled.get_movie("tt1").chosen_genres == ("Comedy",)
    filled.activate("encoder-2", None)
    assert filled.revision() == before + 1
    assert filled.get_movie("tt1").chosen_genres == ("Horror",)
    assert filled.genre_counts() == {"Drama": 1, "Horror": 1, "Opera": 1}
    assert filled.forget_inactive() == 1
    assert (filled.n_embeddings(ENCODER), filled.n_embeddings("encoder-2")) == (0, 1)


def test_activating_what_is_active_takes_no_revision(filled: Catalog, embed: Callable[..., int]) -> None:
    embed({"tt1": ([1, 0], [0.9, 0.1, 0.1])})
    filled.activate(ENCODER, None)
    before = filled.revision()
    filled.activate(ENCODER, None)
    assert filled.revision() == before


def test_a_row_holds_unit_blocks_and_what_is_known(
    filled: Catalog, embed: Callable[..., int], taste_of: Callable[..., object], rate: Callable[..., Counts]
) -> None:
    embed({"tt1": ([3, 4], [0.3, 0.4, 0.0]), "tt2": ([1, 0], [0.9, 0.9, 0.9])})
    filled.save_taste(taste_of({"tt1": ([0.6, 0.8], 0)}))  # type: ignore[arg-type]
    filled.set_posters({"tt2": Path("/p/2.jpg")})
    filled.save_artwork_groups({"tt2": 5})
    rate(("u", "tt2", 4.0, 1))
    batch = filled.read_rows(ENCODER, "taste-1")
    rows, facts = batch.rows, batch.facts
    assert rows.movie_ids == ("tt1", "tt2")
    np.testing.assert_allclose(rows.visual, [[0.6, 0.8], [1, 0]], atol=1e-6)
    np.testing.assert_allclose(rows.genre, [[0.6, 0.8, 0], [0, 1, 0]], atol=1e-3)
    np.testing.assert_allclose(rows.taste, [[0.6, 0.8], [0, 0]], atol=1e-3)
    assert rows.known.tolist() == [[True, True, True], [True, True, False]]
    assert rows.n_ratings.tolist() == facts.n_ratings.tolist() == [0, 1]
    assert facts.movie_ids.tolist() == [b"tt1", b"tt2"]
    assert facts.years.tolist() == [1999, 0]
    assert facts.genre_bits.tolist() == [0b000, 0b010]
    assert facts.artwork_groups.tolist() == [-1, 5]


def test_rows_that_are_not_told_genres_hold_what_posters_say(
    filled: Catalog, embed: Callable[..., int]
) -> None:
    embed({"tt1": ([1, 0], [0.3, 0.4, 0.0]), "tt2": ([1, 0], [0.8, 0.0, 0.6])})
    [batch] = filled.iter_rows(ENCODER, told=False)
    np.testing.assert_allclose(batch.rows.genre, [[0.6, 0.8, 0], [0.8, 0, 0.6]], atol=1e-3)
    np.testing.assert_allclose(filled.read_rows(ENCODER).rows.genre[1], [0, 1, 0], atol=1e-3)


def test_genre_bits_are_the_known_genres_else_the_chosen_ones(
    filled: Catalog, embed: Callable[..., int]
) -> None:
    embed({"tt1": ([1, 0], [0.9, 0.1, 0.9]), "tt2": ([1, 0], [0.9, 0.1, 0.9])})
    assert filled.read_rows(ENCODER).facts.genre_bits.tolist() == [0b101, 0b010]


def test_a_movie_of_which_nothing_is_known_has_no_row(filled: Catalog, embed: Callable[..., int]) -> None:
    embed({"tt1": ([1, 0], [0.9, 0.1, 0.9])})
    assert filled.read_rows(ENCODER).rows.movie_ids == ("tt1", "tt2")
    assert filled.read_rows(ENCODER, None, ["tt3", "tt9"]).rows.visual.shape == (0, 2)


def test_batches_put_together_are_all_rows(catalog: Catalog, embed: Callable[..., int]) -> None:
    ids = [f"tt{i:03d}" for i in range(57)]
    catalog.upsert_movies([MovieFacts(one) for one in ids], "csv")
    embed({one: ([i + 1, 1], [0.9, 0.1, 0.1]) for i, one in enumerate(ids)})
    batches = list(catalog.iter_rows(ENCODER, batch_size=10))
    assert [len(batch) for batch in batches] == [10, 10, 10, 10, 10, 7]
    whole = catalog.read_rows(ENCODER)
    assert [one for batch in batches for one in batch.rows.movie_ids] == list(whole.rows.movie_ids) == ids
    some = catalog.read_rows(ENCODER, None, ids[::-3])
    assert list(some.rows.movie_ids) == sorted(ids[::-3])


def test_rows_of_an_unknown_encoder_are_refused(filled: Catalog) -> None:
    with pytest.raises(CatalogError, match="onesheet reindex"):
        filled.read_rows("nobody")


def test_the_same_factors_again_take_no_revision(filled: Catalog, taste_of: Callable[..., object]) -> None:
    factors = taste_of({"tt1": ([0.6, 0.8], 3), "tt9": ([1, 0], 1)})
    assert filled.save_taste(factors) == 1  # type: ignore[arg-type]
    filled.activate(None, "taste-1")
    before = filled.revision()
    assert filled.save_taste(factors) == 0  # type: ignore[arg-type]
    assert filled.revision() == before
    assert filled.save_taste(taste_of({"tt1": ([0.8, 0.6], 3)})) == 1  # type: ignore[arg-type]
    assert filled.changes_since(before).changed == ("tt1",)


def test_the_map_of_a_model_comes_back(filled: Catalog, taste_of: Callable[..., object]) -> None:
    filled.save_taste(taste_of({"tt1": ([0.6, 0.8], 3)}))  # type: ignore[arg-type]
    taste_map = filled.find_map("taste-1")
    assert taste_map is not None
    np.testing.assert_array_equal(taste_map, np.arange(12, dtype=np.float32).reshape(6, 2))
    assert filled.find_map("nobody") is None


def test_another_taste_model_prepares_unseen_and_the_old_one_is_forgotten(
    filled: Catalog, taste_of: Callable[..., object]
) -> None:
    filled.save_taste(taste_of({"tt1": ([0.6, 0.8], 3)}))  # type: ignore[arg-type]
    filled.activate(None, "taste-1")
    before = filled.revision()
    filled.save_taste(taste_of({"tt1": ([0.8, 0.6], 3)}, "taste-2"))  # type: ignore[arg-type]
    assert filled.revision() == before
    filled.activate(None, "taste-2")
    filled.forget_inactive()
    assert filled.find_map("taste-1") is None
    assert filled.find_map("taste-2") is not None


def test_hashes_are_kept_until_the_bytes_change(filled: Catalog) -> None:
    filled.set_posters({"tt1": Path("/p/1.jpg")})
    filled.save_poster_files([PosterFile("tt1", "/p/1.jpg", "sha", 10, 11)])
    assert filled.read_posters(["tt1", "tt2"]) == [ReadPoster("tt1", "/p/1.jpg", "sha", None, None)]
    filled.save_hashes([HashedPoster("tt1", "00ff00ff00ff00ff", 182, 268)])
    assert [one.phash for one in filled.read_posters(["tt1"])] == ["00ff00ff00ff00ff"]
    filled.save_poster_files([PosterFile("tt1", "/p/1.jpg", "other", 10, 12)])
    assert [one.phash for one in filled.read_posters(["tt1"])] == [None]


def test_only_movies_that_change_their_artwork_group_change(filled: Catalog) -> None:
    filled.set_posters({one: Path(f"/p/{one}.jpg") for one in ("tt1", "tt2", "tt3")})
    assert filled.save_artwork_groups({"tt1": 1, "tt2": 1}) == 2
    before = filled.revision()
    assert filled.save_artwork_groups({"tt1": 1, "tt2": 1}) == 0
    assert filled.revision() == before
    assert filled.save_artwork_groups({"tt1": 1, "tt2": None, "tt3": 1}) == 2
    assert filled.changes_since(before).changed == ("tt2", "tt3")
    assert filled.artwork_groups() == {"tt1": 1, "tt3": 1}

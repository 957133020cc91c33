"""All parts of a k-fold run learn the same genres."""

from dataclasses import replace
from pathlib import Path

from embeddings.training.config import TrainConfig
from embeddings.training.data import deal_sides
from embeddings.training.folds import folds_genres, train_folds
from embeddings.training.labels import Labels
from embeddings.training.soft_labels import read_soft_labels

World = tuple[Path, Path]


def test_a_genre_that_one_part_has_too_few_movies_of_is_learnt_by_no_part(
    poster_world: World, world_labels: Labels, small_config: TrainConfig, tmp_path: Path
) -> None:
    whole = deal_sides(world_labels, poster_world[1], small_config.data)
    whole.save(tmp_path / "split.json")
    rare = set(whole.train[:7])  # three, two and two of them fall to the parts; five have to be left to learn
    pairs = list(zip(world_labels.movie_ids, world_labels.genres, strict=True))
    uneven = replace(
        world_labels, genres=tuple((*names, "Western") if i in rare else names for i, names in pairs)
    )
    values = {"data.folds": 3, "epochs": 1, "data.split_file": tmp_path / "split.json"}
    config = small_config.with_values(values)
    own = set()
    for fold in range(3):
        data = config.with_values({"data.fold": fold}).data
        split = deal_sides(uneven, poster_world[1], data)
        own.add(uneven.select(split.train).vocabulary(5).genres)
    assert len(own) == 2, "left to themselves the parts learn different genres"
    assert folds_genres(uneven, poster_world[1], config.data) == ("Comedy", "Drama", "Horror", "War")
    folds = train_folds(uneven, poster_world[1], tmp_path / "out", config)
    assert read_soft_labels(folds.soft_labels).genres.genres == ("Comedy", "Drama", "Horror", "War")
    lines: list[str] = []
    train_folds(uneven, poster_world[1], tmp_path / "out", config, lines.append)
    assert not [line for line in lines if line.startswith("epoch")], "finished parts are not run again"

"""``onesheet evaluate-similar``: offline quality of "more like this"."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from numpy.typing import NDArray

from embeddings.errors import LabelsError
from indexer.catalog import open_catalog
from indexer.settings import Settings

if TYPE_CHECKING:
    from recommender.evaluation.data import CatalogData

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_DIRECTORY = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command("evaluate-similar")
@click.option(
    "--protocol",
    type=click.Choice(["genre", "warm", "cold"]),
    default="warm",
    show_default=True,
    help="genre: posters alone; warm: rated movies; cold: movies nobody rated.",
)
@click.option("--labels", type=_FILE, help="True genres to judge by; default: the catalog's own.")
@click.option(
    "--split", type=_FILE, help="Judge genres only of the test side of a training run's split.json."
)
@click.option("--ratings", type=_FILE, help="Judge by these people; default: a split of the catalog's own.")
@click.option(
    "--seed", type=click.IntRange(0, 2**31), default=0, show_default=True, help="Of the first split."
)
@click.option(
    "--repeats", type=click.IntRange(1, 20), default=3, show_default=True, help="Splits, one per seed."
)
@click.option("--histogram", is_flag=True, help="Judge colours of the posters beside (reads every poster).")
@click.option(
    "--imagenet",
    type=_DIRECTORY,
    help="Judge another checkpoint's embeddings beside, such as one that only saw ImageNet (slow).",
)
@click.option(
    "--report", type=click.Path(file_okay=False, path_type=Path), help="Write JSON, table and plot here."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def evaluate_similar(settings: Settings, /, **options: Any) -> None:
    """Judge "more like this" by genres and by what people liked.

    Example: onesheet evaluate-similar --protocol cold --report quality
    """
    # Imported here: scipy and the models take a second, which --help need not wait for.
    from recommender.evaluation.cold import judge_cold
    from recommender.evaluation.data import read_catalog
    from recommender.evaluation.genre import judge_genre
    from recommender.evaluation.protocol import JudgeOptions
    from recommender.evaluation.ratings_file import read_people
    from recommender.evaluation.report import as_markdown, write_report
    from recommender.evaluation.warm import judge_warm

    for note in _notes(options):
        click.echo(f"onesheet: {note}", err=True)
    truth = read_truth(options["labels"]) if options["labels"] else None
    data = read_catalog(open_catalog(settings, create=False))
    if options["split"] and options["protocol"] == "genre":
        truth = _test_side(options["split"], data, truth)
    judged = frozenset(data.rows.movie_ids if truth is None else truth)
    pairs = zip(data.rows.movie_ids, data.posters, strict=True)
    looks = _looks(
        options, data.rows.movie_ids, tuple(path if one in judged else None for one, path in pairs)
    )
    how = JudgeOptions(options["seed"], options["repeats"], looks)
    if options["protocol"] == "genre":
        outcome = judge_genre(data, truth, how)
    else:
        people = read_people(options["ratings"], data.rows.movie_ids) if options["ratings"] else None
        outcome = (judge_warm if options["protocol"] == "warm" else judge_cold)(data, people, how)
    if options["report"]:
        write_report(outcome, options["report"])
    click.echo(
        json.dumps(outcome.as_json(), ensure_ascii=False) if options["as_json"] else as_markdown(outcome)
    )


def _notes(options: Mapping[str, Any]) -> Iterator[str]:
    """What somebody who reads the figures should know of the question."""
    by_genre = options["protocol"] == "genre"
    if by_genre and not (options["labels"] or options["split"]):
        yield (
            "every poster with known genres is judged, also those that the encoder may have learned from, "
            "which flatters it; --split SPLIT.json judges the test side alone"
        )
    for name, is_read in (("ratings", not by_genre), ("labels", by_genre), ("split", by_genre)):
        if options[name] and not is_read:
            yield f"--{name} is not looked at under --protocol {options['protocol']}"


def _test_side(
    split: Path, data: CatalogData, truth: Mapping[str, frozenset[str]] | None
) -> dict[str, frozenset[str]]:
    """True genres of the movies on the test side, of the labels or else of the catalog."""
    from embeddings.training.splits import Split

    if truth is None:
        names = [frozenset(data.genres.names(known)) for known in data.known_genres]
        truth = dict(zip(data.rows.movie_ids, names, strict=True))
    return {movie_id: truth[movie_id] for movie_id in Split.load(split).test if truth.get(movie_id)}


def read_truth(path: Path) -> dict[str, frozenset[str]]:
    """True genres by movie id, of a labels file; movies without a genre are left out.

    Raises:
        LabelsError: The file cannot be read or has no columns ``Id`` and ``Genre``.
    """
    from indexer.importers.fields import parse_genres

    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file)
            if table.fieldnames is None or not {"Id", "Genre"} <= set(table.fieldnames):
                raise LabelsError(f"{path} has the columns {table.fieldnames}; expected Id and Genre.")
            found = {row["Id"]: frozenset(parse_genres(row["Genre"] or "")) for row in table}
    except (OSError, ValueError, csv.Error) as error:  # a wrong encoding is a ValueError
        raise LabelsError(f"{path} cannot be read as a table of labels: {error}") from error
    return {movie_id: genres for movie_id, genres in found.items() if genres}


def _looks(
    options: Mapping[str, Any], movie_ids: tuple[str, ...], posters: tuple[str | None, ...]
) -> dict[str, NDArray[np.float32]]:
    from recommender.evaluation.looks import colour_histograms, embed_with

    looks = {}
    if options["imagenet"]:
        # Imported here: torch takes seconds.
        from embeddings.encoder import Encoder

        looks["visual_imagenet"] = embed_with(Encoder.load(options["imagenet"]), movie_ids, posters)
    if options["histogram"]:
        looks["visual_histogram"] = colour_histograms(posters)
    return looks

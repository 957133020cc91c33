"""``onesheet predict``: genres of posters, by their files."""

from __future__ import annotations

import csv
import json
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from embeddings.checkpoint import BUNDLED
from embeddings.cli_options import chosen_model, device_option, model_option
from embeddings.encoded import EncodedPosters, Poster, UnreadablePoster
from embeddings.eras import EraModel
from embeddings.errors import InvalidRequestError, PosterError

if TYPE_CHECKING:
    from embeddings.encoder import Encoder

# What a folder may hold as posters. Formats that are not read stand here too: their files are then
# named as failures, and not passed over in silence.
_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"}
    | {".heic", ".heif", ".jp2", ".j2k", ".jpx", ".jxl", ".psd", ".ico", ".mpo", ".svg", ".apng"}
    | {".sgi", ".tga", ".pcx", ".ppm", ".pgm", ".pbm", ".pnm", ".dds", ".icns", ".qoi", ".xbm"}
)


@dataclass(frozen=True)
class PosterGenres:
    """What the encoder says about one poster.

    Args:
        poster: Its file.
        genre_probs: Genre to probability.
        genres: The chosen ones.
        era_probs: Era to probability; empty where eras were not asked for.
    """

    poster: str
    genre_probs: dict[str, float]
    genres: tuple[str, ...]
    era_probs: dict[str, float]

    @property
    def era(self) -> str:
        """The likeliest era."""
        return max(self.era_probs, key=self.era_probs.__getitem__)


@click.command()
@click.argument("posters", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="POSTER...")
@click.option(
    "--csv",
    "csv_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write a table to this file.",
)
@click.option("--eras", is_flag=True, help="Also say which decade each poster looks like.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option(
    "--batch-size", type=click.IntRange(1, 4096), default=64, show_default=True, help="Posters per pass."
)
@click.option("--strict", is_flag=True, help="Exit 1 if any poster could not be read.")
@model_option
@device_option
@click.pass_context
def predict(
    ctx: click.Context,
    posters: tuple[Path, ...],
    csv_file: Path | None,
    eras: bool,
    as_json: bool,
    batch_size: int,
    strict: bool,
    model: Path | None,
    device: str,
) -> None:
    """Print the genres that posters look like; folders are searched for images.

    Example: onesheet predict poster.jpg more-posters/ --csv genres.csv
    """
    from embeddings.encoder import Encoder

    directory = chosen_model(ctx, model) or BUNDLED
    encoder = Encoder.load(directory, device)
    era_model = EraModel.read(directory, encoder.fingerprint) if eras else None
    if csv_file is not None:
        _refuse_unwritable(csv_file)
    started = time.perf_counter()
    found, failed = _predict_all(encoder, era_model, posters, batch_size)
    took = time.perf_counter() - started
    if csv_file is not None:
        _write_csv(csv_file, found)
    if as_json:
        click.echo(json.dumps(_document(encoder, found, failed, took), ensure_ascii=False, indent=2))
    else:
        for poster in found:
            click.echo(_line(poster))
    for bad in failed:
        click.echo(f"onesheet: {bad.error}", err=True)
    if not found and not failed:
        raise PosterError(
            f"{', '.join(map(str, posters))} holds no poster: name image files or folders of them"
        )
    if not found or (strict and failed):
        ctx.exit(1)


def find_posters(sources: Iterable[Path]) -> Iterator[Path]:
    """Files as they are named, and the images in and under each folder, sorted by path."""
    for source in sources:
        if source.is_dir():
            files = (path for path in source.rglob("*") if path.suffix.lower() in _SUFFIXES)
            yield from sorted(path for path in files if path.is_file())
        else:
            yield source


def _predict_all(
    encoder: Encoder, era_model: EraModel | None, sources: Iterable[Path], batch_size: int
) -> tuple[list[PosterGenres], list[UnreadablePoster]]:
    paths = list(find_posters(sources))
    posters = (Poster(str(path), path) for path in paths)
    found: list[PosterGenres] = []
    failed: list[UnreadablePoster] = []
    # The bar is for people: it goes to stderr, and only where that is a terminal.
    with tqdm(total=len(paths), unit="poster", disable=not sys.stderr.isatty()) as bar:
        for encoded in encoder.encode_batches(posters, batch_size):
            found.extend(_poster_genres(encoder, era_model, encoded))
            failed.extend(encoded.failed)
            bar.update(len(encoded) + len(encoded.failed))
    return found, failed


def _poster_genres(
    encoder: Encoder, era_model: EraModel | None, encoded: EncodedPosters
) -> Iterator[PosterGenres]:
    chosen = encoder.choose(encoded.genre_probs)
    eras = era_model.eras if era_model else []
    era_probs = (
        era_model.predict(encoded.embeddings) if era_model else np.zeros((len(encoded), 0), np.float32)
    )
    for i, poster in enumerate(encoded.movie_ids):
        yield PosterGenres(
            poster,
            _by_name(encoder.genres, encoded.genre_probs[i]),
            encoder.genres.names(chosen[i]),
            _by_name(eras, era_probs[i]),
        )


def _by_name(names: Iterable[str], probs: NDArray[np.float32]) -> dict[str, float]:
    return {name: round(float(prob), 6) for name, prob in zip(names, probs, strict=True)}


def _line(poster: PosterGenres) -> str:
    ranked = sorted(poster.genres, key=lambda genre: -poster.genre_probs[genre])
    said = ", ".join(f"{genre} {poster.genre_probs[genre]:.2f}" for genre in ranked)
    if not said:
        likeliest = max(poster.genre_probs, key=poster.genre_probs.__getitem__)
        said = f"no genre is likely enough; {likeliest} {poster.genre_probs[likeliest]:.2f} comes nearest"
    look = f" (looks like {poster.era})" if poster.era_probs else ""
    return f"{poster.poster}: {said}{look}"


def _document(
    encoder: Encoder, found: list[PosterGenres], failed: list[UnreadablePoster], took: float
) -> dict[str, Any]:
    return {
        "model": encoder.fingerprint,
        "posters": [_entry(poster) for poster in found],
        "failed": [{"poster": bad.poster, "error": bad.error} for bad in failed],
        "posters_per_second": round(len(found) / took, 1) if took > 0 else None,
    }


def _entry(poster: PosterGenres) -> dict[str, Any]:
    entry = {"poster": poster.poster, "genres": list(poster.genres), "genre_probs": poster.genre_probs}
    return entry | ({"era": poster.era, "era_probs": poster.era_probs} if poster.era_probs else {})


def _refuse_unwritable(path: Path) -> None:
    """Say so before thousands of posters are looked at, not after; a table of before stays as it is."""
    try:
        path.open("a", encoding="utf-8").close()
    except OSError as error:
        raise InvalidRequestError(
            f"{path} cannot be written ({error.strerror}): name another file for --csv"
        ) from error


def _write_csv(path: Path, found: Iterable[PosterGenres]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        with_eras = any(poster.era_probs for poster in found)
        writer.writerow(("file", "predicted_labels", "raw_probs", *(("predicted_era",) if with_eras else ())))
        for poster in found:
            row = (poster.poster, "|".join(poster.genres), json.dumps(poster.genre_probs))
            writer.writerow((*row, poster.era) if with_eras else row)

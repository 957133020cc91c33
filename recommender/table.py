"""An answer as a table for people to read in a terminal."""

from __future__ import annotations

import math

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from recommender.types import SIGNALS, Neighbour, SimilarMovies

_PIPE_WIDTH = 120


def print_answer(answer: SimilarMovies, names: dict[str, str], console: Console | None = None) -> None:
    """Write the question and one line per result to stdout.

    Args:
        answer: What was found.
        names: Movie id to title of the liked and unliked movies.
        console: Where to; None is stdout, 120 columns wide where that is no terminal.
    """
    out = console or _stdout()
    out.print(_question(answer, names))
    if not answer.results:
        out.print("Nothing in the catalog matches; loosen the filters or the least score.")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("#", justify="right", style="dim")
    table.add_column("movie", ratio=3, overflow="fold")
    table.add_column("id", style="dim", no_wrap=True)
    table.add_column("score", justify="right", no_wrap=True)
    for signal in SIGNALS:
        table.add_column(signal, justify="right", no_wrap=True)
    table.add_column("because", ratio=4, overflow="fold")
    for rank, result in enumerate(answer.results, 1):
        table.add_row(*_cells(rank, result))
    out.print(table)


def _stdout() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_PIPE_WIDTH)


def _question(answer: SimilarMovies, names: dict[str, str]) -> Text:
    request = answer.request
    like = [names.get(movie_id, movie_id) for movie_id in request.like]
    text = "More like " + " and ".join(["this picture"] * (request.poster is not None) + like)
    if request.unlike:
        text += ", less like " + " and ".join(names.get(movie_id, movie_id) for movie_id in request.unlike)
    weights = answer.weights.as_tuple()
    shares = ", ".join(f"{signal} {share:.2f}" for signal, share in zip(SIGNALS, weights, strict=True))
    return Text.assemble((text, "bold"), (f"  ({shares})", "dim"))


def _cells(rank: int, result: Neighbour) -> list[str | Text]:
    title = result.title + (f" ({result.year})" if result.year else "")
    signals = [result.signals[signal] for signal in SIGNALS]
    # Text, not str: a title in square brackets must not be read as markup.
    return [
        str(rank),
        Text(title),
        Text(result.movie_id),
        # Rounded down: only a movie with itself is at 100.
        f"{math.floor(10_000 * result.score) / 100:.2f}",
        *("–" if value is None else f"{value:.2f}" for value in signals),
        Text("; ".join(reason.text for reason in result.reasons[:2])),
    ]

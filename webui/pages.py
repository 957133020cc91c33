"""The pages: the wall, a movie, more like these, your own poster, the map, the model.

Each page renders whole without a script; a script asks for one ``part`` of the same page
as HTML and puts it in, so that a card is written in one place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for

from embeddings.checkpoint import BUNDLED
from embeddings.errors import NotFoundError, SnapshotError
from indexer.types import Movie
from recommender.types import SimilarMovies, SimilarRequest, Weights
from webui.api.similar import find_similar, similar_request
from webui.bodies import read_form, read_upload
from webui.page_curves import TABLE, training_charts
from webui.page_forms import FIRST_DECADE, PanelForm, TrayForm, WallForm, read_query
from webui.page_model import (
    TRIVIAL,
    card_html,
    facts_of,
    find_figures,
    genre_figures,
    headlines,
    reach,
    reliability,
)
from webui.page_parts import PanelPlace, closeness, predicted_rows
from webui.services import services

pages = Blueprint("pages", __name__)
pages.add_app_template_filter(closeness)
_EQUAL = Weights(1 / 3, 1 / 3, 1 / 3)
_SORTS = (("", "Best known"), ("title", "Title"), ("year", "Newest"), ("oldest", "Oldest"))
# Posters and heat-maps of an upload are blobs; nothing else may come from elsewhere.
_POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)


@pages.get("/")
def wall() -> str:
    """Posters side by side, searched, filtered and ordered."""
    form = read_query(WallForm)
    catalog = services().recommender.catalog
    page = catalog.search_movies(form.search())
    kept: dict[str, Any] = {
        k: v for k, v in request.args.items() if k in ("q", "genre", "known", "decade", "sort") and v
    }
    facts = {
        "form": form,
        "movies": page.movies,
        "suggested": [] if page.movies or not form.q else _close_to(form.q),
        "heading": _heading(form, page.total),
        "filtered": form.filtered,
        "follows": bool(form.cursor),
        "next_url": url_for("pages.wall", **kept, cursor=page.next_cursor) if page.next_cursor else None,
    }
    if form.part:
        return render_template("_wall.html", **facts)
    return render_template("wall.html", genres=_genres(), decades=_decades(), sorts=_SORTS, **facts)


@pages.get("/movies/<movie_id>")
def movie(movie_id: str) -> str:
    """One movie: its poster, what is known, what the poster says, and more like it."""
    panel = read_query(PanelForm)
    asked = similar_request(panel, like=(movie_id,))
    if panel.part:
        return render_template("_similar.html", found=find_similar(asked))
    shown = services().recommender.catalog.get_movie(movie_id)
    return render_template(
        "movie.html",
        movie=shown,
        predicted=predicted_rows(shown.predicted_genres, shown.chosen_genres),
        heat_url=_heat_url_of(shown),
        **_panel_facts(panel, PanelPlace.of("movie", "get_similar", "query", movie_id=movie_id), asked),
    )


@pages.get("/these")
def these() -> str:
    """More like several movies, and less like others: the tray."""
    tray = read_query(TrayForm)
    asked = similar_request(tray, tuple(tray.like), tuple(tray.unlike))
    if tray.part:
        return render_template("_similar.html", found=find_similar(asked))
    found = services().recommender.catalog.find_movies([*tray.like, *tray.unlike])
    sides = {
        "liked": [found[one] for one in tray.like if one in found],
        "unliked": [found[one] for one in tray.unlike if one in found],
    }
    if not sides["liked"]:
        return render_template("these.html", **sides)
    hidden = [("like", one) for one in tray.like] + [("unlike", one) for one in tray.unlike]
    place = PanelPlace.of("these", "post_similar", "json")
    return render_template("these.html", **sides, **_panel_facts(tray, place, asked, hidden))


@pages.get("/upload")
def upload() -> str:
    """Show a poster of your own."""
    return render_template("upload.html")


@pages.post("/upload")
def read_poster() -> str:
    """What an uploaded poster says, and more like it; nothing is stored."""
    poster = read_upload()
    panel = read_form(PanelForm)
    part = request.args.get("part", "")
    asked = similar_request(panel, poster=poster)
    if part == "similar":
        return render_template("_similar.html", found=find_similar(asked))
    prediction = services().predict(poster)
    facts = _panel_facts(panel, PanelPlace.of("upload", "post_similar", "poster"), asked)
    return render_template(
        "_reading.html" if part == "reading" else "upload.html",
        predicted=predicted_rows(prediction.genre_probs, prediction.chosen),
        chosen=prediction.chosen,
        heat_url=lambda genre: url_for("heatmap.post_heatmap"),
        may_add=bool(services().settings.api_keys),
        **facts,
    )


@pages.get("/map")
def poster_map() -> str:
    """Every poster as a point."""
    return render_template("map.html")


@pages.get("/model")
def model() -> str:
    """The encoder: how well it tells genres, whether its probabilities hold, where it comes from."""
    held = services()
    figures = find_figures(held.manifest.metrics)
    best = held.manifest.provenance.get("best_epoch")
    kept_epoch = best if isinstance(best, int) else None
    return render_template(
        "model.html",
        manifest=held.manifest,
        figures=figures,
        trivial=TRIVIAL,
        headlines=headlines(figures) if figures else [],
        genres=genre_figures(figures) if figures else [],
        dots=reliability(figures) if figures else [],
        reach=reach(figures) if figures else 1.0,
        charts=training_charts(held.manifest.history, kept_epoch),
        kept_epoch=kept_epoch,
        told_columns=TABLE,
        facts=facts_of(held.manifest.provenance),
        card=card_html(held.settings.model or BUNDLED),
    )


@pages.after_request
def guard(response: Response) -> Response:
    """Let a page load nothing from elsewhere, and a browser ask again whether it is still right."""
    response.headers.setdefault("Content-Security-Policy", _POLICY)
    response.headers.setdefault("Cache-Control", "no-cache")
    return response


@pages.after_app_request
def hold_static(response: Response) -> Response:
    """Read a static file whole and close it.

    Compressed as a stream, its handle is left to the garbage collector; so it
    is where a browser hangs up before the answer is closed.
    """
    if request.endpoint == "static" and response.status_code == 200:
        stream = response.response
        response.direct_passthrough = False
        response.get_data()
        close = getattr(stream, "close", None)
        if close is not None:
            close()
    return response


def _panel_facts(
    panel: PanelForm, place: PanelPlace, asked: SimilarRequest, hidden: list[tuple[str, str]] | None = None
) -> dict[str, Any]:
    """What the templates of the panel and the neighbours need.

    A movie that has no neighbours yet still has its page: the sentence stands where they would.
    """
    found: SimilarMovies | None = None
    problem: str | None = None
    try:
        found = find_similar(asked)
    except (NotFoundError, SnapshotError) as error:
        problem = str(error)
    return {
        "panel": panel,
        "action": place.action,
        "api": place,
        "hidden": hidden or [],
        "genres": _genres(),
        "found": found,
        "neighbours_problem": problem,
        "weights": found.weights if found else _EQUAL,
    }


def _heat_url_of(shown: Movie) -> Callable[[str], str] | None:
    if not shown.poster:
        return None
    return lambda genre: url_for("heatmap.get_heatmap", movie_id=shown.movie_id, genre=genre)


def _genres() -> list[tuple[str, int]]:
    counts = services().recommender.catalog.genre_counts()
    return sorted(counts.items())


def _close_to(title: str) -> list[Movie]:
    catalog = services().recommender.catalog
    return list(catalog.find_movies(catalog.suggest_movies(title)).values())


def _decades() -> list[int]:
    return list(range(2020, FIRST_DECADE - 1, -10))


def _heading(form: WallForm, total: int) -> str:
    noun = "one-sheet" if total == 1 else "one-sheets"
    named = f" for “{form.q}”" if form.q else ""
    return f"{total:,} {noun}{named}"

"""What a movie's facts are when several sources speak of it; plain data, no database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from dataclasses import replace as replace_fields
from typing import NamedTuple

from indexer.catalog.records import SOURCES, Counts, MovieFacts


class Said(NamedTuple):
    """What one source says: genres joined by ``|``; None where it says nothing."""

    title: str | None = None
    year: int | None = None
    genres: str | None = None
    collection: str | None = None


BySource = dict[str, Said]
"""What each source says of one movie."""


@dataclass
class Upsert:
    """What must be written.

    Args:
        facts: (movie id, source, title, year, genres, collection) that are new or changed.
        movies: (movie id, title, year, collection) whose resolved facts are new or changed.
        genres: Known genres of the movies whose genres changed.
        counts: How many movies of the catalog are new, changed, unchanged.
    """

    facts: list[tuple[str, str, str | None, int | None, str | None, str | None]] = field(default_factory=list)
    movies: list[tuple[str, str, int | None, str | None]] = field(default_factory=list)
    genres: dict[str, tuple[str, ...]] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)


def merge_records(records: Iterable[MovieFacts]) -> dict[str, MovieFacts]:
    """One record per movie: a later one completes and overrules an earlier, genres are joined."""
    merged: dict[str, MovieFacts] = {}
    for new in records:
        old = merged.get(new.movie_id)
        if old is not None:
            new = replace_fields(
                old,
                title=new.title or old.title,
                year=new.year or old.year,
                genres=tuple(sorted({*old.genres, *new.genres})),
                external_ids={**old.external_ids, **new.external_ids},
                collection=new.collection or old.collection,
            )
        merged[new.movie_id] = new
    return merged


def resolve(by_source: BySource) -> Said:
    """Field by field, what the most trusted source says that says anything."""
    ranked = [by_source[source] for source in sorted(by_source, key=_rank)]
    return Said(
        next((said.title for said in ranked if said.title), None),
        next((said.year for said in ranked if said.year), None),
        next((said.genres for said in ranked if said.genres), None),
        next((said.collection for said in ranked if said.collection), None),
    )


def _rank(source: str) -> tuple[int, str]:
    return (SOURCES.index(source) if source in SOURCES else len(SOURCES), source)


@dataclass(frozen=True)
class Speaker:
    """Who speaks, and how.

    Args:
        source: Kind of the source.
        replace: What a record leaves out is forgotten rather than kept.
        adds: Movies that are not in the catalog are added; else what is said of them waits for them.
    """

    source: str
    replace: bool = False
    adds: bool = True


def plan_upsert(
    records: dict[str, MovieFacts], stored: dict[str, BySource], present: set[str], speaker: Speaker
) -> Upsert:
    """Compare what a source says now with what is stored.

    Args:
        records: One per movie id.
        stored: What every source said before.
        present: The movies that are in the catalog.
        speaker: Who speaks.
    """
    plan = Upsert()
    added = updated = unchanged = 0
    for movie_id, record in records.items():
        before = stored.get(movie_id, {})
        old = before.get(speaker.source, Said())
        new = _said(record, old, speaker.replace)
        if new != old:
            plan.facts.append((movie_id, speaker.source, *new))
        is_new = movie_id not in present
        if is_new and not speaker.adds:
            continue
        was = Said() if is_new else resolve(before)
        now = resolve({**before, speaker.source: new})
        if is_new or now != was:
            plan.movies.append((movie_id, now.title or movie_id, now.year, now.collection))
        if now.genres != was.genres:
            plan.genres[movie_id] = tuple(now.genres.split("|")) if now.genres else ()
        added += is_new
        updated += not is_new and now != was
        unchanged += not is_new and now == was
    plan.counts = Counts(added, updated, unchanged)
    return plan


def _said(record: MovieFacts, old: Said, replace: bool) -> Said:
    genres = "|".join(sorted(set(record.genres))) or None
    new = Said(record.title, record.year, genres, record.collection)
    if replace:
        return new
    return Said(
        new.title or old.title,
        new.year or old.year,
        new.genres or old.genres,
        new.collection or old.collection,
    )

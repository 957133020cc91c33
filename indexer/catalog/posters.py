"""Where posters lie, what their bytes hash to, and which of them still have to be embedded."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import and_, delete, func, or_, select, update

from indexer.catalog import bulk
from indexer.catalog.base import in_catalog
from indexer.catalog.embeddings import Embeddings
from indexer.catalog.records import Counts, PosterFile
from indexer.models import EmbeddingRow, MovieRow, PosterDirRow, PosterRow

_FILE = {"movie_id": "text", "sha256": "text", "n_bytes": "int", "mtime_ns": "int"}


class Posters(Embeddings):
    """Posters by movie: files on disk, and URLs that are still to be fetched."""

    def set_posters(self, paths: Mapping[str, Path]) -> Counts:
        """Say which file is the poster of each movie; unknown movies are passed over."""
        rows = [(movie_id, self._stored_path(path)) for movie_id, path in paths.items()]
        columns = {"movie_id": "text", "path": "text"}
        with (
            self.transaction() as transaction,
            bulk.staged(transaction.connection, "new_posters", columns, rows) as stage,
        ):
            connection = transaction.connection
            known = in_catalog(stage)
            had = select(PosterRow.movie_id).where(
                PosterRow.movie_id.in_(select(stage.c.movie_id)), PosterRow.path.is_not(None)
            )
            n_staged = connection.scalar(select(func.count()).select_from(stage).where(known)) or 0
            n_had = connection.scalar(select(func.count()).select_from(had.subquery())) or 0
            # sha256 goes back to NULL where the path differs: the new file was not read yet.
            n_written = bulk.upsert_from(
                connection,
                PosterRow,
                select(stage).where(known),
                {"sha256": None, "mtime_ns": None},
                compare=("path",),
            )
            if n_written:
                self._stamp(transaction, select(stage.c.movie_id))
        n_added = n_staged - n_had
        return Counts(n_added, n_written - n_added, n_staged - n_written)

    def set_poster_urls(self, urls: Mapping[str, str]) -> int:
        """Say where posters can be downloaded; a movie that has a file keeps it. Returns how many are new."""
        rows = list(urls.items())
        with (
            self.transaction() as transaction,
            bulk.staged(
                transaction.connection, "new_urls", {"movie_id": "text", "url": "text"}, rows
            ) as stage,
        ):
            named = select(stage).where(in_catalog(stage))
            return bulk.upsert_from(transaction.connection, PosterRow, named)

    def posters_to_download(self) -> dict[str, str]:
        """URLs of the movies that have no poster file yet, by movie id, sorted."""
        query = select(PosterRow.movie_id, PosterRow.url).where(
            PosterRow.path.is_(None), PosterRow.url.is_not(None)
        )
        with self._reading() as connection:
            rows = connection.execute(query.order_by(PosterRow.movie_id))
            return {movie_id: url for movie_id, url in rows if url}

    def poster_files(self) -> list[PosterFile]:
        """Every poster file that the catalog knows, as it lay when it was last looked at."""
        return self._read_files(PosterRow.path.is_not(None))

    def unread_posters(self) -> list[PosterFile]:
        """Poster files that were named and never read, by movie id."""
        return self._read_files(and_(PosterRow.path.is_not(None), PosterRow.sha256.is_(None)))

    def file_stats(self) -> Iterator[tuple[str, str, int | None, int | None]]:
        """Movie, path, size and time of every poster file; no time where it was not read yet.

        Plain tuples, for a look at a million files is mostly the making of objects.
        """
        query = select(PosterRow.movie_id, PosterRow.path, PosterRow.n_bytes, PosterRow.mtime_ns)
        home = os.path.join(self.home, "")  # noqa: PTH118 - with a separator at its end
        with self._reading() as connection:
            streamed = connection.execution_options(yield_per=10_000)
            found = streamed.execute(query.where(PosterRow.path.is_not(None)))
            for movie_id, path, n_bytes, mtime_ns in found:
                if path:
                    yield movie_id, path if path[0] == os.sep else home + path, n_bytes, mtime_ns

    def posters_to_embed(self, fingerprint: str, since: int = 0, again: bool = False) -> list[PosterFile]:
        """Posters of whose bytes this encoder has made no embedding, by movie id.

        Those known to be unreadable are left out: see ``unreadable_posters``.

        Args:
            fingerprint: The encoder.
            since: Only posters of movies that changed after this revision; see ``embedded_up_to``.
            again: Every poster, embedded or unreadable or not.
        """
        if again:
            return self._read_files(PosterRow.sha256.is_not(None))
        done = select(EmbeddingRow.movie_id).where(
            EmbeddingRow.movie_id == PosterRow.movie_id,
            EmbeddingRow.fingerprint == fingerprint,
            EmbeddingRow.poster_sha256 == PosterRow.sha256,
        )
        wanted = and_(PosterRow.sha256.is_not(None), PosterRow.error.is_(None), ~done.exists())
        if since:
            changed = select(MovieRow.movie_id).where(MovieRow.revision > since)
            wanted = and_(PosterRow.movie_id.in_(changed), wanted)
        return self._read_files(wanted)

    def unreadable_posters(self) -> list[PosterFile]:
        """Posters whose present bytes are known not to be a readable image, by movie id."""
        return self._read_files(and_(PosterRow.path.is_not(None), PosterRow.error.is_not(None)))

    def _read_files(self, condition: Any) -> list[PosterFile]:
        query = (
            select(
                PosterRow.movie_id,
                PosterRow.path,
                PosterRow.sha256,
                PosterRow.n_bytes,
                PosterRow.mtime_ns,
                PosterRow.error,
            )
            .where(condition)
            .order_by(PosterRow.movie_id)
        )
        with self._reading() as connection:
            rows = connection.execute(query).all()
        return [PosterFile(one.movie_id, str(self.home / one.path), *one[2:]) for one in rows]

    def save_poster_files(self, files: Sequence[PosterFile]) -> None:
        """Record what was read of files: hash, size, time. New bytes are readable until proven otherwise."""
        if not files:
            return
        rows = [(one.movie_id, one.sha256, one.n_bytes, one.mtime_ns) for one in files]
        with (
            self.transaction() as transaction,
            bulk.staged(transaction.connection, "read_files", _FILE, rows) as stage,
        ):
            connection = transaction.connection
            same_movie = PosterRow.movie_id == stage.c.movie_id
            differs = or_(PosterRow.sha256.is_(None), PosterRow.sha256 != stage.c.sha256)
            changed = list(connection.scalars(select(PosterRow.movie_id).where(same_movie, differs)))
            connection.execute(
                update(PosterRow)
                .where(same_movie, differs)
                .values(sha256=stage.c.sha256, error=None, phash=None, width=None, height=None)
            )
            connection.execute(
                update(PosterRow).where(same_movie).values(n_bytes=stage.c.n_bytes, mtime_ns=stage.c.mtime_ns)
            )
            if changed:
                with bulk.staged(
                    connection, "new_bytes", {"movie_id": "text"}, [(one,) for one in changed]
                ) as new:
                    self._stamp(transaction, select(new.c.movie_id))

    def drop_posters(self, movie_ids: Sequence[str]) -> int:
        """Forget poster files and what encoders made of them; the movies stay.

        Returns:
            How many movies lost an embedding.
        """
        if not movie_ids:
            return 0
        rows = [(one,) for one in movie_ids]
        with (
            self.transaction() as transaction,
            bulk.staged(transaction.connection, "vanished", {"movie_id": "text"}, rows) as stage,
        ):
            ids = select(stage.c.movie_id)
            transaction.connection.execute(delete(PosterRow).where(PosterRow.movie_id.in_(ids)))
            self._stamp(transaction, ids)
            return self._drop_embeddings(transaction, ids)

    def add_poster_dir(self, path: Path, layout: str) -> None:
        """Remember a directory whose new files ``reindex`` shall find.

        Args:
            path: The directory.
            layout: ``by_id``: files named by the id of a known movie; ``folder``: each file is a movie.
        """
        stored = self._stored_path(path)
        with self.transaction() as transaction:
            connection = transaction.connection
            with bulk.staged(
                connection, "new_dirs", {"path": "text", "layout": "text"}, [(stored, layout)]
            ) as stage:
                bulk.upsert_from(connection, PosterDirRow, select(stage))

    def poster_dirs(self) -> dict[Path, str]:
        """Directories that posters were imported from, and their layout."""
        with self._reading() as connection:
            rows = connection.execute(
                select(PosterDirRow.path, PosterDirRow.layout).order_by(PosterDirRow.path)
            )
            return {self.home / path: layout for path, layout in rows}

    def _stored_path(self, path: Path) -> str:
        """Relative to the home where it lies under it, so that a home can be moved."""
        # Not resolve(): a poster directory may be a link whose target is replaced.
        whole, home = Path(os.path.abspath(path)), Path(os.path.abspath(self.home))  # noqa: PTH100
        return str(whole.relative_to(home) if whole.is_relative_to(home) else whole)

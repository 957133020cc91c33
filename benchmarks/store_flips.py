"""Damage a snapshot in every way a disk can, and see that nothing of it is ever searched.

Every file of a snapshot, its manifest and the pointer to it included, gets
bytes flipped, is cut short, is swapped for another one, and is taken away; the
manifest is replaced by one of another encoder. Each time the store must refuse
with the cure in its sentence, before FAISS or numpy read a byte, readers must
answer as before (from the catalog), and at the end ``verify --repair`` must
make a whole snapshot of the catalog.

Example: python -m benchmarks.store_flips --flips 200 --database postgres
"""

from __future__ import annotations

import hashlib
import json
import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from unittest import mock

import click

from benchmarks.store_kill import same_answers, scratch_home
from benchmarks.store_writers import prepare
from embeddings.errors import SnapshotError
from indexer.catalog import Catalog, open_catalog
from indexer.manifests import CURRENT_FILE, MANIFEST_FILE, Pointer, manifest_bytes, pointer_bytes
from indexer.publish import check_fits, read_catalog
from indexer.reader import IndexReader
from indexer.settings import Settings
from indexer.snapshots import SnapshotStore, open_store
from indexer.vectors.kinds import KINDS
from indexer.verify import repair

Damage = Callable[[Path, bytes], bytes | None]
"""Path and bytes of a file to what shall stand there instead; None takes the file away."""


@dataclass
class Findings:
    """How often each kind of damage was done, and what was not as it must be."""

    files: dict[str, int] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


class Damager:
    """Damages the current snapshot of one store and looks at what comes of it.

    Args:
        catalog: The truth.
        store: Its snapshots.
        rng: Chooses bytes and files.
    """

    def __init__(self, catalog: Catalog, store: SnapshotStore, rng: random.Random) -> None:
        self._catalog, self._store, self._rng = catalog, store, rng
        self.found = Findings()

    def files(self) -> list[Path]:
        """Every file that the current snapshot stands on."""
        pointer = self._store.pointer()
        if pointer is None:
            raise click.ClickException("nothing was published")
        return [
            *sorted((self._store.directory / pointer.name).iterdir()),
            self._store.root / CURRENT_FILE,
        ]

    def damage_all(self, n_flips: int) -> None:
        """Do every kind of damage to every file, one at a time, and undo it."""
        files = self.files()
        for path in files:
            self.found.files[path.name] = path.stat().st_size
            for _ in range(n_flips):
                self._try("flip", path, self._flipped)
            for _ in range(max(1, n_flips // 10)):
                self._try("cut", path, lambda _, data: data[: self._rng.randrange(len(data))])
            self._try("swap", path, partial(self._other, files))
            if path.name != CURRENT_FILE:  # without a pointer nothing is published, which is no damage
                self._try("gone", path, lambda _path, _data: None)
        self._foreign_manifest()

    def _flipped(self, _: Path, data: bytes) -> bytes:
        broken = bytearray(data)
        broken[self._rng.randrange(len(data))] ^= 1 << self._rng.randrange(8)
        return bytes(broken)

    def _other(self, files: list[Path], path: Path, data: bytes) -> bytes:
        others = [one.read_bytes() for one in files if one != path]
        return self._rng.choice([one for one in others if one != data])

    def _try(self, what: str, path: Path, damage: Damage) -> None:
        whole = path.read_bytes()
        broken = damage(path, whole)
        if broken is None:
            path.unlink()
        else:
            path.write_bytes(broken)
        self._check(f"{what} in {path.name}")
        self.found.done[what] += 1
        path.write_bytes(whole)

    def _foreign_manifest(self) -> None:
        """Put an index in place that another encoder made, with every digest right."""
        manifest = self._store.manifest()
        *_, pointer_path = files = self.files()
        path = next(one for one in files if one.name == MANIFEST_FILE)
        if manifest is None:
            raise click.ClickException("nothing was published")
        whole, pointer = path.read_bytes(), pointer_path.read_bytes()
        path.write_bytes(manifest_bytes(replace(manifest, fingerprint="f" * 64)))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        pointer_path.write_bytes(pointer_bytes(Pointer(manifest.name, digest)))
        self._check("manifest of another encoder")
        self.found.done["foreign"] += 1
        path.write_bytes(whole)
        pointer_path.write_bytes(pointer)

    def _check(self, what: str) -> None:
        """The store refuses before a kind is asked to load; a fresh reader answers from the catalog."""
        with mock.patch.multiple("indexer.snapshot_files", KINDS=_Untouchable(), map_columns=_touched):
            try:
                self._store.open(partial(check_fits, self._catalog))
                self.found.wrong.append(f"{what}: opened")
            except SnapshotError as error:
                if "verify --repair" not in str(error):
                    self.found.wrong.append(f"{what}: no cure in {error}")
            except _TouchedError:
                self.found.wrong.append(f"{what}: a damaged file was read as vectors or columns")
        if self._rng.random() < 0.05 and not same_answers(
            IndexReader(self._catalog, self._store), self._catalog
        ):
            self.found.wrong.append(f"{what}: a reader answers otherwise than the catalog")


class _TouchedError(Exception):
    """A damaged snapshot got as far as FAISS or numpy."""


class _Untouchable(dict[str, object]):
    """Stands for the kinds; asking it for one is the fault that is looked for."""

    def __contains__(self, _: object) -> bool:
        return True

    def __getitem__(self, _: str) -> object:
        raise _TouchedError


def _touched(*_: object) -> None:
    raise _TouchedError


def publish_as(catalog: Catalog, store: SnapshotStore, kind: str) -> None:
    """Publish the catalog under a kind of index, whatever its size."""
    active = catalog.active()
    batch, about = read_catalog(catalog, active.fingerprint or "", active.taste_model)
    store.publish(batch.rows, batch.facts, replace(about, kind=kind), store.beside())


def damage_kinds(settings: Settings, n_flips: int, seed: int) -> Iterator[tuple[str, Findings]]:
    """Damage a snapshot of each kind of index, and repair it."""
    prepare(settings)
    catalog, store = open_catalog(settings), open_store(settings)
    for kind in KINDS:
        publish_as(catalog, store, kind)
        damager = Damager(catalog, store, random.Random(seed))
        damager.damage_all(n_flips)
        victim = damager.files()[0]
        victim.write_bytes(victim.read_bytes()[:-1])
        if not repair(catalog, store).ok or not same_answers(IndexReader(catalog, store), catalog):
            damager.found.wrong.append(f"kind {kind} was not repaired")
        yield kind, damager.found
    catalog.close()


@click.command()
@click.option("--flips", default=200, show_default=True, help="Flipped bytes per file.")
@click.option("--database", type=click.Choice(["sqlite", "postgres"]), default="sqlite", show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), help="Where the scratch home lies.")
@click.option("--json", "as_json", is_flag=True)
def main(flips: int, database: str, seed: int, folder: Path | None, as_json: bool) -> None:
    """Damage the snapshots of a scratch home and print what was found."""
    logging.getLogger("indexer.reader").setLevel(logging.ERROR)  # that damage was noticed is no news here
    started = time.perf_counter()
    with scratch_home(database, folder) as settings:
        found = dict(damage_kinds(settings, flips, seed))
    seconds = round(time.perf_counter() - started, 1)
    if as_json:
        kinds = {kind: vars(one) for kind, one in found.items()}
        click.echo(json.dumps({"database": database, "flips": flips, "seconds": seconds, "kinds": kinds}))
    else:
        for kind, one in found.items():
            done = ", ".join(f"{name} {n}" for name, n in one.done.items())
            click.echo(
                f"{database}, {kind}: {len(one.files)} files; {done}; {len(one.wrong)} not refused as due"
            )
            for line in one.wrong[:20]:
                click.echo(f"  {line}")
        click.echo(f"{seconds} s")
    raise SystemExit(any(one.wrong for one in found.values()))


if __name__ == "__main__":
    main()

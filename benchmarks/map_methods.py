"""Which method lays posters out best: t-SNE, UMAP and PaCMAP on the embeddings of a real home.

    pip install umap-learn pacmap     # only for this comparison
    OMP_NUM_THREADS=2 python -m benchmarks.map_methods --home HOME

``trustworthiness`` is scikit-learn's over 10 neighbours; ``kept`` is the share of
a poster's ten nearest by embedding that are among its ten nearest on the map;
``triplets`` is how often the nearer of two random posters is the nearer on the
map. Seconds are of the first fit in a fresh process, imports and compilation
included. ``megabytes`` is what the method's own packages take on disk.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors

from indexer.catalog import open_catalog
from indexer.reader import open_reader
from indexer.settings import load_settings

_K = 10
_N_TRIPLETS = 200_000
Layout = NDArray[np.float64]


def by_tsne(visual: NDArray[np.float32], seed: int) -> Layout:
    """OpenTSNE as ``onesheet reindex`` uses it."""
    from recommender.poster_map import MapDrawer

    return MapDrawer(seed).fit(visual)[0].astype(np.float64)


def by_umap(visual: NDArray[np.float32], seed: int) -> Layout:
    """umap-learn with its defaults, cosine."""
    from umap import UMAP

    return np.asarray(UMAP(metric="cosine", random_state=seed).fit_transform(visual), dtype=np.float64)


def by_pacmap(visual: NDArray[np.float32], seed: int) -> Layout:
    """PaCMAP with its defaults; the rows have unit length, so Euclidean order is that of the cosine."""
    from pacmap import PaCMAP

    return np.asarray(PaCMAP(random_state=seed, apply_pca=False).fit_transform(visual), dtype=np.float64)


# Name, how, module, and the distributions that come with it alone.
METHODS: dict[str, tuple[Callable[[NDArray[np.float32], int], Layout], str, tuple[str, ...]]] = {
    "t-SNE": (by_tsne, "openTSNE", ("openTSNE",)),
    "UMAP": (by_umap, "umap", ("umap-learn", "pynndescent", "numba", "llvmlite")),
    "PaCMAP": (by_pacmap, "pacmap", ("pacmap", "annoy", "numba", "llvmlite")),
}


def neighbours_kept(visual: NDArray[np.float32], layout: Layout) -> float:
    """Share of each row's ``_K`` nearest that are among its ``_K`` nearest on the map."""
    near = [
        NearestNeighbors(n_neighbors=_K, algorithm=kind).fit(points).kneighbors(return_distance=False)
        for kind, points in (("brute", visual), ("kd_tree", layout))
    ]
    return float(np.mean([len(set(a) & set(b)) / _K for a, b in zip(*near, strict=True)]))


def triplets_kept(visual: NDArray[np.float32], layout: Layout, seed: int) -> float:
    """Share of random triplets whose nearer one stays the nearer one."""
    one, two, three = np.random.default_rng(seed).integers(0, len(visual), (3, _N_TRIPLETS))

    def nearer(points: NDArray[np.floating]) -> NDArray[np.bool_]:
        apart = np.linalg.norm(points[one] - points[two], axis=1)
        return np.asarray(apart < np.linalg.norm(points[one] - points[three], axis=1))

    return float(np.mean(nearer(visual) == nearer(layout)))


def megabytes_of(distributions: tuple[str, ...]) -> float:
    """Size on disk of installed distributions."""
    paths = [file.locate() for name in distributions for file in metadata.files(name) or ()]
    return sum(Path(path).stat().st_size for path in paths if Path(path).is_file()) / 1e6


def measure(name: str, visual: NDArray[np.float32], seed: int) -> dict[str, object]:
    """Lay the rows out by one method and judge it."""
    how, module, distributions = METHODS[name]
    if importlib.util.find_spec(module) is None:
        return {"method": name, "seed": seed, "skipped": f"{module} is not installed"}
    started = time.perf_counter()
    layout = how(visual, seed)
    seconds = time.perf_counter() - started
    return {
        "method": name,
        "seed": seed,
        "n": len(visual),
        "seconds": round(seconds, 1),
        "trustworthiness": round(float(trustworthiness(visual, layout, n_neighbors=_K, metric="cosine")), 4),
        "kept": round(neighbours_kept(visual, layout), 4),
        "triplets": round(triplets_kept(visual, layout, seed), 4),
        "megabytes": round(megabytes_of(distributions), 1),
    }


def visual_rows(home: Path) -> NDArray[np.float32]:
    """Visual blocks of every poster of a home, float32, (n, dim), unit rows."""
    settings = load_settings(home)
    view = open_reader(open_catalog(settings, create=False), settings).view()
    rows = view.find_rows([one.decode() for one in view.facts.movie_ids[view.facts.live].tolist()])
    return np.ascontiguousarray(rows.visual[rows.known[:, 0]], dtype=np.float32)


def main() -> None:
    """Measure each method in a process of its own and print one JSON line for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--method", choices=sorted(METHODS), help="only this one, in this process")
    parser.add_argument("--seed", type=int, default=0, help="with --method")
    asked = parser.parse_args()
    if asked.method:
        figures = measure(asked.method, visual_rows(asked.home), asked.seed)
        sys.stdout.write(json.dumps(figures) + "\n")
        return
    for name in METHODS:
        for seed in range(asked.seeds):
            command = [sys.executable, "-m", "benchmarks.map_methods", "--home", str(asked.home)]
            subprocess.run([*command, "--method", name, "--seed", str(seed)], check=True)


if __name__ == "__main__":
    main()

"""Several nets and rivals under one protocol: the same movies, sides, calibration, cuts and figures."""

from __future__ import annotations

import csv
import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.checkpoint import WEIGHTS_NAME
from embeddings.devices import choose_device
from embeddings.encoder import Encoder
from embeddings.errors import OnesheetError, TrainingError
from embeddings.evaluation.document import JudgedPosters, evaluation_document
from embeddings.evaluation.metrics import average_precisions, macro_columns, per_genre_figures
from embeddings.training.baselines import FittedBaseline, check_baseline
from embeddings.training.compare_page import write_page
from embeddings.training.config import ModelConfig, TrainConfig
from embeddings.training.data import deal_sides, load_data
from embeddings.training.experiments import Comparison, Run
from embeddings.training.folds import folds_genres
from embeddings.training.labels import Labels
from embeddings.training.run_state import labels_digest, make_folder
from embeddings.training.splits import Split
from embeddings.training.start import check_settings
from embeddings.training.train import Say, train

FIGURES = ("macro_f1", "mean_average_precision", "micro_f1", "hamming_skill", "brier_skill", "ece")
COMMON_CUTS = (0.25, 0.5, 0.75)
_N_RESAMPLES = 200
_TIMED = 16
_FAILURES = (OnesheetError, RuntimeError, ValueError, LookupError, ArithmeticError)
Row = dict[str, Any]


def compare(
    labels: Labels, posters_dir: Path, out: Path, comparison: Comparison, say: Say = lambda _: None
) -> list[Row]:
    """Run what is not yet run, and write ``table.csv``, ``table.json`` and ``compare.html``.

    A run that fails is reported in its row and does not stop the others.

    Returns:
        One row for each run, two for each group of runs, and one for each predictor that never looks.

    Raises:
        TrainingError: The sides cannot be dealt, a run names what does not exist, or ``out`` holds a run
            with other settings or labels.
    """
    make_folder(out)
    digest = labels_digest(labels)
    _refuse_other_labels(out, comparison.runs, digest)
    base = _one_protocol(labels, posters_dir, out, comparison.base)
    configs = _settings(labels, posters_dir, base, comparison.runs)
    for run, config in zip(comparison.runs, configs, strict=True):
        if _read_row(out / "runs" / run.name) is None:
            _check_names(run, config)
    rows: list[Row] = []
    for number, (run, config) in enumerate(zip(comparison.runs, configs, strict=True), start=1):
        say(f"run {number} of {len(configs)}: {run.name}")
        folder, asked = out / "runs" / run.name, _asked(config, run, digest)
        rows.append(_run_once(labels, posters_dir, folder, config, run, asked, say))
        _write(out, rows + _summaries(rows))
    return rows + _summaries(rows)


def bootstrap_intervals(judged: JudgedPosters, seed: int = 0) -> dict[str, list[float]]:
    """95 % intervals of macro F1, micro F1 and mAP over resampled movies.

    The genres of the macro figures are those of the whole set, so that all
    resamples speak of the same thing. Basic intervals: a resample has movies
    twice, side by side in the ranking, which lifts its average precision; what
    the resamples are above the figure, the figure is taken to be above the truth.

    Source:
        A. Davison, D. Hinkley, "Bootstrap Methods and their Application", 1997, section 5.2.
    """
    judged = judged.present()
    columns = macro_columns(judged.targets)
    rng = np.random.default_rng(seed)
    draws = [
        _resampled_figures(judged, columns, rng.integers(0, len(judged.movie_ids), len(judged.movie_ids)))
        for _ in range(_N_RESAMPLES)
    ]
    everything = np.arange(len(judged.movie_ids))
    high, low = 2 * np.array(_resampled_figures(judged, columns, everything)) - np.nanpercentile(
        np.array(draws), [2.5, 97.5], axis=0
    )
    names = ("macro_f1", "micro_f1", "mean_average_precision")
    return {name: [float(low[i]), float(high[i])] for i, name in enumerate(names)}


def _resampled_figures(
    judged: JudgedPosters, columns: NDArray[np.int64], rows: NDArray[np.int64]
) -> tuple[float, float, float]:
    targets, chosen = judged.targets[rows], judged.chosen[rows]
    f1 = per_genre_figures(targets, chosen)[columns, 2].mean()
    micro = 2 * (targets * chosen).sum() / max(targets.sum() + chosen.sum(), 1)
    precision = np.nanmean(average_precisions(targets[:, columns], judged.probs[rows][:, columns]))
    return float(f1), float(micro), float(precision)


def _one_protocol(labels: Labels, posters_dir: Path, out: Path, base: TrainConfig) -> TrainConfig:
    """Deal the sides once for all runs, and let them share decoded posters."""
    path = out / "split.json"
    if not path.is_file():
        split = deal_sides(labels, posters_dir, base.data.model_copy(update={"folds": 0}))
        if not split.test:
            raise TrainingError("a comparison is judged on the test side; give data.fractions a third share.")
        split.save(path)
    elif base.data.split_file is not None and Split.load(base.data.split_file) != Split.load(path):
        raise TrainingError(
            f"the comparison in {out} has other sides than {base.data.split_file}; give another --out or "
            "remove it."
        )
    values = {"data.split_file": path, "data.limit": 0}
    if base.data.cache_dir is None:
        values["data.cache_dir"] = out / "cache"
    return base.with_values(values)


def _settings(labels: Labels, posters_dir: Path, base: TrainConfig, runs: Sequence[Run]) -> list[TrainConfig]:
    """Settings of each run; runs that hold a part out learn the genres that all parts can learn."""
    found: dict[tuple[int, int, int], tuple[str, ...]] = {}
    configs = []
    for run in runs:
        config = base.with_values(run.settings)
        data = config.data
        if data.folds and not data.genres:
            key = (data.folds, data.min_support, data.split_seed)
            if key not in found:
                found[key] = folds_genres(labels, posters_dir, data)
            config = config.with_values({"data.genres": found[key]})
        configs.append(config)
    return configs


def _check_names(run: Run, config: TrainConfig) -> None:
    """Refuse names that do not exist before the first run starts: the last may begin hours later."""
    try:
        if run.baseline is None:
            check_settings(config)
        else:
            check_baseline(run.baseline)
    except OnesheetError as error:
        raise TrainingError(f"run {run.name}: {error}") from error


def _refuse_other_labels(out: Path, runs: Sequence[Run], digest: str) -> None:
    for run in runs:
        known = _read_row(out / "runs" / run.name)
        # Rows of before the digest was kept have none; what they were made with cannot be told.
        if known is not None and known["asked"].get("labels", digest) != digest:
            raise TrainingError(
                f"the comparison in {out} was made with other labels than these; give another --out or "
                "remove it."
            )


def _asked(config: TrainConfig, run: Run, labels: str) -> Row:
    """What a row answers to: of the sides what they say, not where their file lies."""
    split = Split.load(config.data.split_file) if config.data.split_file else None
    return {
        "settings": config.model_dump(mode="json"),
        "baseline": vars(run.baseline) if run.baseline else None,
        "labels": labels,
        "split": hashlib.sha256(repr(split).encode()).hexdigest()[:16],
    }


def _alike(known: Row, asked: Row) -> bool:
    """Whether two rows answer to the same; a row of before a digest was kept may have any."""
    return all(
        _without_places(known.get(name, value)) == _without_places(value) for name, value in asked.items()
    )


def _without_places(value: Any) -> Any:
    """Settings without the folders that an absolute and a relative ``--out`` write differently."""
    if not isinstance(value, dict) or "data" not in value:
        return value
    data = {name: entry for name, entry in value["data"].items() if name not in ("split_file", "cache_dir")}
    return value | {"data": data}


def _read_row(folder: Path) -> Row | None:
    """What a finished run wrote; None where there is nothing whole."""
    try:
        known = json.loads((folder / "row.json").read_text(encoding="utf-8"))
        return known if isinstance(known["asked"], dict) and isinstance(known["row"], dict) else None
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        return None


def _run_once(
    labels: Labels, posters_dir: Path, folder: Path, config: TrainConfig, run: Run, asked: Row, say: Say
) -> Row:
    """The row of one run: read again where it was finished before with the same settings."""
    known = _read_row(folder)
    if known is not None:
        if _alike(known["asked"], asked):
            return dict(known["row"])
        raise TrainingError(f"{folder} holds a run with other settings; give another --out or remove it.")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        row = (
            _judge_net(labels, posters_dir, folder, config, say)
            if run.baseline is None
            else (_judge_baseline(labels, posters_dir, folder, config, run))
        )
    except _FAILURES as error:
        # Nets and classifiers meet small sides and small posters with errors of their own kinds.
        words = str(error) if isinstance(error, OnesheetError) else f"{type(error).__name__}: {error}"
        say(f"{run.name} failed: {words}")
        return {"name": run.name, "group": run.group, "error": words}
    row = {"name": run.name, "group": run.group} | row
    aside = folder / "row.json.new"
    aside.write_text(json.dumps({"asked": asked, "row": row}), encoding="utf-8")
    aside.replace(folder / "row.json")
    return row


def _judge_net(labels: Labels, posters_dir: Path, folder: Path, config: TrainConfig, say: Say) -> Row:
    model = train(labels, posters_dir, folder, config, say)
    if model is None:
        raise TrainingError("a comparison runs in one process; start it without torchrun.")
    encoder = Encoder.load(model.checkpoint, "cpu")
    return _figures(model.finished.judged) | {
        "parameters": sum(parameter.numel() for parameter in encoder.net.parameters()),
        "file_bytes": (model.checkpoint / WEIGHTS_NAME).stat().st_size,
        "cpu_ms_per_poster": _milliseconds(encoder.encode_pixels, config.model),
        "train_seconds": sum(row["seconds"] for row in model.history),
        "best_epoch": model.best_epoch,
    }


def _judge_baseline(labels: Labels, posters_dir: Path, folder: Path, config: TrainConfig, run: Run) -> Row:
    if run.baseline is None:
        raise TrainingError(f"{run.name} is no baseline.")
    split = Split.load(config.data.split_file or folder / "split.json")
    data = load_data(labels, posters_dir, config, split, config.data.cache_dir or folder / "cache")
    started = time.perf_counter()
    fitted = FittedBaseline(run.baseline, data, choose_device(config.device))
    took, rows = time.perf_counter() - started, np.arange(_TIMED, dtype=np.int64)
    # Nothing is stored: classifiers of scikit-learn have no file format that strangers may open.
    return _figures(fitted.judge(data)) | {
        "parameters": fitted.n_parameters,
        "cpu_ms_per_poster": _milliseconds(lambda pixels: fitted.predict(pixels, rows), config.model),
        "train_seconds": took,
    }


def _figures(judged: JudgedPosters) -> Row:
    document = evaluation_document(judged)
    truth = judged.present()
    columns = macro_columns(truth.targets)
    at_cuts = {
        f"macro_f1_at_{cut}": float(per_genre_figures(truth.targets, truth.probs >= cut)[columns, 2].mean())
        for cut in COMMON_CUTS
    }
    blind = {name: {key: row[key] for key in FIGURES} for name, row in document["trivial"].items()}
    figures = {name: document[name] for name in FIGURES}
    return figures | at_cuts | {"ci95": bootstrap_intervals(judged), "trivial": blind}


def _milliseconds(predict: Callable[[NDArray[np.uint8]], Any], size: ModelConfig) -> float:
    """Median time of a poster in a batch, decoding apart."""
    batch = np.zeros((_TIMED, size.height, size.width, 3), dtype=np.uint8)
    predict(batch)
    times = []
    for _ in range(5):
        started = time.perf_counter()
        predict(batch)
        times.append(time.perf_counter() - started)
    return float(np.median(times)) / len(batch) * 1000


def _summaries(rows: Sequence[Row]) -> list[Row]:
    """Rows beside those of the runs; the blind predictors are judged as the first run is."""
    blind: dict[str, Row] = next((row["trivial"] for row in rows if "trivial" in row), {})
    return _group_rows(rows) + [
        {"name": name.replace("_", " "), "group": ""} | figures for name, figures in blind.items()
    ]


def _group_rows(rows: Sequence[Row]) -> list[Row]:
    """Mean and spread of the runs of each group."""
    groups = dict.fromkeys(row["group"] for row in rows if row["group"] and "error" not in row)
    found = []
    for group in groups:
        members = [row for row in rows if row["group"] == group and "error" not in row]
        if len(members) < 2:
            continue
        for word, function in (("mean", np.mean), ("standard deviation", lambda v: np.std(v, ddof=1))):
            figures = {name: float(function([row[name] for row in members])) for name in FIGURES}
            found.append({"name": f"{group}: {word} of {len(members)}", "group": ""} | figures)
    return found


def _write(out: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    (out / "table.json").write_text(json.dumps(list(rows), indent=1), encoding="utf-8")
    flat = [_flat(row) for row in rows]
    columns = list(dict.fromkeys(name for row in flat for name in row))
    with (out / "table.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(flat)
    write_page(out / "compare.html", rows)


def _flat(row: Mapping[str, Any]) -> Row:
    """A row for a spreadsheet: each interval's ends behind its figure."""
    flat: Row = {}
    for name, value in row.items():
        if name in ("ci95", "trivial"):
            continue
        flat[name] = value
        if name in row.get("ci95", {}):
            flat[f"{name}_low"], flat[f"{name}_high"] = row["ci95"][name]
    return flat

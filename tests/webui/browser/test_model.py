"""The model page: a checkpoint's own figures, its reliability, and its card."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from embeddings.checkpoint import CheckpointManifest
from embeddings.evaluation.document import JudgedPosters, evaluation_document
from indexer.settings import Settings
from recommender.recommender import open_recommender
from webui.app import create_app
from webui.settings import WebSettings

pytestmark = pytest.mark.browser
Serve = Callable[[Flask], AbstractContextManager[str]]


@pytest.fixture
def judged_checkpoint(web_checkpoint: Path, tmp_path: Path) -> tuple[Path, dict[str, object]]:
    """The small checkpoint with an evaluation of known predictions, and a card."""
    directory = tmp_path / "judged"
    shutil.copytree(web_checkpoint, directory)
    manifest = CheckpointManifest.read(directory)
    rng = np.random.default_rng(0)
    shape = (300, len(manifest.genres))
    targets = (rng.random(shape) < 0.3).astype(np.float32)
    probs = (0.5 * targets + 0.5 * rng.random(shape)).astype(np.float32)
    ids = tuple(map(str, range(300)))
    thresholds = np.full(shape[1], 0.5, np.float32)
    document = evaluation_document(JudgedPosters(ids, manifest.genres, targets, probs, thresholds))
    replace(manifest, metrics={"test": document}).write(directory)
    (directory / "MODEL_CARD.md").write_text("# The card\n\n<script>alert(1)</script>\n", encoding="utf-8")
    return directory, document


def test_figures_stand_beside_the_trivial_predictors_and_each_genre_has_its_bars(
    small_home: Settings,
    judged_checkpoint: tuple[Path, dict[str, object]],
    open_page: Callable[..., Page],
    violations: Callable[[Page], list[str]],
    serve: Serve,
) -> None:
    directory, document = judged_checkpoint
    settings = replace(small_home, model=directory)
    app = create_app(settings, open_recommender(settings), WebSettings())
    with serve(app) as site:
        page = open_page(f"{site}/model")
        row = page.get_by_role("row", name="Macro F1")
        expect(row.get_by_role("cell").first).to_have_text(f"{document['macro_f1']:.3f}")
        expect(row.get_by_role("cell")).to_have_count(4)
        expect(page.locator(".bars tbody tr")).to_have_count(len(document["labels"]))
        expect(page.locator(".bars meter")).to_have_count(4 * len(document["labels"]))
        expect(page.locator(".reliable circle")).to_have_count(len(document["reliability"]))
        expect(page.get_by_role("heading", name="The card")).to_be_visible()
        expect(page.get_by_text("<script>alert(1)</script>")).to_be_visible()
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert violations(page) == []


def test_training_curves_are_drawn_and_told_as_a_table(
    small_home: Settings,
    web_checkpoint: Path,
    tmp_path: Path,
    open_page: Callable[..., Page],
    violations: Callable[[Page], list[str]],
    serve: Serve,
) -> None:
    directory = tmp_path / "learnt"
    shutil.copytree(web_checkpoint, directory)
    history = (
        {"epoch": 1.0, "train_loss": 0.6, "val_loss": 0.5, "macro_f1": 0.1, "mean_average_precision": 0.2},
        {"epoch": 2.0, "train_loss": 0.4, "val_loss": 0.3, "macro_f1": 0.3, "mean_average_precision": 0.25},
        {"epoch": 3.0, "train_loss": 0.2, "val_loss": 0.4, "macro_f1": 0.25},
    )
    replace(CheckpointManifest.read(directory), history=history, provenance={"best_epoch": 2}).write(
        directory
    )
    settings = replace(small_home, model=directory)
    with serve(create_app(settings, open_recommender(settings), WebSettings())) as site:
        page = open_page(f"{site}/model")
        lines = page.locator(".plot polyline").evaluate_all(
            "all => all.map(one => one.getAttribute('points'))"
        )
        # Losses share one scale from .6 down to .2, figures one from .3 down to .1.
        assert lines == [
            "0.0,25.0 50.0,75.0 100.0,50.0",
            "0.0,0.0 50.0,50.0 100.0,100.0",
            "0.0,100.0 50.0,0.0 100.0,25.0",
            "0.0,50.0 50.0,25.0",
        ]
        expect(page.locator(".plot .kept")).to_have_count(2)
        expect(page.get_by_text("the weights of epoch 2 were kept")).to_be_visible()
        page.get_by_text("The same as a table").click()
        told = page.get_by_role("row", name="3 0.200 0.400 0.250")
        expect(told.get_by_role("cell")).to_have_text(["0.200", "0.400", "0.250", "–", "–"])
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert violations(page) == []


def test_a_checkpoint_without_a_history_says_which_have_one(
    site: str, open_page: Callable[..., Page]
) -> None:
    expect(open_page(f"{site}/model").get_by_text("does not tell its epochs")).to_be_visible()


def test_a_checkpoint_without_an_evaluation_says_how_to_judge_it(
    site: str, open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{site}/model")
    expect(page.get_by_text("This checkpoint carries no evaluation.")).to_be_visible()

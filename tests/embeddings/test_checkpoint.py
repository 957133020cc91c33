from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from embeddings.checkpoint import MANIFEST_NAME, WEIGHTS_NAME, Calibration, CheckpointManifest
from embeddings.checkpoint_weights import Dtype, load_net, save_checkpoint
from embeddings.errors import CheckpointError
from embeddings.models import NetSpec, build_model
from embeddings.transforms import Preprocessing

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def checkpoint(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(tiny_checkpoint, tmp_path / "checkpoint"))


def change(checkpoint: Path, edit: Change) -> None:
    path = checkpoint / MANIFEST_NAME
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


def test_a_manifest_reads_back_as_it_was_written(
    tiny_checkpoint: Path, tiny_manifest: CheckpointManifest
) -> None:
    read = CheckpointManifest.read(tiny_checkpoint)
    expected = replace(
        tiny_manifest, arch="custom_cnn", net=read.net, embedding_dim=32, weights_sha256=read.weights_sha256
    )
    assert read == expected
    assert read.fingerprint == expected.fingerprint
    assert read.net["width"] == 48 and read.net["height"] == 72


def test_a_checkpoint_tells_how_it_learnt_and_one_that_does_not_is_read_too(
    checkpoint: Path, tiny_manifest: CheckpointManifest
) -> None:
    history = ({"epoch": 1.0, "train_loss": 0.7, "macro_f1": 0.1}, {"epoch": 2.0, "train_loss": 0.5})
    replace(tiny_manifest, history=history).write(checkpoint)
    assert CheckpointManifest.read(checkpoint).history == history
    change(checkpoint, lambda content: content.pop("history"))
    assert CheckpointManifest.read(checkpoint).history == ()


@pytest.mark.parametrize("history", [None, {}, [1], [{"train_loss": 0.5}], [{"epoch": 1, "train_loss": "x"}]])
def test_a_history_that_is_none_is_refused(checkpoint: Path, history: object) -> None:
    change(checkpoint, lambda content: content.update(history=history))
    with pytest.raises(CheckpointError, match="is unfit"):
        CheckpointManifest.read(checkpoint)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 0.0), ("float16", 2e-3), ("int8", 5e-2)])
def test_a_net_reads_back_within_the_precision_it_was_stored_in(
    dtype: Dtype, tolerance: float, tmp_path: Path, tiny_manifest: CheckpointManifest
) -> None:
    torch.manual_seed(1)
    net = build_model("custom_cnn", 5, 32, spec=NetSpec("", 1, width=48, height=72))
    net.train()(torch.rand(8, 3, 72, 48))
    save_checkpoint(tmp_path, net, tiny_manifest, dtype)
    posters = torch.rand(4, 3, 72, 48)
    with torch.inference_mode():
        expected, got = net.eval()(posters), load_net(tmp_path)(posters)
    assert (expected.embedding - got.embedding).abs().max() <= tolerance
    assert (expected.logits - got.logits).abs().max() <= tolerance


def test_narrow_files_are_as_small_as_they_promise(tmp_path: Path, tiny_manifest: CheckpointManifest) -> None:
    net = build_model("mobilenet_v3_small", 5, 32)
    sizes = {}
    for dtype in ("float32", "float16", "int8"):
        save_checkpoint(tmp_path, net, tiny_manifest, dtype)
        sizes[dtype] = (tmp_path / WEIGHTS_NAME).stat().st_size
    assert sizes["float16"] < 0.56 * sizes["float32"]
    assert sizes["int8"] < 0.36 * sizes["float32"]


def test_quantising_keeps_each_value_within_half_a_step(
    tmp_path: Path, tiny_manifest: CheckpointManifest
) -> None:
    net = build_model("custom_cnn", 5, 32, spec=NetSpec("", 1, width=48, height=72))
    save_checkpoint(tmp_path, net, tiny_manifest, "int8")
    stored = load_file(tmp_path / WEIGHTS_NAME)["head.weight"]
    assert stored.dtype == torch.int8
    original = net.head.weight.detach()
    step = original.abs().amax(1, keepdim=True) / 127
    assert ((load_net(tmp_path).head.weight - original).abs() <= step / 2 + 1e-7).all()


def test_saving_over_a_checkpoint_replaces_it_and_leaves_nothing_behind(
    checkpoint: Path, tiny_manifest: CheckpointManifest
) -> None:
    (checkpoint / "MODEL_CARD.md").write_text("about")
    before = CheckpointManifest.read(checkpoint).fingerprint
    torch.manual_seed(9)
    net = build_model("custom_cnn", 5, 32, spec=NetSpec("", 1, width=48, height=72))
    written = save_checkpoint(checkpoint, net, tiny_manifest)
    assert written.fingerprint != before
    assert CheckpointManifest.read(checkpoint) == written
    assert sorted(path.name for path in checkpoint.iterdir()) == [
        "MODEL_CARD.md",
        MANIFEST_NAME,
        WEIGHTS_NAME,
    ]


def test_the_same_net_saved_twice_has_one_fingerprint(
    tmp_path: Path, tiny_manifest: CheckpointManifest
) -> None:
    net = build_model("custom_cnn", 5, 32, spec=NetSpec("", 1, width=48, height=72))
    first = save_checkpoint(tmp_path / "a", net, tiny_manifest)
    told = replace(tiny_manifest, metrics={"macro_f1": 0.9}, history=({"epoch": 1.0, "val_loss": 0.2},))
    second = save_checkpoint(tmp_path / "b", net, told)
    assert first.fingerprint == second.fingerprint


@pytest.mark.parametrize(
    "changes",
    [
        {"preprocessing": Preprocessing(48, 72, "crop")},
        {"thresholds": (0.3, 0.4, 0.5, 0.6, 0.71)},
        {"calibration": Calibration.none(5)},
        {"weights_sha256": "0" * 64},
        {"arch": "mini_vgg"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_whatever_decides_an_answer_changes_the_fingerprint(
    changes: dict[str, Any], tiny_manifest: CheckpointManifest
) -> None:
    assert replace(tiny_manifest, **changes).fingerprint != tiny_manifest.fingerprint


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda c: c.update(format_version=2), "format version 2, this onesheet reads 1"),
        (lambda c: c.update(extra=1), "unknown keys \\['extra'\\]"),
        (lambda c: c.pop("genres"), "missing keys \\['genres'\\]"),
        (lambda c: c.update(genres=["A", "A", "B", "C", "D"]), "distinct"),
        (lambda c: c.update(genres=[1, 2, 3, 4, 5]), "genres must be texts"),
        (lambda c: c.update(genres=None), "is unfit"),
        (lambda c: c["thresholds"].pop(), "5 genres need as many finite thresholds"),
        (lambda c: c.update(thresholds=[float("nan")] * 5), "finite thresholds"),
        (lambda c: c.update(thresholds="abcde"), "a list of numbers"),
        (lambda c: c["calibration"].pop("bias"), "is unfit"),
        (lambda c: c["preprocessing"].update(width=10**9), "8 to 2048"),
        (lambda c: c["preprocessing"].update(mean=0.5), "is unfit"),
        (lambda c: c.update(embedding_dim=0), "embedding_dim must be 1"),
        (lambda c: c.update(embedding_dim=True), "embedding_dim must be 1"),
        (lambda c: c.update(net=[]), "net must be an object"),
        (lambda c: c.update(arch=["custom_cnn"]), "arch must be text"),
        (lambda c: c.update(arch="mini_vgg"), "was changed after it was written"),
        (lambda c: c.update(fingerprint="0" * 64), "was changed after it was written"),
    ],
)
def test_a_changed_manifest_is_refused_with_what_is_wrong(edit: Change, words: str, checkpoint: Path) -> None:
    change(checkpoint, edit)
    with pytest.raises(CheckpointError, match=words):
        CheckpointManifest.read(checkpoint)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "[" * 100_000, '{"format_version": 1}', "\x00"])
def test_a_manifest_that_is_no_json_object_is_refused(content: str, checkpoint: Path) -> None:
    (checkpoint / MANIFEST_NAME).write_text(content)
    with pytest.raises(CheckpointError):
        CheckpointManifest.read(checkpoint)


def test_a_manifest_of_other_bytes_or_of_great_size_is_refused(checkpoint: Path) -> None:
    (checkpoint / MANIFEST_NAME).write_bytes(b"\xff\xfe{}")
    with pytest.raises(CheckpointError, match="is not JSON"):
        CheckpointManifest.read(checkpoint)
    with (checkpoint / MANIFEST_NAME).open("wb") as file:
        file.truncate(10_000_000)
    with pytest.raises(CheckpointError, match="larger than any manifest"):
        CheckpointManifest.read(checkpoint)


def test_a_directory_without_a_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is no checkpoint"):
        CheckpointManifest.read(tmp_path)


def test_damaged_or_missing_weights_are_noticed_before_they_are_parsed(checkpoint: Path) -> None:
    path = checkpoint / WEIGHTS_NAME
    data = path.read_bytes()
    for damaged in (data[:-1], data[:100], b"", data[:500] + bytes([data[500] ^ 1]) + data[501:]):
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError, match="is not the file that"):
            load_net(checkpoint)
    path.unlink()
    with pytest.raises(CheckpointError, match="has no model"):
        load_net(checkpoint)


def resign(checkpoint: Path, weights: dict[str, torch.Tensor] | None = None, **changes: Any) -> None:
    """What somebody would do who forges a checkpoint: digests and fingerprint fit again."""
    import hashlib

    if weights is not None:
        save_file(weights, checkpoint / WEIGHTS_NAME)
    digest = hashlib.sha256((checkpoint / WEIGHTS_NAME).read_bytes()).hexdigest()
    replace(CheckpointManifest.read(checkpoint), weights_sha256=digest, **changes).write(checkpoint)


def test_forged_weights_of_wrong_names_or_shapes_are_refused(checkpoint: Path) -> None:
    good = load_file(checkpoint / WEIGHTS_NAME)
    forgeries = {
        "lacks head": {k: v for k, v in good.items() if k != "head.weight"},
        "has besides extra": good | {"extra": torch.zeros(1)},
        "has in another shape head": good | {"head.weight": torch.zeros(5, 31)},
    }
    for words, weights in forgeries.items():
        resign(checkpoint, weights)
        with pytest.raises(CheckpointError, match=words):
            load_net(checkpoint)
    resign(checkpoint, good)
    assert load_net(checkpoint).spec.embedding_dim == 32


@pytest.mark.parametrize(
    "changes",
    [{"arch": "no_such_net"}, {"net": {"depth": 3}}, {"net": {"norm": "magic"}}, {"net": {"dropout": 7}}],
    ids=str,
)
def test_a_forged_net_that_cannot_be_built_is_refused(changes: dict[str, Any], checkpoint: Path) -> None:
    resign(checkpoint, **changes)
    with pytest.raises(CheckpointError, match="describes a net that cannot be built"):
        load_net(checkpoint)


def test_calibration_gives_known_probabilities_and_never_overflows() -> None:
    calibration = Calibration((1.0, 2.0), (0.0, 1.0))
    probs = calibration.apply(np.array([[0.0, -0.5], [1e6, -1e6]], np.float32))
    assert probs.dtype == np.float32
    assert probs.tolist() == [[0.5, 0.5], [1.0, 0.0]]
    assert Calibration.none(1).apply(np.array([[np.log(3.0)]], np.float32))[0, 0] == pytest.approx(0.75)

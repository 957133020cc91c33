"""A checkpoint as ONNX: prepared pixels in, embedding and calibrated genre probabilities out."""

from __future__ import annotations

import json
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from embeddings.checkpoint import CheckpointManifest
from embeddings.checkpoint_weights import load_net
from embeddings.errors import CheckpointError
from embeddings.models.poster_net import PosterNet

if TYPE_CHECKING:
    import onnx

ONNX_NAME = "model.onnx"
INPUT = "pixels"
OUTPUTS = ("embedding", "genre_probs")
# The promise to users; float32 kernels of two runtimes differ by some 1e-6.
MAX_DIFFERENCE = 1e-4

_DOC = (
    "Poster encoder. Input 'pixels': uint8 RGB, (batch, {height}, {width}, 3). Prepare a poster so: "
    "obey its EXIF rotation, lay transparency on white, convert to RGB, resize to {width}x{height} with "
    "fit={fit} and {interpolation} interpolation with antialiasing; scaling to [0, 1] and normalisation "
    "are inside the graph. Outputs: 'embedding' (batch, {dim}) of unit length; 'genre_probs' "
    "(batch, {n_genres}), calibrated. Genres, thresholds and preprocessing are in the metadata as JSON."
)


@dataclass(frozen=True)
class ExportReport:
    """Where the ONNX file lies, its size, and the largest difference to torch that was seen."""

    path: Path
    n_bytes: int
    max_difference: float


class ExportedNet(nn.Module):
    """The net from uint8 pixels to calibrated probabilities, as one graph."""

    def __init__(self, net: PosterNet, manifest: CheckpointManifest) -> None:
        super().__init__()
        self.net = net
        self.register_buffer("scale", torch.tensor(manifest.calibration.scale))
        self.register_buffer("bias", torch.tensor(manifest.calibration.bias))

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        output = self.net(pixels.permute(0, 3, 1, 2))
        return output.embedding, torch.sigmoid(output.logits * self.scale + self.bias)


def export_onnx(checkpoint: Path, out: Path) -> ExportReport:
    """Write ``model.onnx`` into ``out`` and compare it with torch.

    Args:
        checkpoint: A checkpoint directory.
        out: Where the file goes; made if absent.

    Raises:
        CheckpointError: The checkpoint is unfit, the ``onnx`` extra is not installed, or the results differ.
    """
    _require_onnx()
    manifest = CheckpointManifest.read(checkpoint)
    net = ExportedNet(load_net(checkpoint, manifest), manifest).eval()
    model = _to_onnx(net, manifest)
    _describe(model, manifest)
    difference = _difference(model, net, manifest)
    if not difference <= MAX_DIFFERENCE:
        raise CheckpointError(
            f"the ONNX graph of {checkpoint} differs from torch by {difference:.1e}, "
            f"at most {MAX_DIFFERENCE:.0e} is kept: upgrade onnxscript and onnxruntime"
        )
    out.mkdir(parents=True, exist_ok=True)
    path = out / ONNX_NAME
    path.write_bytes(model.SerializeToString())
    return ExportReport(path, path.stat().st_size, difference)


def _require_onnx() -> None:
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise CheckpointError(
            f"exporting needs the package {error.name}: pip install 'onesheet[onnx]'"
        ) from error


def _to_onnx(net: ExportedNet, manifest: CheckpointManifest) -> onnx.ModelProto:
    with warnings.catch_warnings():
        # torch's exporter copies objects of a class that the same torch deprecates.
        warnings.simplefilter("ignore", FutureWarning)
        program = torch.onnx.export(
            net,
            (_example(manifest, 2),),
            input_names=[INPUT],
            output_names=list(OUTPUTS),
            dynamic_shapes=({0: torch.export.Dim("batch", min=1)},),
            dynamo=True,
            verbose=False,
        )
    if program is None:
        raise CheckpointError("torch gave no ONNX graph: upgrade torch and onnxscript")
    model: onnx.ModelProto = program.model_proto
    return model


def _describe(model: onnx.ModelProto, manifest: CheckpointManifest) -> None:
    """Write what a caller must know into the file: preprocessing, genres, thresholds, fingerprint."""
    facts: dict[str, Any] = asdict(manifest.preprocessing)
    model.doc_string = _DOC.format(**facts, dim=manifest.embedding_dim, n_genres=len(manifest.genres))
    metadata = {
        "preprocessing": facts | {"color": "RGB", "dtype": "uint8", "layout": "NHWC"},
        "genres": list(manifest.genres),
        "thresholds": list(manifest.thresholds),
        "fingerprint": manifest.fingerprint,
        "architecture": manifest.arch,
    }
    for key, value in metadata.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value if isinstance(value, str) else json.dumps(value)


def _difference(model: onnx.ModelProto, net: ExportedNet, manifest: CheckpointManifest) -> float:
    """The largest absolute difference to torch over both outputs, on batches of one and of five."""
    import onnxruntime

    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    worst = 0.0
    for n in (1, 5):
        pixels = _example(manifest, n)
        with torch.inference_mode():
            expected = net(pixels)
        got: list[NDArray[np.float32]] = session.run(list(OUTPUTS), {INPUT: pixels.numpy()})
        worst = max(worst, *(float(np.abs(a - b.numpy()).max()) for a, b in zip(got, expected, strict=True)))
    return worst


def _example(manifest: CheckpointManifest, n: int) -> Tensor:
    """Pixels that vary smoothly, as posters do; noise would leave most units of a net silent."""
    height, width = manifest.preprocessing.height, manifest.preprocessing.width
    coarse = torch.rand((n, 3, 6, 4), generator=torch.Generator().manual_seed(n))
    smooth = nn.functional.interpolate(coarse, (height, width), mode="bilinear", align_corners=False)
    return (smooth * 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous()

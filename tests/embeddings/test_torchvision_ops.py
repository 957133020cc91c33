from __future__ import annotations

import subprocess
import sys


def test_torchvision_is_imported_whatever_torch_it_was_compiled_for() -> None:
    code = (
        "from embeddings.torchvision_ops import torchvision; import torchvision.transforms.v2;"
        "torchvision.models.get_model('mobilenet_v3_small', weights=None)"
    )
    assert subprocess.run([sys.executable, "-W", "error", "-c", code], check=False).returncode == 0

"""The house itself: our packages are ours, and our folders hold what they should."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("embeddings", "indexer", "recommender", "webui", "migrations")


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_is_imported_from_this_tree(package: str) -> None:
    module = importlib.import_module(package)
    assert Path(str(module.__file__)).resolve().is_relative_to(ROOT)


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_a_package_does_not_import_torch(package: str) -> None:
    code = f"import sys, {package}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0


def test_tests_have_no_init_files_that_would_shadow_our_packages() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_nothing_unpickles() -> None:
    forbidden = ("import pickle", "from pickle", "torch.load(", "allow_pickle=True", "joblib")
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            assert not [word for word in forbidden if word in text], path

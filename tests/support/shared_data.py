"""Where the real data lie that nobody here wrote; tests of them skip where they are absent."""

import os
from pathlib import Path

import pytest

ROOT = Path(
    os.environ.get("GENPRM_SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")
)


def shared(name: str) -> Path:
    """A file or folder of the shared data."""
    path = ROOT / name
    if not path.exists():
        pytest.skip(f"no shared data: {name}", allow_module_level=True)
    return path

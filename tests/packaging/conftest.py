from pathlib import Path

import pytest

from tests.packaging.environment import build_wheel

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as a wheel."""
    return build_wheel(ROOT, tmp_path_factory.mktemp("wheel"))

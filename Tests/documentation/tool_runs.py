"""Where the repository and its tool are, and the environment in which documented commands run."""

from __future__ import annotations

import os
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
TOOL = Path(os.environ.get("LAYERBUDGET", REPOSITORY / ".build" / "debug" / "layerbudget"))


def environment() -> dict[str, str]:
    settings = {
        "PATH": f"{TOOL.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "OMPI_MCA_rmaps_base_oversubscribe": "1",
        "OMPI_MCA_mpi_yield_when_idle": "1",
        # torch's threads would spin on cores that ranks and other tests use.
        "OMP_NUM_THREADS": "1",
    }
    return os.environ | settings


def link_repository(folder: Path) -> None:
    """Gives a folder what documented commands name by paths of the repository."""
    for name in ("docs", "launch", "hostfiles", "Tests", "LICENSE"):
        if not (folder / name).exists():
            (folder / name).symlink_to(REPOSITORY / name)

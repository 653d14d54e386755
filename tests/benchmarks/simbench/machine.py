"""What the numbers depend on besides the code."""

from __future__ import annotations

import datetime
import importlib.metadata
import platform
import subprocess
from pathlib import Path
from typing import Any

from simbench.pool import processors

PACKAGES = ("numpy", "scipy", "numba", "jax", "jaxlib", "torch", "dask", "distributed")


def machine() -> dict[str, Any]:
    """Date, processor, interpreter, compiler and versions."""
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    return {
        "date": today,
        "processor": processor(),
        "cores": len(processors()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "compiler": compiler(),
        "versions": {name: version(name) for name in PACKAGES},
    }


def processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()


def compiler() -> str | None:
    try:
        done = subprocess.run(
            ["cc", "--version"],  # noqa: S607
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.splitlines()[0]


def version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None

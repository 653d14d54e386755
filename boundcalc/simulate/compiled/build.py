"""From C source to a loaded library, compiled once and kept."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from boundcalc.errors import SimulationError

HEADERS = Path(__file__).parent / "c"

#: No -ffast-math: NaN and infinity tell that a run diverged, and must survive.
_FLAGS = (
    "-std=gnu11",
    "-O3",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-ffp-contract=fast",
    "-fPIC",
    "-shared",
    "-fvisibility=hidden",
    "-w",
)
_TIMEOUT = 300  # seconds for one compilation
_SHOWN = 800  # characters of a compiler's message


@functools.cache
def compiler() -> tuple[str, ...] | None:
    """The command of a C compiler: ``$CC``, cc, gcc, clang, or that of the package ziglang."""
    for name in (os.environ.get("CC", ""), "cc", "gcc", "clang"):
        found = shutil.which(name) if name else None
        if found:
            return (found,)
    if importlib.util.find_spec("ziglang"):
        return (sys.executable, "-m", "ziglang", "cc")
    return None


def library(source: str, extra: Mapping[str, str]) -> ctypes.CDLL:
    """The compiled source, from the cache where it has been compiled before.

    Parameters
    ----------
    extra
        Generated headers by file name, beside those that ship with the package.

    Raises
    ------
    SimulationError
        If there is no compiler or it fails.
    """
    command = compiler()
    if command is None:
        raise SimulationError(
            "there is no C compiler",
            where="engine",
            expected="cc, gcc or clang on the PATH",
            fix="install one (or `pip install 'boundcalc[fast]'`), or use --engine numpy",
        )
    folder = _cache()
    target = folder / f"{_key(source, extra, command)}.so"
    if not _whole(target):
        _compile(source, extra, command, target)
    return ctypes.CDLL(str(target))


def _whole(target: Path) -> bool:
    """Whether a library is there as it was compiled: loading a damaged one ends the process."""
    try:
        return _digest(target) == target.with_suffix(".sha256").read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return False


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _compile(source: str, extra: Mapping[str, str], command: tuple[str, ...], target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        folder = Path(scratch)
        for name, text in {**extra, "program.c": source}.items():
            (folder / name).write_text(text, encoding="utf-8")
        made = folder / "program.so"
        message = ""
        # Not every compiler knows the name of the machine that it runs on.
        for native in (("-march=native",), ("-mcpu=native",), ()):
            arguments = [*command, *_FLAGS, *native, f"-I{HEADERS}", f"-I{folder}"]
            try:
                done = subprocess.run(  # noqa: S603 - a fixed command on our own files
                    [*arguments, "-o", str(made), str(folder / "program.c"), "-lm"],
                    capture_output=True,
                    text=True,
                    timeout=_TIMEOUT,
                    check=False,
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                message = str(error)
                break
            if done.returncode == 0:
                digest = folder / "program.sha256"
                digest.write_text(_digest(made), encoding="ascii")
                # Renamed at the end: another process finds whole files or none.
                digest.replace(target.with_suffix(".sha256"))
                made.replace(target)
                return
            message = done.stderr.strip()
    raise SimulationError(
        "the C compiler failed",
        where="engine",
        value=message[:_SHOWN],
        expected="a compiler for C11 with GNU extensions",
        fix="set CC to another compiler, or use --engine numpy",
    )


def _key(source: str, extra: Mapping[str, str], command: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    headers = {path.name: path.read_text(encoding="utf-8") for path in HEADERS.glob("*.h")}
    parts = [source, _machine(), _version(command), " ".join(_FLAGS)]
    for name, text in sorted({**headers, **extra}.items()):
        parts += [name, text]
    for part in parts:
        digest.update(part.encode())
        digest.update(b"\0")
    return digest.hexdigest()[:32]


@functools.cache
def _version(command: tuple[str, ...]) -> str:
    done = subprocess.run(  # noqa: S603 - as above
        [*command, "--version"], capture_output=True, text=True, timeout=60, check=False
    )
    return " ".join(command) + done.stdout


@functools.cache
def _machine() -> str:
    """What code for this machine depends on: a home folder may be shared by several."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    kept = {line for line in lines if line.startswith(("model name", "flags", "Features"))}
    return platform.platform() + "".join(sorted(kept))


@functools.cache
def _cache() -> Path:
    """A folder that only this user can write to, for libraries are loaded from it."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(base) / "boundcalc"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        status = folder.stat()
        if status.st_uid == os.getuid() and not status.st_mode & 0o022:
            with tempfile.TemporaryFile(dir=folder):
                return folder
    except (OSError, RuntimeError):
        pass
    return _temporary()


@functools.cache
def _temporary() -> Path:
    """Without a usable cache folder: one that goes with this process."""
    holder = tempfile.TemporaryDirectory(prefix="boundcalc-")
    _HOLDERS.append(holder)
    return Path(holder.name)


_HOLDERS: list[tempfile.TemporaryDirectory[str]] = []

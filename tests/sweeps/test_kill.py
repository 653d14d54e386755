"""Killed at any moment, a sweep goes on and ends with the same files."""

import random
import signal
import time

import pytest
from sweep_cases import TEXT, start

from boundcalc.sweeps import read_sweep, sweep

#: 48 points of a tenth of a second, or of a fifth in the long test: starts that are killed soon
#: after their first new point do not reach the end, however slow the machine is.
OVER = {"training.step_size": "1/2:1/8:4", "symbols.C": "0.1,1"}
SEEDS, POINTS = 6, 48
OPTIONS = (
    *(part for key, values in OVER.items() for part in ("--over", f"{key}={values}")),
    *("--seeds", str(SEEDS), "--engine", "numpy"),
)
COMMAND = "from boundcalc.cli import app, main; import boundcalc.cli.sweep as s; {}main()".format(
    "'sweep' in {c.callback.__name__ for c in app.registered_commands} or app.command()(s.sweep); "
)
FILES = ("table.csv", "results.nc")


@pytest.fixture
def spec(tmp_path, request):
    horizon = 200 if request.node.get_closest_marker("long") else 100
    path = tmp_path / "small.yaml"
    path.write_text(TEXT.replace("horizon: 20", f"horizon: {horizon}"), encoding="utf-8")
    return path


def command(spec, out, workers):
    arguments = ("sweep", str(spec), *OPTIONS, "-o", str(out), "--workers", str(workers))
    return start("-c", COMMAND, *arguments)


def identities(out):
    """Every finished point's file, as the disk knows it: another one would be another run."""
    found = {}
    for path in (out / "points").glob("[0-9]*.json") if out.exists() else ():
        status = path.stat()
        found[path.name] = (status.st_ino, status.st_mtime_ns)
    return found


def uninterrupted(spec, folder):
    return sweep(spec, OVER, seeds=SEEDS, out=folder, workers=0, engine="numpy").folder


def kill(process, moment, progress, after):
    """Kill it at a moment from its start, or sooner: some time after its first new point."""
    begin, seen = time.monotonic(), None
    while process.poll() is None:
        now = time.monotonic()
        if seen is None and progress():
            seen = now
        if now - begin >= moment or (seen is not None and now - seen >= after):
            break
        time.sleep(0.002)
    process.kill()
    process.wait()


def check(spec, out, before, whole, workers):
    process = command(spec, out, workers)
    with process:
        process.communicate()
    assert process.returncode == 0
    after = identities(out)
    assert len(after) == read_sweep(out).grid.size == POINTS
    assert before.items() <= after.items()
    for name in FILES:
        assert (out / name).read_bytes() == (whole / name).read_bytes()
    assert not list(out.rglob("*.part"))


def test_killed_once_it_goes_on(spec, tmp_path):
    whole, out = uninterrupted(spec, tmp_path / "whole"), tmp_path / "out"
    with command(spec, out, 0) as process:
        kill(process, 600, lambda: identities(out), 0)
    before = identities(out)
    assert 0 < len(before) < POINTS
    assert not (out / "table.csv").exists()
    check(spec, out, before, whole, 0)


@pytest.mark.long
def test_killed_at_ten_random_moments_it_ends_with_the_same_files(spec, tmp_path):
    whole, out = uninterrupted(spec, tmp_path / "whole"), tmp_path / "out"
    moments, before = random.Random(0), {}  # noqa: S311 - moments, not secrets
    for turn in range(10):
        # Every other one surely after a point of its own, the rest at any moment of its start.
        moment = 600 if turn % 2 else moments.uniform(0, 4)
        with command(spec, out, 2) as process:
            known = before
            kill(
                process,
                moment,
                lambda known=known: identities(out).keys() - known.keys(),
                moments.uniform(0, 0.3),
            )
        assert process.returncode == -signal.SIGKILL
        now = identities(out)
        assert before.items() <= now.items()
        before = now
    assert 0 < len(before) < POINTS
    check(spec, out, before, whole, 2)


def test_two_sweeps_at_the_same_time_do_not_mix(spec, tmp_path):
    out = tmp_path / "out"
    with command(spec, out, 0) as first:
        while not identities(out) and first.poll() is None:
            time.sleep(0.002)
        with command(spec, out, 0) as second:
            said = second.communicate()[1]
        first.kill()
    assert second.returncode == 2
    assert "another sweep is running in this folder" in said

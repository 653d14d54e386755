"""Killed at any moment, a sweep goes on and ends with the same files."""

import random
import time

import pytest
from sweep_cases import TEXT, start

from boundcalc.sweeps import read_sweep, sweep

OPTIONS = (
    *("--over", "training.step_size=1/2:1/8:4", "--over", "symbols.C=0.1,1"),
    *("--seeds", "2", "--engine", "numpy"),
)
COMMAND = "from boundcalc.cli import app, main; import boundcalc.cli.sweep as s; {}main()".format(
    "'sweep' in {c.callback.__name__ for c in app.registered_commands} or app.command()(s.sweep); "
)
FILES = ("table.csv", "results.nc")


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(TEXT.replace("horizon: 20", "horizon: 200"), encoding="utf-8")
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
    over = {"training.step_size": "1/2:1/8:4", "symbols.C": "0.1,1"}
    return sweep(spec, over, seeds=2, out=folder, workers=0, engine="numpy").folder


def check(spec, out, before, whole, workers):
    process = command(spec, out, workers)
    with process:
        process.communicate()
    assert process.returncode == 0
    after = identities(out)
    assert len(after) == read_sweep(out).grid.size == 16
    assert before.items() <= after.items()
    for name in FILES:
        assert (out / name).read_bytes() == (whole / name).read_bytes()
    assert not list(out.rglob("*.part"))


def test_killed_once_it_goes_on(spec, tmp_path):
    whole, out = uninterrupted(spec, tmp_path / "whole"), tmp_path / "out"
    with command(spec, out, 0) as process:
        while not identities(out) and process.poll() is None:
            time.sleep(0.002)
        process.kill()
        process.wait()
    before = identities(out)
    assert 0 < len(before) < 16
    assert not (out / "table.csv").exists()
    check(spec, out, before, whole, 0)


@pytest.mark.long
def test_killed_at_ten_random_moments_it_ends_with_the_same_files(spec, tmp_path):
    whole, out = uninterrupted(spec, tmp_path / "whole"), tmp_path / "out"
    moments, before, killed = random.Random(0), {}, 0  # noqa: S311 - moments, not secrets
    begin = time.monotonic()
    with command(spec, tmp_path / "timed", 2) as process:
        process.communicate()
    lasts = time.monotonic() - begin
    while killed < 10:
        with command(spec, out, 2) as process:
            # Sooner as points are done: no start may reach the end before it is killed.
            time.sleep(moments.uniform(0, lasts * max(0.3, 1 - len(before) / 16)))
            if process.poll() is not None:
                break
            process.kill()
            process.wait()
            killed += 1
        now = identities(out)
        assert before.items() <= now.items()
        before = now
    assert killed == 10
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

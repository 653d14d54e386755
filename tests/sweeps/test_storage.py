"""Whole files or none, full disks, and one process for a folder."""

import errno
import os
import sys

import pytest
from sweep_cases import OVER, small, start

from boundcalc.errors import OutputError
from boundcalc.sweeps import read_sweep, sweep
from boundcalc.sweeps.storage import only_one, remove_parts, write_durably


def test_a_file_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "a"
    for content in (b"one", b"two" * 100_000):
        write_durably(path, content)
        assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["fsync", "replace"])
def test_what_cannot_be_written_leaves_what_was_there(tmp_path, monkeypatch, name):
    path = tmp_path / "a"
    write_durably(path, b"one")

    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, name, full)
    with pytest.raises(OutputError, match=r"(?s)No space left.*every point that is finished"):
        write_durably(path, b"two")
    assert path.read_bytes() == b"one"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_keeps_the_points_before_it(tmp_path, monkeypatch):
    sync, left = os.fsync, [12]

    def fills_up(handle):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return sync(handle)

    monkeypatch.setattr(os, "fsync", fills_up)
    with pytest.raises(OutputError, match="No space left"):
        sweep(small(), OVER, out=tmp_path / "out", workers=0)
    kept = read_sweep(tmp_path / "out").points
    monkeypatch.setattr(os, "fsync", sync)
    found = sweep(small(), OVER, out=tmp_path / "out", workers=0)
    assert 0 < len(kept) < len(found.points)
    assert found.points[: len(kept)] == kept


@pytest.mark.skipif(sys.platform == "win32", reason="limits on files are POSIX")
def test_the_system_s_limit_on_files_is_reported(tmp_path):
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from boundcalc.sweeps.storage import write_durably\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "write_durably(Path(sys.argv[1]) / 'small', b'x' * 900)\n"
        "write_durably(Path(sys.argv[1]) / 'large', b'x' * 1100)\n"
    )
    with start("-c", code, str(tmp_path)) as process:
        said = process.communicate()[1]
    assert "OutputError" in said
    assert "File too large" in said
    assert [path.name for path in tmp_path.iterdir()] == ["small"]


def test_parts_are_removed_and_nothing_else(tmp_path):
    for name in (".a.part", "b.part", ".c", "d"):
        (tmp_path / name).touch()
    remove_parts(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".c", "b.part", "d"]


def test_a_lock_ends_with_its_process(tmp_path):
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from boundcalc.sweeps.storage import only_one\n"
        "with only_one(Path(sys.argv[1])):\n"
        "    print('held', flush=True)\n"
        "    time.sleep(600)\n"
    )
    with start("-c", code, str(tmp_path)) as process:
        try:
            assert process.stdout.readline() == "held\n"
            with pytest.raises(OutputError, match="another sweep"), only_one(tmp_path):
                pass
        finally:
            process.kill()
    with only_one(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write here"):
        sweep(small(), out=tmp_path / "file", workers=0)

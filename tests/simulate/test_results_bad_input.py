"""Results files from anywhere: one clear error, whatever the bytes are."""

import io
import random
from dataclasses import replace

import numpy as np
import pytest
from results_cases import run
from scipy.io import netcdf_file

import boundcalc
from boundcalc.errors import BoundcalcError, DataError
from boundcalc.simulate.netcdf3 import NetCDFError, parse
from boundcalc.simulate.results import results_of
from boundcalc.simulate.results_reader import read_results
from boundcalc.simulate.results_writer import attributes, netcdf_bytes, write_results


@pytest.fixture(scope="module")
def record():
    return results_of(run())


@pytest.fixture(scope="module")
def content(record):
    return netcdf_bytes(record)


def refused(tmp_path, content: bytes, *said: str) -> None:
    (tmp_path / "results.nc").write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_results(tmp_path / "results.nc")
    for text in (*said, "results.nc", "fix:"):
        assert text in str(caught.value)


def rewritten(content: bytes, change) -> bytes:
    """The same file with ``change`` made to its attributes and variables, by SciPy."""
    source = netcdf_file(io.BytesIO(content), "r", mmap=False)
    names = dict(source._attributes)
    variables = {n: (v.dimensions, v[:].copy()) for n, v in source.variables.items()}
    change(names, variables)
    buffer = io.BytesIO()
    file = netcdf_file(buffer, "w", version=2)
    for dimensions, values in variables.values():
        for name, length in zip(dimensions, values.shape, strict=True):
            if name not in file.dimensions:
                file.createDimension(name, length)
    for name, value in names.items():
        setattr(file, name, value)
    for name, (dimensions, values) in variables.items():
        file.createVariable(name, values.dtype, dimensions)[...] = values
    file.flush()
    return buffer.getvalue()


def attribute(name, value):
    def change(names, variables):
        names[name] = value

    return change


def without(*gone):
    def change(names, variables):
        for name in gone:
            names.pop(name, None)
            variables.pop(name, None)

    return change


def variable(name, make):
    def change(names, variables):
        dimensions, values = variables[name]
        variables[name] = (dimensions, make(values))

    return change


def test_a_file_rewritten_without_a_change_is_read(content, record, tmp_path):
    (tmp_path / "results.nc").write_bytes(rewritten(content, lambda names, variables: None))
    assert read_results(tmp_path / "results.nc").spec == record.spec


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (attribute("boundcalc_results", np.int32(2)), "another version of the results format"),
        (attribute("boundcalc_results", b"1"), "not a results file of boundcalc"),
        (without("boundcalc_results"), "not a results file of boundcalc"),
        (without("spec"), "'spec' is not as it must be"),
        (without("title"), "'title'"),
        (without("loss"), "the variable 'loss' is missing"),
        (without("metric_lo"), "the variable 'metric_lo' is missing"),
        (without("check_bias_hi"), "the variable 'check_bias_hi' is missing"),
        (attribute("files", b"[{}]"), "'files'"),
        (attribute("files", b"[" * 100_000), "'files'"),
        (attribute("files", b'[{"name": 3, "sha256": "00"}]'), "'files'"),
        (attribute("files", b'[{"name": "a", "sha256": "00"}]'), "SHA-256"),
        (attribute("data_sha256", b"xyz"), "SHA-256"),
        (attribute("digests", b'{"loss": "00"}'), "SHA-256"),
        (attribute("digests", b"[]"), "'digests'"),
        (attribute("versions", b'{"numpy": 2}'), "'versions'"),
        (attribute("seed", b"-1"), "'seed'"),
        (attribute("seed", b"9223372036854775808"), "'seed'"),
        (attribute("seed", b"1" * 5_000), "'seed'"),
        (attribute("seed", np.int32(1)), "'seed'"),
        (attribute("precision", b"float16"), "float64 or float32"),
        (attribute("replicas", np.int32(5)), "5 along one dimension"),
        (attribute("replicas", np.int32(0)), "a whole number ≥ 1"),
        (attribute("horizon", np.int32(41)), "rising steps"),
        (attribute("horizon", np.float64(40)), "'horizon'"),
        (attribute("threads", np.array([1, 2], dtype=np.int32)), "'threads'"),
        (attribute("confidence", np.float64(np.nan)), "'confidence'"),
        (attribute("seconds", np.float64(np.inf)), "'seconds'"),
        (variable("step", lambda v: v[::-1]), "rising steps"),
        (variable("loss", lambda v: v.astype(">i4")), "an array over step, replica"),
        (variable("metric", lambda v: np.full_like(v, b"\xff")), "UTF-8"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_with_what_is_wrong(content, tmp_path, change, said):
    refused(tmp_path, rewritten(content, change), said)


def test_another_version_says_who_wrote_it(content, tmp_path):
    refused(
        tmp_path,
        rewritten(content, attribute("boundcalc_results", np.int32(7))),
        f"version 7, written by boundcalc {boundcalc.__version__[:16]}",
        "expected: version 1",
        "use the version of boundcalc that wrote it",
    )


def test_more_weights_than_replicas_are_refused(record, tmp_path):
    write_results(replace(record, final=np.zeros((5, 2))), tmp_path / "results.nc")
    with pytest.raises(DataError, match="final_weights"):
        read_results(tmp_path / "results.nc")


@pytest.mark.parametrize(
    "content",
    [b"", b"CDF", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n" + bytes(99), b"CDF\x05" + bytes(99)],
)
def test_other_files_are_no_results(tmp_path, content):
    refused(tmp_path, content, "this is no results file")


def test_what_is_not_a_file_is_refused(tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe")
    for name in ("none.nc", "pipe", ".", "a\0b"):
        with pytest.raises(DataError) as caught:
            read_results(tmp_path / name)
        assert "fix:" in str(caught.value)


def test_the_header_is_not_believed(content):
    # A dimension of 2³¹ − 1, counts of 2³¹ − 1, a negative one, a begin beyond the end.
    for at in range(4, 200, 4):
        for word in (b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", b"\x00\x00\x01\x00"):
            broken = content[:at] + word + content[at + 4 :]
            try:
                parse(broken)
            except NetCDFError:
                continue  # anything else is a failure


def test_a_short_file_cannot_fill_the_memory():
    # 200 variables over the same bytes: the sum of all arrays is held against the file.
    name = b"\x00\x00\x00\x01v\x00\x00\x00"
    header = b"CDF\x01" + bytes(4) + b"\x00\x00\x00\x0a\x00\x00\x00\x01" + name
    header += (4_000).to_bytes(4, "big") + bytes(8) + b"\x00\x00\x00\x0b" + (200).to_bytes(4, "big")
    for number in range(200):
        own = b"\x00\x00\x00\x04" + b"v%03d" % number
        header += own + b"\x00\x00\x00\x01" + bytes(4) + bytes(8) + b"\x00\x00\x00\x06"
        header += (32_000).to_bytes(4, "big") + bytes(4)
    with pytest.raises(NetCDFError, match="longer than the file"):
        parse(header + bytes(40_000))


def mutants(content: bytes, count: int, seed: int):
    """The file with a few bytes changed, or cut off, most often in its header."""
    rng = random.Random(seed)  # noqa: S311 - not for secrets
    for _ in range(count):
        made = bytearray(content)
        for _ in range(rng.randint(1, 4)):
            end = len(made) if rng.random() < 0.3 else min(len(made), 6_000)
            made[rng.randrange(end)] = rng.choice([0, 1, 10, 11, 12, 127, 255, rng.randrange(256)])
        yield bytes(made[: rng.randrange(len(made))] if rng.random() < 0.1 else made)


def survives(content, tmp_path, count, seed):
    outcomes = {"read": 0, "refused": 0}
    path = tmp_path / "results.nc"
    for broken in mutants(content, count, seed):
        path.write_bytes(broken)
        try:
            read_results(path)
        except BoundcalcError:
            outcomes["refused"] += 1
        else:
            outcomes["read"] += 1
    return outcomes


def test_changed_bytes_are_read_or_refused(content, tmp_path):
    found = survives(content, tmp_path, 400, 0)
    assert min(found.values()) > 20  # both happen


@pytest.mark.long
def test_many_changed_bytes_are_read_or_refused(content, tmp_path):
    assert sum(survives(content, tmp_path, 5_000, 1).values()) == 5_000


def test_every_attribute_that_is_written_is_read(record, content, tmp_path):
    told = {"status", "comment"}
    for name in set(attributes(record)) - told:
        broken = rewritten(content, without(name))
        (tmp_path / "results.nc").write_bytes(broken)
        with pytest.raises(DataError):
            read_results(tmp_path / "results.nc")

"""Files of arrays: what they hold is read, and what they should not hold is refused."""

import io
import pickle
import struct
import zipfile
import zlib
from contextlib import suppress

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from boundcalc.data import mat_format
from boundcalc.data.paths import inside
from boundcalc.data.weights_file import array_shapes, read_arrays
from boundcalc.errors import DataError, UnsupportedError

W, B = np.arange(6.0).reshape(2, 3), np.array([1, 2], np.int32)


def npz(folder, name="w.npz", **arrays):
    path = folder / name
    np.savez(path, **arrays)
    return path


def mat(folder, compressed=False, **arrays):
    path = folder / "w.mat"
    savemat(path, arrays, do_compression=compressed)
    return path


def cells(*arrays):
    made = np.empty(len(arrays), dtype=object)
    for number, array in enumerate(arrays):
        made[number] = array
    return made


def test_arrays_of_an_npz_file_in_its_order(tmp_path):
    path = npz(tmp_path, W=W, b=B)
    assert array_shapes(path) == {"W": (2, 3), "b": (2,)}
    found = read_arrays(path, ["b", "W"])
    assert [a.tolist() for a in found] == [B.tolist(), W.tolist()]
    assert found[0].dtype == np.int32


def test_arrays_of_a_safetensors_file(tmp_path):
    numpy = pytest.importorskip("safetensors.numpy")
    path = tmp_path / "w.safetensors"
    numpy.save_file({"W": W, "b": B}, path)
    assert array_shapes(path) == {"W": (2, 3), "b": (2,)}
    assert read_arrays(path, ["W"])[0].tolist() == W.tolist()


@pytest.mark.parametrize("compressed", [False, True])
def test_arrays_and_cells_of_a_mat_file(tmp_path, compressed):
    path = mat(
        tmp_path, compressed, W=W, weights=cells(W, W.T), text="no array", s={"a": 1}, c=1j * W
    )
    shapes = array_shapes(path)
    assert shapes["W"] == (2, 3)
    assert (shapes["weights{1}"], shapes["weights{2}"]) == ((2, 3), (3, 2))
    assert "text" not in shapes
    assert "s" not in shapes
    assert read_arrays(path, ["weights{2}"])[0].tolist() == W.T.tolist()
    with pytest.raises(DataError, match="complex"):
        read_arrays(path, ["c"])


@pytest.mark.parametrize(
    "kind", ["f8", "f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "?", ">f8"]
)
@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 3), (2, 3, 4), (2, 1, 3, 2)])
def test_a_mat_file_is_read_as_scipy_reads_it(tmp_path, kind, shape):
    array = np.random.default_rng(0).integers(0, 2 if kind == "?" else 100, shape).astype(kind)
    path = mat(tmp_path, A=array, long_name_of_an_array=array.astype("f8") + 0.25)
    wanted = loadmat(path)
    for name in ("A", "long_name_of_an_array"):
        (found,) = read_arrays(path, [name])
        assert np.array_equal(found, wanted[name])
        assert found.shape == wanted[name].shape


def test_cells_of_other_things_are_left_out(tmp_path):
    assert array_shapes(mat(tmp_path, W=W, c=cells(W, "text"), d=cells(W, cells(W)))) == {
        "W": (2, 3)
    }


@pytest.mark.parametrize(
    ("value", "text"), [(np.nan, "nan at [1, 2]"), (np.inf, "inf at"), (-np.inf, "-inf at")]
)
def test_numbers_that_are_none_are_named(tmp_path, value, text):
    array = W.copy()
    array[1, 2] = value
    with pytest.raises(DataError) as caught:
        read_arrays(npz(tmp_path, W=array), ["W"])
    assert "array 'W'" in str(caught.value)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.zeros((2, 0)), "the array is empty"),
        (np.array(["a"]), "not an array of real numbers"),
        (1j * W, "complex128"),
        (np.zeros(2, dtype="i4,f8"), "not an array of real numbers"),
    ],
)
def test_other_arrays_are_refused(tmp_path, array, text):
    with pytest.raises(DataError, match=text):
        read_arrays(npz(tmp_path, W=array), ["W"])


def test_an_unknown_name_is_answered_with_the_nearest(tmp_path):
    with pytest.raises(DataError) as caught:
        read_arrays(npz(tmp_path, weight=W), ["weigth"])
    assert "did you mean 'weight'?" in str(caught.value)


class Harm:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was run",))


def test_pickles_are_never_run(tmp_path):
    path = tmp_path / "w.npz"
    np.savez(path, W=np.array([Harm()], dtype=object))
    with pytest.raises(DataError, match="object"):
        read_arrays(path, ["W"])
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("W.npy", pickle.dumps(Harm()))
    with pytest.raises(DataError, match="NPZ"):
        read_arrays(path, ["W"])


def header(shape):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": "<f8", "fortran_order": False, "shape": shape}
    )
    return stream.getvalue()


def test_an_array_that_says_it_is_huge_is_refused_by_what_it_says(tmp_path):
    path = tmp_path / "w.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("W.npy", header((2**40, 4)))
    with pytest.raises(DataError, match="too large"):
        read_arrays(path, ["W"])


def test_an_array_that_is_shorter_than_it_says_is_refused(tmp_path):
    path = tmp_path / "w.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("W.npy", header((4, 4)) + bytes(100))
    with pytest.raises(DataError, match="array 'W'"):
        read_arrays(path, ["W"])


def test_a_limit_on_all_arrays_together(tmp_path, monkeypatch):
    monkeypatch.setattr("boundcalc.data.weights_file.MAX_NUMBERS", 10)
    path = npz(tmp_path, a=W, b=np.zeros((1, 8)))
    assert len(read_arrays(path, ["a"])) == 1
    with pytest.raises(DataError, match="array 'b'"):
        read_arrays(path, ["a", "b"])


@pytest.mark.parametrize("compressed", [False, True])
def test_a_mat_file_is_bounded_once_it_is_decompressed(tmp_path, monkeypatch, compressed):
    path = mat(tmp_path, compressed, W=np.zeros((100, 100)))
    monkeypatch.setattr(mat_format, "MAX_BYTES", 10_000)
    with pytest.raises(DataError, match="too large once it is decompressed"):
        array_shapes(path)


def test_a_compressed_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(mat_format, "MAX_BYTES", 10**6)
    packed = zlib.compress(struct.pack("<II", 14, 2**31) + bytes(10**8))
    content = mat(tmp_path, W=W).read_bytes()[:128] + struct.pack("<II", 15, len(packed)) + packed
    path = tmp_path / "bomb.mat"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"bomb\.mat"):
        array_shapes(path)


@pytest.mark.parametrize("write", [npz, mat])
def test_every_truncation_is_refused_or_holds_less(tmp_path, write):
    path = write(tmp_path, W=W, b=B)
    content = path.read_bytes()
    cut = tmp_path / f"cut{path.suffix}"
    for length in range(len(content)):
        cut.write_bytes(content[:length])
        try:
            found = array_shapes(cut)
        except DataError:
            continue
        assert set(found) < {"W", "b"}


def test_changed_bytes_of_a_mat_file_never_crash(tmp_path):
    content = mat(tmp_path, W=W, weights=cells(W, W)).read_bytes()
    path = tmp_path / "changed.mat"
    rng = np.random.default_rng(0)
    for position in range(116, len(content)):
        changed = bytearray(content)
        changed[position] = rng.integers(256)
        path.write_bytes(bytes(changed))
        with suppress(DataError):  # anything else is a failure, and a crash ends the tests
            read_arrays(path, list(array_shapes(path)))


@pytest.mark.parametrize("name", ["w.npz", "w.mat", "w.safetensors"])
@pytest.mark.parametrize("content", [b"\0" * 200, b"text that is none of them", b"PK\x03\x04"])
def test_other_content_is_refused(tmp_path, name, content):
    if name.endswith("safetensors"):
        pytest.importorskip("safetensors")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=r"w\."):
        array_shapes(tmp_path / name)


def test_files_of_hdf5_and_of_version_4_are_explained(tmp_path):
    path = tmp_path / "w.mat"
    savemat(path, {"W": W}, format="4")
    with pytest.raises(DataError, match="version 5"):
        array_shapes(path)


def test_other_suffixes_empty_files_and_folders_are_refused(tmp_path):
    (tmp_path / "w.npz").write_bytes(b"")
    (tmp_path / "d.npz").mkdir()
    for name, text in (("w.pkl", "no file of named"), ("w.npz", "is empty"), ("d.npz", "regular")):
        with pytest.raises(DataError, match=text):
            array_shapes(tmp_path / name)


def test_a_missing_package_says_which_extra_to_install(tmp_path, monkeypatch):
    (tmp_path / "w.safetensors").write_bytes(b"x" * 100)
    monkeypatch.setitem(__import__("sys").modules, "safetensors", None)
    with pytest.raises(UnsupportedError, match=r"pip install 'boundcalc\[safetensors\]'"):
        array_shapes(tmp_path / "w.safetensors")


def test_paths_stay_in_their_folder(tmp_path):
    folder = tmp_path / "inner"
    folder.mkdir()
    (tmp_path / "secret.npz").write_bytes(b"x")
    (folder / "link.npz").symlink_to(tmp_path / "secret.npz")
    assert inside(folder, "sub/w.npz", "file") == folder.resolve() / "sub" / "w.npz"
    for name in ("../secret.npz", "/etc/passwd", "link.npz", "a/../../secret.npz"):
        with pytest.raises(DataError, match="lies outside the folder of the model"):
            inside(folder, name, "file", of="the model")

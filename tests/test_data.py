"""Data sets: generators by their law, CSV files by what must be refused."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from boundcalc.data import (
    CsvSource,
    DataSource,
    GaussianSource,
    LogisticSource,
    PointSource,
    TokenSource,
    UniformSource,
    csv_data,
    csv_table,
    gaussian_data,
    logistic_data,
    make_data,
    point_data,
    token_data,
    uniform_data,
)
from boundcalc.errors import DataError, SymbolError

SOURCES: TypeAdapter[Any] = TypeAdapter(DataSource)
CANCER = Path(__file__).parents[1] / "specs" / "data" / "breast-cancer-wisconsin.csv"

Write = Callable[[str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_file(text: str | bytes) -> Path:
        path = tmp_path / "table.csv"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return to_file


# --- generators ------------------------------------------------------------------------------


def test_logistic_data_is_the_literal_generator() -> None:
    data = logistic_data(300, 4, seed=3)
    rng = np.random.Generator(np.random.SFC64(np.random.SeedSequence(3)))
    truth = rng.standard_normal(4)
    features = rng.standard_normal((300, 4))
    coins = rng.random(300)
    chance = [1 / (1 + np.exp(-h @ truth)) for h in features]
    labels = [1.0 if u < p else -1.0 for u, p in zip(coins, chance, strict=True)]
    assert np.array_equal(data.features, features)
    assert data.labels.tolist() == labels


def test_logistic_labels_follow_their_probability() -> None:
    data = logistic_data(40_000, 3, seed=1)
    truth = np.random.Generator(np.random.SFC64(np.random.SeedSequence(1))).standard_normal(3)
    margin = data.features @ truth
    residual = (data.labels > 0) - 1 / (1 + np.exp(-margin))
    for weight in (np.ones_like(margin), margin, margin**2):
        draws = residual * weight
        assert abs(draws.mean()) < 6 * draws.std() / np.sqrt(draws.size)
    assert (data.labels * margin).mean() > 0


def test_large_margins_do_not_overflow() -> None:
    assert set(logistic_data(20, 20_000, seed=1).labels) <= {-1.0, 1.0}


def test_gaussian_data() -> None:
    data = gaussian_data(40_000, 3, seed=1, scale=2.0)
    assert data.features.shape == (40_000, 3)
    assert abs((data.features**2).mean() - 4) < 6 * 4 * np.sqrt(2 / data.features.size)
    assert set(data.labels) == {-1.0, 1.0}
    assert abs(data.labels.mean()) < 6 / np.sqrt(40_000)
    correlation = np.corrcoef(data.labels, data.features[:, 0])[0, 1]
    assert abs(correlation) < 6 / np.sqrt(40_000)


def test_uniform_data() -> None:
    data = uniform_data(40_000, 3, seed=1, low=-1.0, high=3.0, classes=4)
    assert data.features.min() >= -1
    assert data.features.max() <= 3
    # mean 1 and variance 16/12
    assert abs(data.features.mean() - 1) < 6 * np.sqrt(16 / 12 / data.features.size)
    assert abs(data.features.var() - 16 / 12) < 0.02
    counts = np.bincount(data.labels.astype(int))
    assert np.all(np.abs(counts - 10_000) < 6 * np.sqrt(40_000 * 3 / 16))
    assert set(uniform_data(50, 1).labels) == {-1.0, 1.0}


def test_an_empty_interval_is_refused() -> None:
    with pytest.raises(DataError, match="an empty interval"):
        uniform_data(2, 1, low=1.0, high=1.0)


def test_token_data() -> None:
    data = token_data(10_000, 2, vocabulary=5, seed=1, classes=2)
    counts = np.bincount(data.features.ravel().astype(int), minlength=5)
    assert np.all(np.abs(counts - 4000) < 6 * np.sqrt(20_000 * 4 / 25))
    assert set(data.labels) == {0.0, 1.0}


@pytest.mark.parametrize("make", [logistic_data, gaussian_data, uniform_data])
def test_seeds(make: Callable[..., Any]) -> None:
    first, again, other = make(20, 3, 1), make(20, 3, 1), make(20, 3, 2)
    assert first.features.tobytes() == again.features.tobytes()
    assert first.labels.tobytes() == again.labels.tobytes()
    assert first.features.tobytes() != other.features.tobytes()


def test_data_cannot_be_changed() -> None:
    data = logistic_data(3, 2)
    with pytest.raises(ValueError, match="read-only"):
        data.features[0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        point_data([[1.0]]).labels[0] = 1


def test_point_data() -> None:
    points = np.arange(6.0).reshape(3, 2)
    data = point_data(points)
    points[0, 0] = 9
    assert data.features.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert data.labels.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("points", "labels", "message"),
    [
        ([], None, "no points"),
        ([[]], None, "no points"),
        ([[1], [1, 2]], None, r"points\[1\]: this point has 2 coordinates"),
        ([[1], [2]], [1], "1 labels for 2 points"),
        ([[1], [float("nan")]], None, r"points\[1\]\[0\]: not a finite number"),
        ([[1], [2]], [1, float("inf")], r"labels\[1\]: not a finite number"),
    ],
)
def test_points_that_are_refused(points: Any, labels: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        point_data(points, labels)


# --- what a spec may say -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ({"generator": "logistic", "samples": 5, "dimension": 2}, LogisticSource),
        ({"generator": "gaussian", "samples": 5, "dimension": 2, "scale": "1/2"}, GaussianSource),
        ({"generator": "uniform", "samples": 5, "dimension": 2, "low": "-c"}, UniformSource),
        ({"generator": "tokens", "samples": 5, "dimension": 2, "vocabulary": 3}, TokenSource),
        ({"points": [[1, "1/2"]], "labels": ["c"]}, PointSource),
        ({"points": [[1]]}, PointSource),
        ({"csv": "table.csv", "label": "y", "standardize": False}, CsvSource),
    ],
)
def test_sources(text: dict[str, Any], kind: type, write: Write) -> None:
    source = SOURCES.validate_python(text)
    assert type(source) is kind
    assert SOURCES.validate_python(source) == source
    folder = write("x,y\n1,0\n2,1\n").parent
    assert make_data(source, folder, {"c": 3.0}).features.ndim == 2


def test_sources_reach_their_functions() -> None:
    here = Path()
    made = make_data(LogisticSource(generator="logistic", samples=7, dimension=3, seed=4), here)
    assert np.array_equal(made.features, logistic_data(7, 3, 4).features)
    assert np.array_equal(made.labels, logistic_data(7, 3, 4).labels)
    source = GaussianSource(generator="gaussian", samples=7, dimension=3, seed=4, scale="s/2")
    made = make_data(source, here, {"s": 1.0})
    assert np.array_equal(made.features, gaussian_data(7, 3, 4, 0.5).features)
    made = make_data(PointSource(points=[["1/4"], ["a"]], labels=["-1", "a"]), here, {"a": 2.0})
    assert made.features.tolist() == [[0.25], [2]]
    assert made.labels.tolist() == [-1, 2]


LOGISTIC = {"generator": "logistic", "samples": 5, "dimension": 2}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ({}, "no source of data"),
        ({"generator": "logistics"}, "no source of data"),
        ({"generator": 1}, "no source of data"),
        (7, "no source of data"),
        (LOGISTIC | {"samples": 0}, "greater than or equal to 1"),
        (LOGISTIC | {"samples": 10**7 + 1}, "less than or equal to"),
        (LOGISTIC | {"dimension": 10**5 + 1}, "less than or equal to"),
        (LOGISTIC | {"samples": 10**6, "dimension": 10**3}, "too many numbers"),
        (LOGISTIC | {"samples": 2.0}, "valid integer"),
        (LOGISTIC | {"seed": -1}, "greater than or equal to 0"),
        (LOGISTIC | {"scale": 1}, "Extra inputs"),
        ({**LOGISTIC, "generator": "gaussian", "scale": -1}, "negative"),
        ({"points": [[1], [1, 2]]}, "this point has 2 coordinates"),
        ({"points": []}, "no points"),
        ({"points": None}, "valid tuple"),
        ({"points": [[1]], "labels": [1, 2]}, "2 labels for 1 points"),
        ({"points": [["1+"]]}, "not a number"),
        ({"csv": "", "label": "y"}, "at least 1 character"),
        ({"csv": "a.csv"}, "Field required"),
        ({"csv": "a.csv", "label": "y", "standardize": "yes"}, "neither true nor false"),
        ({"csv": "a.csv", "label": "y", "points": [[1]]}, "Extra inputs"),
    ],
)
def test_sources_that_are_refused(text: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SOURCES.validate_python(text)


def test_the_largest_sizes_are_allowed() -> None:
    for samples, dimension in ((10**7, 10), (10**3, 10**5)):
        LogisticSource(generator="logistic", samples=samples, dimension=dimension)


def test_values_of_symbols() -> None:
    with pytest.raises(SymbolError, match="'a'"):
        make_data(PointSource(points=[["a"]]), Path())
    with pytest.raises(DataError, match="not a finite number"):
        make_data(PointSource(points=[["a"]]), Path(), {"a": float("inf")})
    for scale in (-1.0, float("inf")):
        source = GaussianSource(generator="gaussian", samples=2, dimension=1, scale="s")
        with pytest.raises(DataError, match="scale"):
            make_data(source, Path(), {"s": scale})


def test_schema_can_be_written() -> None:
    assert len(SOURCES.json_schema()["oneOf"]) == 6


# --- CSV: what is read -------------------------------------------------------------------------


def test_csv(write: Write) -> None:
    path = write('# a comment\n#another\n"a b",y, c\n1,5,-2e1\n\n3, 4 ,.5\n')
    data = csv_data(path, "y", standardize=False)
    assert data.features.tolist() == [[1, -20], [3, 0.5]]
    assert data.labels.tolist() == [1, -1]
    assert not data.features.flags.writeable


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_byte_order_mark(write: Write, end: str) -> None:
    path = write("\ufeff" + end.join(["#", "x,y", "1,0", "2,1"]))
    assert csv_data(path, "y", standardize=False).features.tolist() == [[1], [2]]


def test_standardized(write: Write) -> None:
    rows = np.random.default_rng(0).normal(5, 3, (50, 2)) * [1, 1e200]
    lines = [f"{float(a)!r},{float(b)!r},{i % 2}" for i, (a, b) in enumerate(rows)]
    data = csv_data(write("\n".join(["a,b,y", *lines])), "y")
    assert np.abs(data.features.mean(axis=0)).max() < 1e-14
    assert np.abs((data.features**2).mean(axis=0) - 1).max() < 1e-14
    plain = (rows[:, 0] - rows[:, 0].mean()) / rows[:, 0].std()
    assert np.allclose(data.features[:, 0], plain, rtol=0, atol=1e-13)


# --- CSV: what is refused ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("# only\n# comments\n", "the file is empty"),
        ("\n\n", "the file is empty"),
        ("x,y\n", "no rows below its header"),
        ("x,x,y\n1,2,0\n", "line 1: two columns have the same name"),
        ("x,,y\n1,2,0\n", "line 1: column 2 has no name"),
        ("1,2\n3,0\n4,1\n", "line 1: the header row is missing"),
        ("#\nx,y\n1,0\n1\n", "line 4: this row has 1 cells"),
        ("x,y\n1,0,3\n", "line 2: this row has 3 cells"),
        ("#\nx,y\n1,0\nabc,1\n", r"line 4, column 'x': .*\n +found: +'abc'\n +expected: a finite"),
        ("x,y\n1,0\n,1\n", "line 3, column 'x'"),
        ("x,y\n1,0\nnan,1\n", "line 3, column 'x'"),
        ("x,y\n1,0\n1,-inf\n", "line 3, column 'y'"),
        ("x,y\n1,0\n1e999,1\n", "line 3, column 'x'"),
        ("x,y\n1,0\n1_000,1\n", "line 3, column 'x'"),
        ("x,y\n1,0\n١,1\n", "line 3, column 'x'"),
        ("x,y\n1,0\n# late,1\n", "line 3, column 'x'"),
        ('x,y\n1,0\n"1,1\n', "line 3: this is not CSV"),
        ("x,label_\n1,0\n2,1\n", "did you mean 'label_'"),
        ("x,y\n1,0\n2,1\n", r"no column has the name of the label\n.*\n.*'x', 'y'"),
        ("label\n1\n0\n", "no columns besides the label"),
        ("x,label\n1,0\n2,0\n", "column 'label': the label column has 1 different"),
        ("x,label\n1,0\n2,1\n3,2\n", "column 'label': the label column has 3 different"),
        ("x,z,label\n1,7,0\n2,7,1\n", "column 'z': this column is constant"),
        (b"x,y\n\xff\xfe,1\n", "not a text file"),
        (b"x,y\n1,\x000\n", "not a text file"),
    ],
)
def test_files_that_are_refused(write: Write, text: str | bytes, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        csv_data(write(text), "label")
    assert str(caught.value).startswith("table.csv")


def test_constant_columns_may_stay_as_they_are(write: Write) -> None:
    data = csv_data(write("x,y\n7,0\n7,1\n"), "y", standardize=False)
    assert data.features.tolist() == [[7], [7]]


def test_sizes_are_bounded(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("x,y\n1,0\n2,1\n")
    monkeypatch.setattr(csv_table, "MAX_COLUMNS", 1)
    with pytest.raises(DataError, match="there are 2 columns"):
        csv_data(path, "y")
    monkeypatch.setattr(csv_table, "MAX_BYTES", path.stat().st_size - 1)
    with pytest.raises(DataError, match="too large"):
        csv_data(path, "y")


def test_files_that_are_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path, tmp_path / ("x" * 5000)):
        with pytest.raises(DataError):
            csv_data(path, "y")


# --- CSV: where it may lie -----------------------------------------------------------------------


def read(folder: Path, name: str) -> Any:
    return make_data(CsvSource(csv=name, label="y", standardize=False), folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A spec's folder with a table in it, and one beside it."""
    inside = tmp_path / "spec"
    (inside / "sub").mkdir(parents=True)
    for place in (inside, inside / "sub", tmp_path):
        (place / "t.csv").write_text("x,y\n1,0\n2,1\n")
    return inside


@pytest.mark.parametrize("name", ["t.csv", "sub/t.csv", "./sub/../t.csv", "link-in.csv"])
def test_files_in_the_folder(folder: Path, name: str) -> None:
    (folder / "link-in.csv").symlink_to("sub/t.csv")
    assert read(folder, name).labels.tolist() == [-1, 1]


def test_files_outside_the_folder(folder: Path) -> None:
    (folder / "link-out.csv").symlink_to("../t.csv")
    (folder / "up").symlink_to("..")
    absolute = [str(folder / "t.csv"), str(folder.parent / "t.csv")]
    for name in ["../t.csv", "sub/../../t.csv", "link-out.csv", "up/t.csv", *absolute]:
        with pytest.raises(DataError, match="outside the folder") as caught:
            read(folder, name)
        assert caught.value.fix


def test_a_folder_that_is_a_link(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(folder)
    assert read(tmp_path / "alias", "t.csv").features.tolist() == [[1], [2]]


def test_paths_that_are_none(folder: Path) -> None:
    (folder / "loop").symlink_to("loop")
    for name in ("a\0b", "loop", "x" * 900, ".", "none.csv"):
        with pytest.raises(DataError):
            read(folder, name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_does_not_block(folder: Path) -> None:
    os.mkfifo(folder / "pipe.csv")
    with pytest.raises(DataError, match="no such file"):
        read(folder, "pipe.csv")


# --- the shipped table ---------------------------------------------------------------------------


def test_breast_cancer_table() -> None:
    data = csv_data(CANCER, "malignant", standardize=False)
    assert data.features.shape == (569, 30)
    assert int((data.labels == 1).sum()) == 212
    # Ranges from the data set's published description: mean radius, worst area, worst symmetry.
    for column, low, high in ((0, 6.981, 28.11), (23, 185.2, 4254.0), (28, 0.156, 0.664)):
        values = data.features[:, column]
        assert np.round(values.min(), 3) == pytest.approx(low, abs=1e-3)
        assert np.round(values.max(), 3) == pytest.approx(high, abs=1e-3)
    # Malignant tumours are larger: the label is not turned round.
    radius = data.features[:, 0]
    assert radius[data.labels == 1].mean() > 17 > 13 > radius[data.labels == -1].mean()


def test_breast_cancer_table_names_its_source_and_licence() -> None:
    comments = [line for line in CANCER.read_text().splitlines() if line.startswith("#")]
    assert "10.24432/C5DW2B" in "".join(comments)
    assert "CC BY 4.0" in "".join(comments)
    source = CsvSource(csv=CANCER.name, label="malignant")
    features = make_data(source, CANCER.parent).features
    assert np.allclose(features.mean(axis=0), 0, atol=1e-12)
    assert np.allclose(features.std(axis=0), 1, atol=1e-12)

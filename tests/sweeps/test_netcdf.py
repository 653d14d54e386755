"""The file of results, as xarray reads it."""

import numpy as np
import pytest
from scipy.io import netcdf_file
from sweep_cases import small

from boundcalc.sweeps import Point, netcdf, override, sweep
from boundcalc.sweeps.record import Details

xarray = pytest.importorskip("xarray")


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return sweep(
        small(),
        {"training.step_size": "1/2,1/4,1/8", "training.optimizer": "sgd,heavy_ball"},
        zipped={"symbols.C": "1/3,2", "training.horizon": [6, 9]},
        seeds=2,
        out=tmp_path_factory.mktemp("netcdf") / "out",
        workers=0,
    )


@pytest.fixture(scope="module")
def data(found):
    with xarray.open_dataset(found.folder / "results.nc", engine="scipy") as opened:
        yield opened.load()


def at(data, point):
    """The part of the file that belongs to a point, chosen by its coordinates."""
    settings = point.settings
    zipped = "zipped_symbols_C_training_horizon"
    position = ["1/3", "2"].index(settings["symbols.C"])
    return data.sel(
        training_step_size=eval(settings["training.step_size"], {}),  # noqa: S307 - "1/2" here
        training_optimizer=settings["training.optimizer"],
        seed=point.seed,
    ).isel({zipped: position})


def test_every_number_is_where_its_coordinates_say(found, data):
    assert len(found.points) == 24
    for point in found.points:
        here = at(data, point)
        assert here.symbols_C_text == point.settings["symbols.C"]
        assert here.training_horizon == int(point.settings["training.horizon"])
        for name, metric in point.metrics.items():
            assert here[name] == metric.mean
            assert here[f"{name}_lo"] == metric.lo
            assert here[f"{name}_hi"] == metric.hi
        assert here.failed == 0
        assert here.diverged_step == -1


def test_trajectories_are_there_with_their_steps(found, data):
    for point in found.points[::7]:
        here, details = at(data, point), point.details()
        count = len(details.steps)
        assert here.step[:count].values.tolist() == details.steps.tolist()
        for name in ("mean", "least", "largest", "smoothed"):
            values = here[f"gradient_norm_{name}"].values
            assert values[:count].tolist() == getattr(details, name).tolist()
            assert np.isnan(values[count:]).all()


def test_every_metric_says_what_it_is(data):
    assert data.final_loss.attrs["status"] == "sampled"
    assert data.final_loss_lo.attrs["confidence"] == 0.999
    assert data.final_loss_lo.attrs["interval"] == "student"
    assert data.training_step_size.attrs["long_name"] == "training.step_size"
    assert data.attrs["title"] == "small"
    assert data.attrs["boundcalc"]


def test_the_grid_of_a_metric_is_the_file_s(found, data):
    assert np.array_equal(found.metric("final_loss"), data.final_loss.values)
    assert found.metric("final_loss").shape == (3, 2, 2, 2)


def test_a_reader_that_knows_only_netcdf_3_opens_it(found):
    with netcdf_file(found.folder / "results.nc", mmap=False) as file:
        assert file.version_byte == 2
        assert set(file.dimensions) >= {"training_step_size", "seed", "row"}


def test_many_points_have_fewer_rows_and_keep_their_extremes(found, monkeypatch, tmp_path):
    rng = np.random.default_rng(0)
    curves = rng.random((len(found.points), 5, 41))
    steps = 3 * np.arange(41)
    monkeypatch.setattr(
        Point, "details", lambda point: Details(steps, *curves[point.index], replicas={})
    )
    monkeypatch.setattr(netcdf, "MAX_NUMBERS", 24 * 5 * 6)
    (tmp_path / "thin.nc").write_bytes(netcdf.netcdf_bytes(found))
    kept = [0, 8, 16, 24, 32, 40]
    ends = [*kept[1:], 41]
    with xarray.open_dataset(tmp_path / "thin.nc", engine="scipy") as data:
        for point in found.points:
            here, (mean, least, largest, smoothed, _) = at(data, point), curves[point.index]
            spans = [slice(*ends) for ends in zip(kept, ends, strict=True)]
            assert here.step.values.tolist() == [3 * row for row in kept]
            assert here.gradient_norm_mean.values.tolist() == mean[kept].tolist()
            assert here.gradient_norm_smoothed.values.tolist() == smoothed[kept].tolist()
            assert here.gradient_norm_least.values.tolist() == [least[s].min() for s in spans]
            assert here.gradient_norm_largest.values.tolist() == [largest[s].max() for s in spans]


def test_seeds_beyond_a_double_are_there_as_text(tmp_path):
    spec = override(small(), {"simulation.seed": 2**62 + 1})
    sweep(spec, seeds=2, out=tmp_path, workers=0)
    with xarray.open_dataset(tmp_path / "results.nc", engine="scipy") as data:
        assert data.seed_text.values.tolist() == [str(2**62 + 1), str(2**62 + 2)]


def test_what_failed_is_not_a_number(tmp_path):
    sweep(small(), {"symbols.D": "1,0"}, out=tmp_path, workers=0)
    with xarray.open_dataset(tmp_path / "results.nc", engine="scipy") as data:
        assert data.failed.values.ravel().tolist() == [0, 1]
        assert np.isnan(data.final_loss.values.ravel()).tolist() == [False, True]
        assert np.isnan(data.gradient_norm_mean.values[1]).all()
        assert data.diverged_replicas.values.ravel().tolist() == [0, -1]


def test_names_are_plain_and_different():
    taken = {"seed"}
    labels = [netcdf._label(path, taken) for path in ("a[0].b", "a.0.b", "seed", "ä")]
    assert labels == ["a_0_b", "a_0_b_2", "seed_2", "axis"]

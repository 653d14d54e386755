"""Two engines, any number of threads and blocks: the same numbers."""

import subprocess

import numpy as np
import pytest
from programs import ENGINES, PROGRAMS, graph_of

import boundcalc as bc
from boundcalc.errors import SimulationError
from boundcalc.resources import examples
from boundcalc.simulate import engines
from boundcalc.simulate.compiled import build
from boundcalc.simulate.compiled import engine as engine_module
from boundcalc.simulate.engines import evenly, thread_count

compiled_only = pytest.mark.skipif("compiled" not in ENGINES, reason="there is no C compiler")

LOGISTIC = """
version: 1
name: logistic
graph: {operators: [{id: f1, type: margin}, {id: f2, type: softplus}]}
loss: {batch: 40}
perturbations:
  - {at: f1, pass: forward, model: uniform, half_width: 1/2, DRAW}
  - {at: f2, pass: backward, model: gaussian, std: 1/2, probability: 1/3, every: 2}
training: {step_size: 1/4, horizon: 30}
simulation:
  data: {generator: logistic, samples: 300, dimension: 3, seed: 1}
  replicas: REPLICAS
  seed: 7
  noise: NOISE
  check: {draws: 32, samples: 1}
  MORE
"""
GAUSSIAN, MINIBATCH = "{kind: gaussian, std: 1/10}", "{kind: minibatch}"


def logistic(draw="", replicas=5, noise=GAUSSIAN, more=""):
    text = LOGISTIC.replace(", DRAW", f", {draw}" if draw else "").replace("MORE", more)
    return bc.build(bc.loads(text.replace("REPLICAS", str(replicas)).replace("NOISE", noise)))


def assert_close(one, other, tolerance=1e-12):
    """Everything that is measured along two runs, to rounding."""
    for name in ("loss", "gradient_norm", "final"):
        a, b = getattr(one.trajectory, name), getattr(other.trajectory, name)
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * np.abs(a).max())
    # The secant divides small differences.
    assert one.trajectory.secant == pytest.approx(other.trajectory.secant, rel=1e-5)
    for key in ("norm", "low", "high"):
        a, b = (getattr(run.trajectory.input_reach, key) for run in (one, other))
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)
    assert one.trajectory.weight_reach.norm == pytest.approx(other.trajectory.weight_reach.norm)
    assert one.trajectory.weight_reach.change == pytest.approx(
        other.trajectory.weight_reach.change, rel=1e-9
    )
    for (_, a), (_, b) in zip(one.transformed, other.transformed, strict=True):
        assert (a.norm, a.low, a.high) == pytest.approx((b.norm, b.low, b.high), rel=1e-9)
    assert np.array_equal(one.trajectory.diverged, other.trajectory.diverged)


@compiled_only
@pytest.mark.parametrize("name", PROGRAMS)
def test_the_engines_agree(name):
    graph = graph_of(name)
    assert_close(*(bc.simulate(graph, engine=engine) for engine in ("numpy", "compiled")))


@compiled_only
@pytest.mark.parametrize("noise", [GAUSSIAN, MINIBATCH])
@pytest.mark.parametrize("draw", ["", "draw: per_batch"])
def test_the_engines_agree_on_draws_and_batches(draw, noise):
    graph = logistic(draw, replicas=9, noise=noise)
    one, other = (bc.simulate(graph, engine=engine) for engine in ("numpy", "compiled"))
    assert other.engine == "compiled"
    assert_close(one, other)


SHIPPED = [
    name
    for name, path in examples().items()
    if "simulation:" in path.read_text(encoding="utf-8") and bc.load(path).theory == "perturbed"
]


@compiled_only
@pytest.mark.long
@pytest.mark.parametrize("name", SHIPPED)
def test_the_engines_agree_on_every_shipped_spec(name):
    spec = bc.load(examples()[name])
    training = spec.training.model_copy(update={"horizon": 8})
    simulation = spec.simulation.model_copy(
        update={
            "replicas": 3,
            "check": spec.simulation.check.model_copy(update={"samples": 1, "draws": 32}),
        }
    )
    graph = bc.build(spec.model_copy(update={"training": training, "simulation": simulation}))
    assert_close(*(bc.simulate(graph, engine=engine) for engine in ("numpy", "compiled")), 1e-11)


@pytest.mark.parametrize("engine", ENGINES)
def test_threads_change_nothing(engine):
    graph = logistic()
    runs = [bc.simulate(graph, engine=engine, threads=count) for count in (1, 2, 3)]
    for run in runs[1:]:
        assert np.array_equal(run.trajectory.loss, runs[0].trajectory.loss)
        assert np.array_equal(run.trajectory.final, runs[0].trajectory.final)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_replica_does_not_depend_on_the_others(engine):
    few = bc.simulate(logistic(replicas=2), engine=engine)
    many = bc.simulate(logistic(replicas=9), engine=engine)
    np.testing.assert_allclose(many.trajectory.loss[:, :2], few.trajectory.loss, rtol=0, atol=1e-14)


@pytest.mark.parametrize("engine", ENGINES)
def test_thinned_records_are_some_of_all(engine):
    every = bc.simulate(logistic(), engine=engine)
    some = bc.simulate(logistic(more="record: {every: 7}"), engine=engine)
    assert some.trajectory.steps.tolist() == [0, 7, 14, 21, 28, 30]
    np.testing.assert_allclose(
        some.trajectory.loss, every.trajectory.loss[some.trajectory.steps], rtol=0, atol=1e-14
    )
    np.testing.assert_allclose(some.trajectory.final, every.trajectory.final, rtol=0, atol=1e-14)


@pytest.mark.parametrize("engine", ENGINES)
def test_single_precision_is_close_and_not_the_same(engine):
    double = bc.simulate(logistic(), engine=engine)
    single = bc.simulate(logistic(more="precision: float32"), engine=engine)
    difference = np.abs(single.trajectory.loss - double.trajectory.loss).max()
    assert 1e-10 < difference < 1e-5
    assert single.precision == "float32"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_batch_that_shares_its_draw_has_as_much_noise_as_one_sample(engine):
    """f = w₂ w₁ x at one point: u₂ = y₁ + δ; averaged over 50 samples δ shrinks, shared not."""
    text = """
version: 1
name: shared
graph:
  operators:
    - {id: f1, type: bilinear, region: {weight: 9}}
    - {id: f2, type: bilinear, region: {input: 9, weight: 9}}
perturbations: [{at: f1, pass: forward, model: gaussian, std: 1, draw: DRAW}]
training: {step_size: 1, horizon: 1}
simulation: {replicas: 400, data: {points: POINTS}, initial_weights: [0, 1]}
"""
    text = text.replace("POINTS", str([[1.0]] * 50))
    own, shared = (
        bc.simulate(bc.loads(text.replace("DRAW", draw)), engine=engine).trajectory.final[:, 1]
        for draw in ("per_sample", "per_batch")
    )
    assert np.std(own) == pytest.approx(50**-0.5, rel=0.15)
    assert np.std(shared) == pytest.approx(1.0, rel=0.15)


@pytest.mark.parametrize("engine", ENGINES)
def test_some_replicas_diverge_and_the_others_go_on(engine):
    """w⁴ with γ = 1/10: beyond |w| = √5 a step leads further away."""
    text = """
version: 1
name: some diverge
graph:
  operators:
    - {id: f1, type: square, bias: true, region: {weight: 9}}
    - {id: f2, type: square, region: {input: 99}}
training: {step_size: 1/10, horizon: 205}
simulation:
  replicas: 20
  seed: 1
  data: {points: [[0]]}
  initial_weights: [2]
  noise: {kind: gaussian, std: 7}
  record: {every: 10}
"""
    run = bc.simulate(bc.loads(text), engine=engine)
    trajectory = run.trajectory
    lost = trajectory.diverged >= 0
    assert 0 < lost.sum() < 20
    assert np.isfinite(trajectory.final[~lost]).all()
    assert np.isfinite(trajectory.loss[:, ~lost]).all()
    assert trajectory.diverged_at == trajectory.diverged[lost].min()
    for r in np.flatnonzero(lost):
        first = trajectory.steps.tolist().index(trajectory.diverged[r])
        assert np.isfinite(trajectory.loss[:first, r]).all()
        assert not np.isfinite(trajectory.loss[first, r])
    # What was met is not what the others met, wherever they stand among the replicas.
    assert not lost[-1]
    assert all(np.isnan(norm) for norm in trajectory.weight_reach.norm.values())


def test_auto_takes_numpy_for_a_short_run():
    run = bc.simulate(logistic())
    assert (run.engine, run.why) == ("numpy", "the run is too short to pay for a compilation")


def test_without_a_compiler(monkeypatch):
    monkeypatch.setattr(engine_module, "compiler", lambda: None)
    monkeypatch.setattr(engines, "_WORTH", 0)
    run = bc.simulate(logistic())
    assert (run.engine, run.why) == ("numpy", "there is no C compiler")
    with pytest.raises(SimulationError, match="cannot run this") as caught:
        bc.simulate(logistic(), engine="compiled")
    assert "--engine numpy" in caught.value.fix


@compiled_only
def test_a_compiler_that_fails_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(build, "_cache", lambda: tmp_path)
    with pytest.raises(SimulationError, match="compiler failed") as caught:
        build.library("this is not C", {})
    assert "error" in caught.value.value
    assert list(tmp_path.iterdir()) == []


@compiled_only
def test_a_program_is_compiled_once(monkeypatch, tmp_path):
    monkeypatch.setattr(build, "_cache", lambda: tmp_path)
    source = '__attribute__((visibility("default"))) int seven(void) { return 7; }'
    assert build.library(source, {}).seven() == 7
    digest, made = sorted(tmp_path.iterdir())

    def refuse(*arguments, **options):
        raise AssertionError("compiled again")

    monkeypatch.setattr(build, "_compile", refuse)
    assert build.library(source, {}).seven() == 7
    assert (digest.suffix, made.suffix) == (".sha256", ".so")


@compiled_only
@pytest.mark.parametrize("left", [b"", b"garbage", None])
def test_a_damaged_library_is_compiled_again(monkeypatch, tmp_path, left):
    monkeypatch.setattr(build, "_cache", lambda: tmp_path)
    source = '__attribute__((visibility("default"))) int eight(void) { return 8; }'
    compiled = []
    real = build._compile
    monkeypatch.setattr(build, "_compile", lambda *rest: (compiled.append(1), real(*rest)))
    name = build._key(source, {}, build.compiler())
    if left is None:
        build._compile(source, {}, build.compiler(), tmp_path / f"{name}.so")
        whole = (tmp_path / f"{name}.so").read_bytes()
        (tmp_path / f"{name}.so").write_bytes(whole[: len(whole) // 2])
    else:
        (tmp_path / f"{name}.so").write_bytes(left)
    before = len(compiled)
    assert build.library(source, {}).eight() == 8
    assert len(compiled) == before + 1


def test_auto_runs_without_a_compiler_that_works(monkeypatch, tmp_path):
    broken = tmp_path / "cc"
    broken.write_text("#!/bin/sh\necho broken >&2\nexit 1\n", encoding="utf-8")
    broken.chmod(0o755)
    monkeypatch.setattr(build, "_cache", lambda: tmp_path)
    monkeypatch.setattr(build, "compiler", lambda: (str(broken),))
    monkeypatch.setattr(engines, "_WORTH", 0)
    if "compiled" in ENGINES:
        run = bc.simulate(logistic())
        assert (run.engine, run.why) == ("numpy", "the C compiler failed")


def test_auto_leaves_large_programs_to_numpy(monkeypatch):
    monkeypatch.setattr(engines, "_WORTH", 0)
    monkeypatch.setattr(engines, "_LARGEST", 1)
    run = bc.simulate(logistic())
    assert (run.engine, run.why) == ("numpy", "more than 1 operators take long to compile")


@compiled_only
def test_a_folder_that_others_can_write_to_is_no_cache(monkeypatch, tmp_path):
    shared = tmp_path / "boundcalc"
    shared.mkdir()
    shared.chmod(0o777)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert shared not in build.__dict__["_cache"].__wrapped__().parents
    assert build._cache.__wrapped__() != shared


def test_the_source_holds_no_number_of_the_spec():
    """So that nothing of a spec gets into C, and a sweep compiles once."""
    from boundcalc.simulate.compiled.source import make_source
    from boundcalc.simulate.noise import make_noise
    from boundcalc.simulate.program import make_program

    def text(graph):
        program, noise = make_program(graph), make_noise(graph)
        source = make_source(program, noise, {}, 3, np.dtype(np.float64))
        return source.text

    one = LOGISTIC.replace(", DRAW", "").replace("MORE", "").replace("REPLICAS", "2")
    one = one.replace("NOISE", GAUSSIAN)
    other = one.replace("half_width: 1/2", "half_width: 0.123456").replace("1/3", "0.654321")
    texts = [text(bc.build(bc.loads(spec))) for spec in (one, other)]
    assert texts[0] == texts[1]
    assert "456" not in texts[1]


def test_unknown_engines_and_threads_are_refused():
    with pytest.raises(SimulationError, match="unknown engine"):
        bc.simulate(logistic(), engine="fast")
    for count in (0, -1, 10_000):
        with pytest.raises(SimulationError, match="number of threads"):
            thread_count(count)


def test_blocks_hold_every_replica_once():
    for replicas in range(1, 12):
        for blocks in range(1, 14):
            parts = evenly(replicas, blocks)
            assert [r for part in parts for r in part] == list(range(replicas))
            assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_the_compiler_is_asked_for_its_version_only_once(monkeypatch):
    calls = []
    real = subprocess.run

    def counted(*arguments, **options):
        calls.append(arguments)
        return real(*arguments, **options)

    monkeypatch.setattr(build.subprocess, "run", counted)
    command = build.compiler()
    if command is not None:
        build._version.cache_clear()
        build._version(command)
        build._version(command)
        assert len(calls) == 1

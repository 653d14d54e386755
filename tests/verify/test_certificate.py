"""Certificates agree with the engine, and the checker accepts them."""

import ast
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from certificate_specs import EVERYTHING, chain, constants_of, fraction, random_spec
from verify import random_graphs

import boundcalc as bc
from boundcalc.arithmetic.balls import Ball
from boundcalc.arithmetic.intervals import Intervals
from boundcalc.rates import rates
from boundcalc.resources import examples
from boundcalc.spec.loading import load
from boundcalc.theories.perturbed import sharp
from boundcalc.theories.perturbed.families import Sharp
from boundcalc.theories.perturbed.refinements import REFINEMENTS, SUPERPOSITION, Choice
from boundcalc.verify.certificate import checker
from boundcalc.verify.certificate.numbers import root_up, rounded_down, rounded_up, text_of
from boundcalc.verify.certificate.write import certificate, layout

#: The refinements that certificates have where the graph ends as a chain, and on every graph;
#: on chains without runs they have all.
ON_TAILS = ("saturation", "mean cap", "independence", "conditional")
EVERYWHERE = ON_TAILS[:2]
CLOSE = Fraction(1, 10**20)
KIND = Intervals(256)


def ends(value):
    """The least and the greatest that a number of the engine can be."""
    if isinstance(value, Ball):
        (low, s), (high, t) = value.lower, value.upper
        return low * Fraction(2) ** s, high * Fraction(2) ** t
    return Fraction(value), Fraction(value)


def engine(document, refinements):
    """(error, bias) of the engine on a certificate's inputs, enclosed."""
    g, levels = constants_of(document)
    with KIND.working():
        number = lambda x: None if x is None else KIND.number(x)  # noqa: E731
        g, levels = mapped(g, number), mapped(levels[0], number)
        choice = Choice(KIND, refinements)
        second = sharp.centred(
            g,
            levels,
            KIND,
            forward=levels.forward_centred,
            backward=levels.backward_centred,
            choice=choice,
        )
        mean = sharp.means(g, levels, second, KIND, capped=True, choice=choice)
        return ends(second.total()), ends(mean.total())


def mapped(record, number):
    """The same record with its numbers in another kind."""
    from dataclasses import fields, replace

    def convert(value):
        if isinstance(value, Fraction):
            return number(value)
        return tuple(map(convert, value)) if type(value) is tuple else value

    found = {f.name: convert(getattr(record, f.name)) for f in fields(record)}
    runs = found.get("runs", ())
    if runs:
        found["runs"] = tuple(replace(run, norm=number(run.norm)) for run in runs)
    return replace(record, **found)


def accepted(document):
    return checker.check(layout(document).encode())


def claims(document):
    return {claim["quantity"]: fraction(claim["bound"]) for claim in document["claims"]}


def refinements_of(document):
    """Those that a certificate of this graph has."""
    left_out = " ".join(document["not_covered"])
    if "by dependence" in left_out:
        return EVERYWHERE
    return ON_TAILS if SUPERPOSITION in left_out else REFINEMENTS


def assert_agrees(document):
    found = claims(document)
    pairs = zip(("error", "bias"), engine(document, refinements_of(document)), strict=True)
    for name, (low, high) in pairs:
        assert low <= found[name] <= high * (1 + CLOSE), name


PASSES = sorted(name for name, path in examples().items() if load(path).theory == "perturbed")


@pytest.mark.parametrize("name", PASSES)
def test_shipped_specs(name):
    graph = bc.build(bc.load(examples()[name]))
    document = certificate(graph)
    assert accepted(document)["operators"] == graph.size
    assert_agrees(document)
    bounds, found = bc.coefficients(graph).bounds, claims(document)
    assert float(found["error"]) == pytest.approx(float(bounds.error), rel=1e-13)
    assert float(found["bias"]) >= float(bounds.bias) * (1 - 1e-13)
    same = Sharp(refinements_of(document)).bounds(graph)
    assert float(found["bias"]) == pytest.approx(float(same.bias), rel=1e-13)


@pytest.mark.parametrize("seed", range(30))
def test_random_chains_and_graphs(seed):
    graph = bc.build(bc.loads(random_spec(seed, chain=seed % 2 == 0)))
    document = certificate(graph)
    report = accepted(document)
    assert [claim["quantity"] for claim in report["proved"]][:3] == ["error", "bias", "nonconvex"]
    assert_agrees(document)


@pytest.mark.parametrize("seed", range(12))
def test_random_library_graphs_with_kinks_runs_and_shared_weights(seed):
    rng, text = np.random.default_rng(seed), "type: triple"
    law = lambda rng: [f"magnitude: {rng.integers(1, 9)}/16"]  # noqa: E731
    while "type: triple" in text:  # an operator of the tests
        text = random_graphs.random_spec(rng, size=7, kinks=seed % 2 == 0, sites=6, laws=law)
    document = certificate(bc.build(bc.loads(text)))
    accepted(document)
    assert_agrees(document)


@pytest.mark.parametrize("seed", range(16))
def test_rates_agree(seed):
    graph = bc.build(bc.loads(random_spec(seed, chain=True)))
    document = certificate(graph)
    accepted(document)
    found, same = claims(document), rates(graph)
    nonconvex, pl = same.nonconvex["sharp"].bound, same.pl["sharp"].bound
    assert float(found["nonconvex"]) == pytest.approx(float(nonconvex), rel=1e-13)
    assert float(found["pl"]) == pytest.approx(float(pl), rel=1e-12)


def test_overlapping_schedules_leave_the_pl_rate_out():
    text = EVERYTHING.replace("mean: 1/40}", "mean: 1/40, every: 2}")
    document = certificate(bc.build(bc.loads(text)))
    assert list(claims(document)) == ["error", "bias", "nonconvex"]
    assert any("PL" in text for text in document["not_covered"])
    accepted(document)
    rate = bc.rates(bc.build(bc.loads(text))).nonconvex["sharp"].bound
    assert float(claims(document)["nonconvex"]) >= float(rate) * (1 - 1e-13)


def test_values_of_the_theory_page():
    # docs/theory.md, section 4.5: N = 3, all constants 1, e = 1: with saturation 12 and 12.
    ones = "uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}"
    text = (
        f"version: 1\nname: ones\ngraph:\n  {ones}\n  operators: [{{id: f, repeat: 3}}]\n"
        "perturbations: [{at: [f.1, f.2], pass: forward, rms: 1, mean: 1}]\n"
    )
    document = certificate(bc.build(bc.loads(text)))
    assert claims(document) == {"error": 12, "bias": 12}


def test_measured_constants_are_said_to_be_measured(monkeypatch):
    graph = bc.build(bc.loads(chain()))
    document = certificate(graph)
    assert not document["inputs"]["measured"]
    assert "measured" not in accepted(document)["assumptions"][-1]
    object.__setattr__(graph, "sampled", True)
    document = certificate(graph)
    report = accepted(document)
    assert report["measured"]
    assert report["assumptions"][-1][0] == "measured"
    assert checker.lines({"verdict": "accepted", **report})[0].startswith(
        "accepted, given constants that were measured"
    )


def test_the_checker_runs_alone_with_bare_python(tmp_path):
    (tmp_path / "cert.json").write_text(layout(certificate(bc.build(bc.loads(EVERYTHING)))))
    (tmp_path / "checker.py").write_text(Path(checker.__file__).read_text(encoding="utf-8"))
    command = [sys.executable, "-I", "-S", "-W", "error", "checker.py", "cert.json"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith('accepted: "everything"')
    assert "A4: |grad l|^2 >= 2 1/3 (l - l*)" in run.stdout
    (tmp_path / "cert.json").write_text("{")
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603
    assert (run.returncode, run.stderr) == (2, "")


def test_the_checker_needs_python_3_8_and_the_standard_library_only():
    tree = ast.parse(Path(checker.__file__).read_text(encoding="utf-8"), feature_version=(3, 8))
    modules = {alias.name for n in ast.walk(tree) if isinstance(n, ast.Import) for alias in n.names}
    modules |= {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert modules == {"__future__", "fractions", "hashlib", "json", "math", "sys", "typing"}


@pytest.mark.parametrize("size", [10, 40])
def test_a_chain_takes_at_most_twenty_steps_for_each_operator_and_level(size):
    document = certificate(bc.build(bc.loads(random_spec(3, chain=True, size=size))))
    levels = len(document["inputs"]["levels"])
    assert len(document["steps"]) <= 20 * size * levels


@pytest.mark.parametrize("seed", range(60))
def test_numbers_of_writer_and_checker_agree_and_are_rounded_to_the_right_side(seed):
    rng = np.random.default_rng(seed)
    bits = [int(b) for b in rng.integers(1, 500, 2)]
    x = Fraction(int.from_bytes(rng.bytes(64), "big") >> (512 - bits[0]), 1 + (1 << bits[1]))
    x *= Fraction(2) ** int(rng.integers(-900, 900))
    high, low = rounded_up(x), rounded_down(x)
    assert low <= x <= high <= x * (1 + Fraction(1, 2**126))
    assert low >= x * (1 - Fraction(1, 2**126))
    assert (checker.up(x), checker.up(x, 1)) == (high, low)
    assert checker.root(x) == root_up(x)
    assert x <= root_up(x) ** 2 <= x * (1 + Fraction(1, 2**120))
    text = text_of(high)
    assert checker.write(high) == text
    assert checker.read(text) == high == fraction(text)
    shown = Fraction(checker.shown(high)) if high else 0
    assert high <= shown <= high * (1 + Fraction(1, 10**4))


def test_long_horizons_underflow_to_a_number_above():
    text = chain() + (
        "loss: {smoothness: 1, pl: 1, initial_gap: 1, gradient_noise: 0}\n"
        "training: {step_size: 1/2, horizon: 1000000000}\n"
    )
    graph = bc.build(bc.loads(text))
    document = certificate(graph)
    accepted(document)
    rate = rates(graph).pl["sharp"].bound
    assert float(claims(document)["pl"]) == pytest.approx(float(rate), rel=1e-13)
    tiny = Fraction(1, 3**60_000)
    assert checker.up(tiny) == rounded_up(tiny) >= tiny
    assert checker.up(tiny, 1) == rounded_down(tiny) == 0


def test_the_documentation_lists_every_rule():
    page = Path(__file__).parents[2] / "docs" / "certificates.md"
    rows = [
        line.split("|")[1]
        for line in page.read_text(encoding="utf-8").splitlines()
        if "`" in line and line.startswith("|")
    ]
    named = {name for row in rows for name in row.split("`")[1::2]}
    assert set(checker.RULES) <= named
    assert named - set(checker.RULES) <= {
        *("format", "version", "boundcalc", "spec", "assumptions", "inputs", "steps", "claims"),
        *("not_covered", "digest"),
    }

"""The compiled recurrences against those over rationals and 113 bits."""

from __future__ import annotations

import sys
from dataclasses import replace
from fractions import Fraction
from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import constant_chain, perturbed_chains
from theories.random_arrays import chains_with_runs, graphs

from boundcalc.arithmetic import RATIONALS, WIDE, Number, Status
from boundcalc.errors import UnsupportedError
from boundcalc.graph import Levels
from boundcalc.graph.arrays import GraphArrays
from boundcalc.graph.level_arrays import LevelArrays
from boundcalc.graph.numbers import GraphConstants, Run
from boundcalc.theories.perturbed import compiling, fast, kernel, sharp
from boundcalc.theories.perturbed.refinements import MEAN_CAP, SATURATION, Choice

F = Fraction
ONES = {"a": 1, "b": 1, "l": 1, "A": 1, "B": 1, "A3": 1, "B3": 1}
CENTRED = list(product([False, True], repeat=2))


@pytest.fixture(scope="module", params=["plain", "compiled"])
def compiled(request: Any) -> bool:
    """Whether Numba is used; without Numba the plain functions are tested alone."""
    if request.param == "compiled":
        pytest.importorskip("numba")
    return bool(request.param == "compiled")


def exact(value: Any) -> F:
    """A rational or wide number as a rational."""
    if isinstance(value, F | int):
        return F(value)
    sign, mantissa, exponent, _ = value._mpf_
    return (-1) ** sign * int(mantissa) * F(2) ** int(exponent)


def close(found: Any, expected: Any, tolerance: F | float) -> bool:
    """Whether the relative difference is small; that of 0 must be 0."""
    found, expected = exact(found), exact(expected)
    return bool(abs(found - expected) <= F(tolerance) * expected)


def reference(
    case: Any, kind: Any, *, forward: bool, backward: bool, capped: bool, saturated: bool = False
) -> tuple[Any, Any, tuple[Any, ...]]:
    """ζ², β² and the parts of ζ² by :mod:`boundcalc.theories.perturbed.sharp`."""
    constants, levels = case[0].graph, case[1]
    if kind is WIDE:
        constants, levels = widened(constants), widened(levels)
    names = [MEAN_CAP] * capped + [SATURATION] * saturated
    choice = Choice(kind, names)
    second = sharp.centred(
        constants, levels, kind, forward=forward, backward=backward, choice=choice
    )
    mean = sharp.means(constants, levels, second, kind, choice=choice)
    return second.total(), mean.total(), second.gradient[1:]


def widened(value: Any) -> Any:
    """Every rational as a number of 113 bits, whatever it is nested in."""
    if isinstance(value, F):
        return WIDE.number(value)
    if isinstance(value, tuple):
        return tuple(widened(entry) for entry in value)
    if isinstance(value, GraphConstants | Levels | Run):
        names = value.__dataclass_fields__
        return type(value)(**{name: widened(getattr(value, name)) for name in names})
    return value


def found(case: Any, compiled: bool, **how: bool) -> fast.FastBounds:
    constants, levels = case
    arrays = GraphArrays.from_constants(constants.graph)
    return fast.fast_bounds(
        arrays,
        LevelArrays.from_levels(levels, arrays),
        forward_centred=how["forward"],
        backward_centred=how["backward"],
        capped=how["capped"],
        saturated=how.get("saturated", False),
        compiled=compiled,
    )


def assert_same(case: Any, compiled: bool, kind: Any, **how: bool) -> None:
    bounds = found(case, compiled, **how)
    error, bias, parts = reference(case, kind, **how)
    assert bounds.relative_error < 1e-12
    assert close(bounds.error, error, bounds.relative_error)
    assert close(bounds.bias, bias, bounds.relative_error)
    assert len(bounds.contributions) == len(parts)
    for own, expected in zip(bounds.contributions, parts, strict=True):
        assert close(own, expected, bounds.relative_error)


@pytest.mark.parametrize("capped", [False, True])
@settings(deadline=None, max_examples=50)
@given(case=graphs())
def test_general_form_on_graphs(compiled: bool, capped: bool, case: Any) -> None:
    assert_same(case, compiled, RATIONALS, forward=False, backward=False, capped=capped)


@pytest.mark.parametrize("capped", [False, True])
@settings(deadline=None, max_examples=50)
@given(case=graphs())
def test_saturation_on_graphs(compiled: bool, capped: bool, case: Any) -> None:
    how = {"forward": False, "backward": False, "capped": capped, "saturated": True}
    assert_same(case, compiled, RATIONALS, **how)


@pytest.mark.parametrize("capped", [False, True])
@pytest.mark.parametrize(("forward", "backward"), CENTRED[1:])
@settings(deadline=None, max_examples=20)
@given(data=st.data())
def test_centred_forms_on_graphs(
    compiled: bool, forward: bool, backward: bool, capped: bool, data: Any
) -> None:
    case = data.draw(graphs(forward_centred=forward, backward_centred=backward))
    assert_same(case, compiled, WIDE, forward=forward, backward=backward, capped=capped)


@pytest.mark.parametrize(("forward", "backward"), [CENTRED[0], CENTRED[3]])
@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_runs_of_chains(compiled: bool, forward: bool, backward: bool, data: Any) -> None:
    case = data.draw(chains_with_runs(forward_centred=forward, backward_centred=backward))
    for capped in (False, True):
        assert_same(case, compiled, WIDE, forward=forward, backward=backward, capped=capped)


@pytest.mark.parametrize("capped", [False, True])
@settings(deadline=None, max_examples=30)
@given(case=perturbed_chains(low=1))
def test_general_form_on_chains(compiled: bool, capped: bool, case: Any) -> None:
    assert_same(case, compiled, RATIONALS, forward=False, backward=False, capped=capped)


@settings(deadline=None, max_examples=30)
@given(case=chains_with_runs(backward_centred=True))
def test_backward_centred_form_on_chains_is_rational(compiled: bool, case: Any) -> None:
    assert_same(case, compiled, RATIONALS, forward=False, backward=True, capped=True)


@pytest.mark.parametrize(("affine", "square"), [(True, F(17, 16)), (False, F(25, 16))])
def test_squares_add_in_affine_runs_only(compiled: bool, affine: bool, square: F) -> None:
    # Levels 1: the run passes on 1/4 of s_1 = 1 and adds 1, as squares or as sizes, below √2.
    chain = replace(constant_chain(4).graph, runs=(Run((2, 3), F(1, 4), affine),))
    one, zero = (F(0), *[F(1)] * 4), (F(0),) * 5
    case = chain, Levels(one, zero, one, zero, zero)
    how = {"forward": True, "backward": True, "capped": False}
    assert_same(case, compiled, WIDE, **how)
    # Only operator 4 has b: ζ² = (B V s_3)² with s_3² = square + 1.
    last = replace(chain, b=(F(0),) * 5, B=((), (F(0),), (F(0),), (F(0),), (F(1),)))
    assert close(found((last, case[1]), compiled, **how).error, square + 1, 1e-14)


# -- Long chains -----------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=[F(2), F(1, 2), F(101, 100)], ids=str)
def long_chain(request: Any) -> Any:
    """5000 operators, with each number of 113 bits."""
    N, c = 5000, request.param
    levels = Levels(*[(F(0), *[F(x, 10)] * N) for x in (3, 1, 0, 3, 1)])
    case = constant_chain(N, c), levels
    how = {"forward": c == 2, "backward": c == 2, "capped": c != 2}
    return case, how, reference(case, WIDE, **how)


def test_nothing_overflows_and_nothing_vanishes(compiled: bool, long_chain: Any) -> None:
    case, how, (error, bias, parts) = long_chain
    bounds = found(case, compiled, **how)
    assert bounds.error > 0
    assert bounds.bias > 0
    for own, expected in ((bounds.error, error), (bounds.bias, bias)):
        assert close(own, expected, 1e-12)
        assert str(Number(own, Status.COMPUTED)) == str(Number(expected, Status.COMPUTED))
    for v in range(0, 5000, 17):
        assert close(bounds.contributions[v], parts[v], 1e-12)
    logarithms = bounds.contributions.log10()
    assert logarithms[0] == pytest.approx(float(WIDE.log(parts[0]) / WIDE.log(10)), rel=1e-13)


def test_a_hundred_thousand_operators_in_closed_form() -> None:
    # All constants and forward levels 1: ζ_v = Σ_{j=max(v−1,1)}^{N−1} j, in integers.
    N = 100_000
    graph = GraphArrays.chain(N, **ONES)
    bounds = fast.fast_bounds(
        graph,
        LevelArrays.on(graph, e=1),
        forward_centred=False,
        backward_centred=False,
        capped=True,
    )
    own = [(N * (N - 1) - (v - 1) * (v - 2)) // 2 for v in range(1, N + 1)]
    assert close(bounds.error, sum(x**2 for x in own), 1e-12)
    assert close(bounds.contributions[N - 1], own[-1] ** 2, 0)
    assert bounds.compiled == compiling.numba_installed()
    assert bounds.bias == bounds.error  # every mean is capped


def test_levels_of_one_operator_are_found_where_they_are(compiled: bool) -> None:
    # E‖ũ_v − u_v‖² = (b Σ a ⋯ a ϵ)² upstream of the one edge that is perturbed, 0 behind it.
    graph = GraphArrays.chain(6, **{**ONES, "a": 3, "b": 2})
    eps = np.zeros(6)
    eps[3] = 0.5  # edge 4, from operator 3
    bounds = fast.fast_bounds(
        graph,
        LevelArrays.on(graph, eps=eps),
        forward_centred=True,
        backward_centred=True,
        capped=True,
        compiled=compiled,
    )
    assert list(bounds.contributions) == [81, 9, 1, 0, 0, 0]
    assert bounds.bias == 0


# -- Whether code is compiled ----------------------------------------------------------------------


@pytest.mark.parametrize("loaded", [False, True])
def test_small_graphs_are_not_worth_compiling(
    monkeypatch: pytest.MonkeyPatch, loaded: bool
) -> None:
    monkeypatch.setattr(compiling, "loaded", lambda: loaded)
    monkeypatch.setattr(compiling, "compiled_loops", lambda: kernel.LOOPS)
    monkeypatch.setattr(compiling, "numba_installed", lambda: True)
    graph = GraphArrays.chain(3, **ONES)
    how = {"forward_centred": True, "backward_centred": True, "capped": True}
    assert fast.fast_bounds(graph, LevelArrays.on(graph), **how).compiled == loaded
    monkeypatch.setattr(fast, "COMPILE_FROM", 3)
    assert fast.fast_bounds(graph, LevelArrays.on(graph), **how).compiled


@settings(deadline=None, max_examples=50)
@given(case=graphs(), forward=st.booleans(), backward=st.booleans(), capped=st.booleans())
def test_compiled_numbers_are_the_same_bit_by_bit(
    case: Any, forward: bool, backward: bool, capped: bool
) -> None:
    pytest.importorskip("numba")
    how = {"forward": forward, "backward": backward, "capped": capped}
    plain, compiled = found(case, False, **how), found(case, True, **how)
    assert (plain.error, plain.bias) == (compiled.error, compiled.bias)
    assert list(plain.contributions) == list(compiled.contributions)


def test_numba_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.setattr(fast, "COMPILE_FROM", 0)
    monkeypatch.setattr(compiling, "loaded", lambda: False)
    for name in ("numba_installed", "compiled_loops"):
        monkeypatch.setattr(compiling, name, getattr(compiling, name).__wrapped__)
    graph = GraphArrays.chain(3, **ONES)
    how = {"forward_centred": False, "backward_centred": True, "capped": False}
    bounds = fast.fast_bounds(graph, LevelArrays.on(graph, e=1), **how)
    assert not bounds.compiled
    assert bounds.error == 22
    with pytest.raises(UnsupportedError, match=r"boundcalc\[fast\]"):
        fast.fast_bounds(graph, LevelArrays.on(graph, e=1), **how, compiled=True)


@pytest.mark.parametrize(
    ("writes", "folders", "expected"),
    [(True, True, {"cache": True}), (True, False, {}), (False, True, {})],
)
def test_compiled_code_is_kept_where_files_may_be_written(
    monkeypatch: pytest.MonkeyPatch, writes: bool, folders: bool, expected: dict[str, bool]
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", not writes)

    def njit(loop: Any = None, **options: bool) -> Any:
        if options and not folders:
            raise RuntimeError("no locator available")
        return options if loop else lambda loop: options

    assert compiling._compiled(SimpleNamespace(njit=njit), kernel.finish, "") == expected  # type: ignore[comparison-overlap]

"""Parts of the check of a claim: formulas, ranges, factors, forms, copositivity."""

import itertools
import json
import math
from fractions import Fraction
from random import Random

import flint
import numpy as np
import pytest

from boundcalc.arithmetic import RATIONALS
from boundcalc.errors import ExpressionError
from boundcalc.graph import ChainConstants, Levels
from boundcalc.graph.numbers import UniformConstants
from boundcalc.spec.grammar import parse
from boundcalc.theories.perturbed import sharp, sums
from boundcalc.theories.perturbed.superposition import superposed
from boundcalc.verify.claims import Claim, loads_claim
from boundcalc.verify.claims.chains import bias_forms, error_forms
from boundcalc.verify.claims.domination import margin, nonnegative
from boundcalc.verify.claims.factors import taken_out
from boundcalc.verify.claims.forms import bias_form, error_form
from boundcalc.verify.claims.formulas import written_out
from boundcalc.verify.claims.graded import Cell
from boundcalc.verify.claims.ranges import Range, enclosure, fraction, rounded

ROWS = ("a", "b", "l", "A", "B", "A3", "B3")


def seeded(seed: int | str) -> Random:
    return Random(seed)  # noqa: S311 - to be repeated, not to be secret


def some(rng: Random, zero: float = 0.1) -> Fraction:
    return Fraction(0) if rng.random() < zero else Fraction(rng.randint(1, 12), rng.randint(1, 6))


# --- formulas ----------------------------------------------------------------------------------


def test_the_printed_error_coefficients_written_as_sums() -> None:
    text = "4*max(1, C**N)**2 * L**2 * sum(j, i, N-1, sum(k, 0, j, (3*C**2)**k) * (2*Lf**2)**(j-i))"
    C, lip, L, N = Fraction(3, 2), Fraction(2, 3), Fraction(1, 5), 5
    printed = sums.coefficients(
        UniformConstants(N, C, lip, L, L, Fraction(0)), RATIONALS, corrected=False
    )
    for i in range(1, N):
        value = written_out(text, {"N": N, "i": i}).evaluate(RATIONALS, {"C": C, "Lf": lip, "L": L})
        assert value == printed.error_forward[i]
        back = written_out("sum(j, 1, i, (3*C**2)**j)", {"N": N, "i": i})
        assert back.evaluate(RATIONALS, {"C": C}) == printed.error_backward[i + 1]


def test_an_empty_sum_is_zero_and_indices_are_numbers() -> None:
    assert written_out("sum(j, 3, 2, C)", {"N": 2, "i": 1}).evaluate(RATIONALS) == 0
    assert written_out("N*i - 2**-i", {"N": 5, "i": 2}).evaluate(RATIONALS) == Fraction(39, 4)
    assert written_out("max(1, N, i)/min(2, 3)", {"N": 5, "i": 2}).evaluate(RATIONALS) == Fraction(
        5, 2
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("C**(i/2)", "not a small whole number"),
        ("C**C", "not a small whole number"),
        ("C**(i*100)", "too large"),
        ("sum(j, 1, 9**9, C)", "not a small whole number"),
        ("sum(j, 1, 2000*N, C)", "not a small whole number"),
        ("sum(j, 1, 60, sum(k, 1, 60, C))", "too many terms"),
        ("sum(i, 1, 2, C)", "not a new name"),
        ("sum(2, 1, 2, C)", "not a new name"),
        ("sum(j, 1, 2)", "four arguments"),
        ("sum(j, 1, 2, C, 3)", "four arguments"),
        ("__import__('os')", "does not belong"),
        ("__import__(os)", "not allowed"),
        ("min(C, os.path)", "not allowed"),
        ("1if C else 2", "not allowed"),
        ("sum(pi, 1, 2, C)", "not a new name"),
        ("C.real", "not allowed"),
        ("C if C else 1", "not allowed"),
        ("sqrt(1, 2)", "2 arguments"),
        ("max(1)", "1 argument"),
        ("C +", "not a number or an expression"),
        ("nan", "not a finite number"),
        ("(" * 60 + "C" + ")" * 60, None),
        ("-" * 60 + "C", "nested too deeply"),
        ("C" * 1001, "characters long"),
    ],
)
def test_what_is_no_formula_is_refused(text: str, problem: str | None) -> None:
    if problem is None:
        written_out(text, {"N": 2, "i": 1})  # parentheses are no nesting
        return
    with pytest.raises(ExpressionError, match=problem):
        written_out(text, {"N": 2, "i": 1})


# --- ranges and factors ------------------------------------------------------------------------

EXPRESSIONS = (
    "3*C**2*L + C**3",
    "max(1, C**3)**2 * L**2 / (2 + C)",
    "C*(L - C)**2 + L**4",
    "sqrt(C**3 * L**2 + C**2)",
    "min(C*L, C**2) + max(C, 2*C*L)*exp(L)/pi",
    "C*log(2 + L) - C**2/(3 + L)",
    "-C**2 + C*2",
    "(C - 1)*(L - 1)",
    "(C - L)**3",
    "0*C",
    "sqrt(C**3)*L",
    "(C+L)**-2*C",
)


def boxes(rng: Random) -> dict[str, tuple[Fraction, Fraction]]:
    box = {}
    for name in ("C", "L"):
        low = some(rng, 0.4) / 3
        box[name] = (low, low + some(rng, 0.1) + (Fraction(1, 9) if low == 0 else 0))
    return box


def inside(rng: Random, box: dict[str, tuple[Fraction, Fraction]]) -> dict[str, Fraction]:
    return {
        k: low + (high - low) * rng.choice([Fraction(0), Fraction(1), Fraction(rng.random())])
        for k, (low, high) in box.items()
    }


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_ranges_hold_every_value(text: str) -> None:
    rng, node = seeded(text), parse(text).node
    for _ in range(30):
        box = boxes(rng)
        if text.startswith("(C+L)"):
            box["L"] = (Fraction(1, 7), Fraction(2))
        whole = enclosure(node, {k: Range.of(*side) for k, side in box.items()})
        for _ in range(6):
            at = inside(rng, box)
            one = enclosure(node, {k: Range.of(x, x) for k, x in at.items()})
            assert whole.lo <= one.lo <= one.hi <= whole.hi
            assert (one.hi - one.lo) * 10**30 <= 1 + abs(one.hi)


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_factors_multiply_to_the_expression(text: str) -> None:
    rng, node = seeded(text), parse(text).node
    for name in ("C", "L"):
        power, rest = taken_out(node, name)
        for _ in range(5):
            at = {"C": 1 + some(rng), "L": 1 + some(rng)}
            box = {k: Range.of(x, x) for k, x in at.items()}
            whole, part = enclosure(node, box), enclosure(rest, box)
            product = (
                part.times(Range.of(at[name] ** power, at[name] ** power)) if part.hi else part
            )
            assert abs(fraction(whole.lo - product.lo)) <= Fraction(1, 10**40)


def test_factors_that_are_seen() -> None:
    seen = {"C**2": 2, "3*C**2*L + C**3": 2, "max(C, C**2)/L": 1, "sqrt(C**3)": 1, "C - 1": 0}
    assert {text: taken_out(parse(text).node, "C")[0] for text in seen} == seen


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_graded_bounds_hold_on_the_box(text: str) -> None:
    rng, node = seeded(text), parse(text).node
    for _ in range(40):
        box = boxes(rng)
        if text.startswith("(C+L)"):
            box["L"] = (Fraction(1, 7), Fraction(2))
        cell = Cell.of({k: Range.of(*side) for k, side in box.items()})
        powers = tuple(rng.randint(0, 4) for _ in cell.factors)
        above, below = cell.above(node), cell.below(node, powers)
        for _ in range(6):
            at = inside(rng, box)
            value = enclosure(node, {k: Range.of(x, x) for k, x in at.items()})
            top = fraction(above.size)
            floor = None if below is None else fraction(below)
            for name, k, m in zip(cell.factors, above.powers, powers, strict=True):
                top *= at[name] ** k if above.size else 1
                floor = None if floor is None else floor * at[name] ** m
            assert fraction(value.lo) <= max(top, Fraction(0))
            assert floor is None or floor <= fraction(value.hi)


def test_sums_and_products_of_graded_bounds_hold_on_the_box() -> None:
    rng = seeded(0)
    for _ in range(100):
        box = boxes(rng)
        cell = Cell.of({k: Range.of(*side) for k, side in box.items()})
        texts = ["C**3", "L*C/2", "1/3", "L**2", "C"]
        parts = [parse(rng.choice(texts)).node for _ in range(4)]
        first, second, third, fourth = (cell.above(node) for node in parts)
        bound = (first + second) * third + fourth.times(flint.fmpq(2, 3))
        at = inside(rng, box)
        x, y, z, w = (
            enclosure(node, {k: Range.of(v, v) for k, v in at.items()}).lo for node in parts
        )
        top = fraction(bound.size)
        for name, k in zip(cell.factors, bound.powers, strict=True):
            top *= at[name] ** k
        assert fraction((x + y) * z + w * 2 / 3) <= top


def test_long_numbers_are_rounded_outward() -> None:
    x = flint.fmpq(3**2000, 7**1500)
    low, high = rounded(x, up=False), rounded(x, up=True)
    assert low < x < high
    assert (high - low) / x < flint.fmpq(1, 2**200)
    assert rounded(-x, up=False) < -x < rounded(-x, up=True)


# --- the sharp bounds as forms -----------------------------------------------------------------


@pytest.mark.parametrize("size", [2, 3, 5])
def test_error_forms_are_the_sharp_recurrences(size: int) -> None:
    rng, zero = seeded(size), Fraction(0)
    for _ in range(20):
        rows = {key: [some(rng) for _ in range(size)] for key in ROWS}
        forms = error_forms(rows, zero, Fraction(1))
        e, eps = ([some(rng, 0.3) for _ in range(size - 1)] for _ in range(2))
        c = ChainConstants(*((zero, *rows[key]) for key in ROWS))
        none = (zero,) * (size + 1)
        levels = Levels((zero, *e, zero), none, (None,) * (size + 1), (zero, zero, *eps), none)
        second = sharp.general(c, levels, RATIONALS)
        s = [sum(t * x for t, x in zip(row, e, strict=True)) for row in forms.travel]
        for i in range(size):
            size_i = sum(x * y for x, y in zip(forms.caused[i], s, strict=True))
            size_i += sum(x * y for x, y in zip(forms.noise[i], eps, strict=True))
            assert size_i**2 == second.gradient[i + 1]


def superposed_rows(c: dict[str, list[Fraction]], e, m, n) -> list[Fraction]:
    """docs/theory.md, (4k), which sums over the sites; c is numbered from 1."""
    N, zero = len(e) + 1, Fraction(0)
    lip = [min(x, y) for x, y in zip(c["l"], c["a"], strict=True)]
    V, slope = [Fraction(1)] * (N + 1), [zero] * (N + 1)
    for i in range(N, 1, -1):
        V[i - 1] = c["a"][i] * V[i]
        slope[i - 1] = c["A"][i] * V[i] + c["a"][i] * lip[i] * slope[i]
    t, mu = [zero], [zero]
    for i in range(1, N):
        step, curve = (lip[i], c["A"][i]) if i > 1 else (zero, zero)
        mu.append(step * mu[-1] + curve * t[-1] / 2 + m[i - 1])
        t.append(step**2 * t[-1] + e[i - 1] ** 2)
    beta, nu, rows = zero, zero, []
    for i in range(N, 0, -1):
        last = i - 1
        row = c["b"][i] * (beta + nu) + V[i] * (c["B"][i] * mu[last] + c["B3"][i] * t[last] / 2)
        rows.append(row + c["B"][i] * lip[i] * slope[i] * t[last])
        beta = c["a"][i] * beta + c["A"][i] * lip[i] * slope[i] * t[last]
        beta += V[i] * (c["A"][i] * mu[last] + c["A3"][i] * t[last] / 2)
        nu = c["a"][i] * nu + (n[i - 2] if i > 1 else zero)
    return rows[::-1]


@pytest.mark.parametrize("size", [2, 3, 4, 6])
def test_bias_forms_are_the_recurrences_of_superposition(size: int) -> None:
    rng, zero = seeded(size), Fraction(0)
    for _ in range(20):
        rows = {key: [some(rng) for _ in range(size)] for key in ROWS}
        rows["l"] = [min(x, y) for x, y in zip(rows["l"], rows["a"], strict=True)]
        forms = bias_forms(rows, zero, Fraction(1), Fraction(1, 2))
        e, m, n = ([some(rng, 0.3) for _ in range(size - 1)] for _ in range(3))
        expected = superposed_rows({k: [zero, *row] for k, row in rows.items()}, e, m, n)
        levels = ((forms.squares, [x**2 for x in e]), (forms.means, m), (forms.noise, n))
        for i, value in enumerate(expected):
            parts = (x * y for part, level in levels for x, y in zip(part[i], level, strict=True))
            assert sum(parts, zero) == value


@pytest.mark.parametrize("size", [2, 3, 5])
def test_bias_forms_are_what_the_family_uses_where_no_minimum_is_active(size: int) -> None:
    rng, zero, huge = seeded(size), Fraction(0), Fraction(10**12)
    for _ in range(10):
        rows = {key: [some(rng, 0) for _ in range(size)] for key in ROWS}
        rows["l"] = [min(x, y) for x, y in zip(rows["l"], rows["a"], strict=True)]
        forms = bias_forms(rows, zero, Fraction(1), Fraction(1, 2))
        e = [some(rng) / 10**9 for _ in range(size - 1)]
        m = [x / 10**9 for x in e]
        c = ChainConstants(*((zero, *rows[key]) for key in ROWS))
        none, wide = (zero,) * (size + 1), (huge,) * (size + 1)
        levels = Levels((zero, *e, zero), (zero, *m, zero), (None,) * (size + 1), none, none)
        V = sharp.general(c, levels, RATIONALS).V
        family = superposed(c, levels, wide, wide, V, wide, RATIONALS)
        for i in range(size):
            value = sum(x * y**2 for x, y in zip(forms.squares[i], e, strict=True))
            value += sum(x * y for x, y in zip(forms.means[i], m, strict=True))
            assert family[i + 1] == value


# --- forms that take no negative value ---------------------------------------------------------


def as_matrix(K: np.ndarray) -> list[list[flint.fmpq]]:
    return [[flint.fmpq(*Fraction(float(x)).as_integer_ratio()) for x in row] for row in K]


def test_what_is_proved_nonnegative_is_nonnegative_on_the_orthant() -> None:
    rng = np.random.default_rng(0)
    proved = 0
    for _ in range(300):
        n = int(rng.integers(1, 6))
        K = np.round(rng.normal(size=(n, n)), 3)
        K = K + K.T + np.diag(rng.uniform(0, 3, n))
        y = rng.exponential(size=(400, n)) * rng.integers(0, 2, (400, n))
        if nonnegative(as_matrix(K)):
            proved += 1
            assert (np.einsum("ij,jk,ik->i", y, K, y) >= -1e-12).all()
    assert proved > 30


def test_forms_without_gains_are_decided_by_their_eigenvalues() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        n = int(rng.integers(1, 8))
        K = np.eye(n) - np.abs(rng.normal(size=(n, n))) * rng.uniform(0, 1 / n)
        K = np.minimum(K + K.T, 0) * (1 - np.eye(n)) + np.diag(np.diag(K))
        scale = np.exp(rng.normal(size=n) * 5)
        least = np.linalg.eigvalsh(K)[0]
        if abs(least) > 1e-6:
            assert nonnegative(as_matrix(K * np.outer(scale, scale))) == (least > 0)


def test_gains_are_used() -> None:
    # (x − y)² + 4 x z: positive terms help where x and y are large
    P = [[1, -1, 2], [-1, 1, -1], [2, -1, 1]]
    assert not nonnegative(as_matrix(np.array(P, float) - 0.2 * np.eye(3)))
    K = np.array([[1.0, -0.9, 3.0], [-0.9, 1.0, -0.2], [3.0, -0.2, 0.01]])
    assert np.linalg.eigvalsh(K)[0] < 0  # as a form on all vectors it is not
    K[1, 2] = K[2, 1] = -0.09
    assert nonnegative(as_matrix(K))


def test_a_form_that_vanishes_is_decided_exactly() -> None:
    one = flint.fmpq(1)
    touching = [[one, -one, 0 * one], [-one, one, 0 * one], [0 * one, 0 * one, 0 * one]]
    assert not nonnegative([[one, -one - one / 10**30], [-one - one / 10**30, one]], exact=True)
    assert nonnegative(touching, exact=True)
    assert not nonnegative([[0 * one, -one], [-one, one]], exact=True)
    assert not nonnegative([[-one]], exact=True)


def test_what_floating_point_proposes_is_checked() -> None:
    for a, b in itertools.product(range(2, 12), range(12, 22)):
        # c² > a b by far less than floats resolve
        c = flint.fmpq(math.isqrt(a * b * 10**80) + 1, 10**40)
        assert not nonnegative([[flint.fmpq(a), -c], [-c, flint.fmpq(b)]])


def test_a_zero_pivot_needs_a_zero_row() -> None:
    P = [[1, -1, -1], [-1, 1, 0], [-1, 0, 5]]
    assert not nonnegative(as_matrix(np.array(P, float)), exact=True)
    assert nonnegative(as_matrix(np.array([[1, -1, 0], [-1, 1, 0], [0, 0, 5]], float)), exact=True)


def test_the_margin_says_how_far_a_proof_is() -> None:
    one = flint.fmpq(1)
    assert margin([[one / 2, -one / 4], [-one / 4, one / 2]], [one, one]) == pytest.approx(0.25)
    assert margin([[one * 0]], [one * 0]) == 0.0
    assert margin([[-one]], [one * 0]) == -1e9


# --- claim minus sharp bound, as one form ------------------------------------------------------

KEYS = ("jac_input", "jac_weight", "lip_input", "hess_input", "hess_mixed", "third_input")


def listed_claim(rng: Random, size: int, statement: str, *, zero_mean: bool) -> Claim:
    """A claim with other constants for every operator, and other coefficients at every site."""
    moments = {
        "error": ("forward", "backward"),
        "bias": ("forward_mean", "forward_fourth", "backward_mean"),
    }
    chain = [{key: str(some(rng, 0)) for key in (*KEYS, "third_mixed")} for _ in range(size)]
    raw = {
        "version": 1,
        "claim": "listed",
        "statement": statement,
        "operators": size,
        "chain": chain,
        "coefficients": {k: [str(some(rng)) for _ in range(size - 1)] for k in moments[statement]},
        "assumptions": {"zero_mean": zero_mean},
    }
    return loads_claim(json.dumps(raw), name="listed.json")


def value_of(P: list[list[flint.fmpq]], y: list[Fraction]) -> Fraction:
    return sum(
        (fraction(P[j][k]) * y[j] * y[k] for j in range(len(y)) for k in range(len(y))), Fraction(0)
    )


def exact_rows(claim: Claim, size: int) -> dict[str, list[Fraction]]:
    return {
        key: [x.evaluate(RATIONALS) for x in row]
        for key, row in (
            *claim.chains[size].constants.items(),
            *claim.chains[size].coefficients.items(),
        )
    }


@pytest.mark.parametrize("size", [2, 3, 4, 5])
def test_the_zero_mean_form_is_the_claim_minus_the_sharp_error(size: int) -> None:
    rng = seeded(size)
    for _ in range(10):
        claim = listed_claim(rng, size, "error", zero_mean=True)
        c = exact_rows(claim, size)
        cell = Cell.of({})
        found = error_form(claim.chains[size], cell, zero_mean=True).difference(cell)
        assert found is not None
        w = [some(rng) for _ in range(size - 1)]
        eps = [some(rng) for _ in range(size - 1)]
        s = Fraction(0)
        sizes, squares = [], []
        for i in range(size - 1):
            before, s = c["l"][i] * s, c["l"][i] * s + w[i]
            squares.append(s**2 - before**2)  # e_i² = S_i − ℓ_i² S_{i−1}
            sizes.append(s)
        forms = error_forms({k: c[k] for k in ROWS}, Fraction(0), Fraction(1))
        bound = sum(
            sum(h * x for h, x in zip(row, sizes, strict=True)) ** 2 for row in forms.caused
        )
        bound += sum(x**2 * y**2 for row in forms.noise for x, y in zip(row, eps, strict=True))
        claimed = sum(d * x for d, x in zip(c["forward"], squares, strict=True))
        claimed += sum(d * x**2 for d, x in zip(c["backward"], eps, strict=True))
        assert value_of(found[0], [*w, *eps]) == claimed - bound


@pytest.mark.parametrize("zero_mean", [False, True])
@pytest.mark.parametrize("size", [2, 3, 4, 5])
def test_the_bias_form_is_the_claim_minus_the_sharp_bias(size: int, zero_mean: bool) -> None:
    rng = seeded(size)
    for _ in range(10):
        claim = listed_claim(rng, size, "bias", zero_mean=zero_mean)
        c = exact_rows(claim, size)
        found = bias_form(claim.chains[size], Cell.of({}), zero_mean=zero_mean).difference(
            Cell.of({})
        )
        assert found is not None
        e, m, n = ([some(rng) for _ in range(size - 1)] for _ in range(3))
        if zero_mean:
            m = n = [Fraction(0)] * (size - 1)
        numbered = {k: [Fraction(0), *c[k]] for k in ROWS}
        bound = sum(x**2 for x in superposed_rows(numbered, e, m, n))
        squares = [x**2 for x in e]
        levels = {"forward_mean": m, "forward_fourth": squares, "backward_mean": n}
        claimed = sum(d * x**2 for k, row in levels.items() for d, x in zip(c[k], row, strict=True))
        y = squares if zero_mean else [*squares, *m, *n]
        assert value_of(found[0], y) == claimed - bound

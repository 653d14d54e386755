"""A candidate as a spec that runs: exact decimals, constants within those of the spec."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from boundcalc.arithmetic import RATIONALS, WIDE
from boundcalc.errors import InexactError
from boundcalc.graph import OperatorGraph
from boundcalc.operators.base import Array
from boundcalc.operators.pieces import Pieces
from boundcalc.spec.expressions import Expression
from boundcalc.verify.adversary.chain import ScalarChain
from boundcalc.verify.adversary.laws import LAW_PARAMETERS, ForwardSite, two_points
from boundcalc.verify.adversary.turns import PARAMETERS, Limits, Turns, make_turns

_GRID = 10**9  # numbers are multiples of its inverse
_RAREST = Fraction(1, 2**20)  # probability of a value
_NEAR = Fraction(1, 10**6)  # knots nearer than this are one


def spline_spec(graph: OperatorGraph, chain: ScalarChain, z: Array, *, digits: int) -> str:
    """The YAML of one candidate.

    Parameters
    ----------
    z
        ``(d,)``: the parameters of :class:`ScalarChain`.
    digits
        Decimals of knots and heights, before heights are made small enough.
    """
    row = z[None]
    n = len(chain.slopes)
    functions = [
        make_turns(row[:, PARAMETERS * k : PARAMETERS * (k + 1)], chain.limits(k))
        for k in range(chain.functions)
    ]
    first = text(exactly(graph, graph.nodes[0].constants.jac_weight))
    head = f"id: {quoted(graph.ids[0])}, type: spline, weight_value: {first}"
    operators = [f"    - {{{head}, region: {{weight: 0}}}}"]
    for i in range(2, chain.size + 1):
        s = fitted(functions[i - 2], chain.limits(i - 2), digits)
        m = fitted(functions[n + i - 2], chain.limits(n + i - 2), digits)
        operators.append(
            f"    - id: {quoted(graph.ids[i - 1])}\n"
            "      type: spline\n"
            f"      slope: {text(s.left)}\n"
            f"      knots: {listed(s.knots)}\n"
            f"      second: {listed(s.heights)}\n"
            f"      weight_value: {text(m.left)}\n"
            f"      weight_knots: {listed(m.knots)}\n"
            f"      weight_first: {listed(m.heights)}\n"
            "      region: {weight: 0}"
        )
    laws = z[PARAMETERS * chain.functions :]
    perturbations = [
        *_forward(graph, chain, laws),
        *_backward(graph, chain, laws[LAW_PARAMETERS * len(chain.forward) :]),
    ]
    return "\n".join(
        [
            "version: 1",
            f"name: {quoted('Instance of ' + graph.name)}",
            "graph:",
            "  operators:",
            *operators,
            *(["perturbations:", *perturbations] if perturbations else []),
            "training: {step_size: 1e-30, horizon: 1}",
            "simulation:",
            "  data: {points: [[0]]}",
            "  replicas: 2",
            "  check: {iterates: [0], samples: 1, draws: 16384}",
            "",
        ]
    )


def fitted(turns: Turns, limits: Limits, digits: int) -> Pieces:
    """H of the first candidate with decimal knots, made smaller until it is within its limits."""
    heights = turns.heights()[0] if turns.knots.shape[1] else np.zeros(0)
    left = rounded(float(turns.left[0]), digits)
    knots: list[Fraction] = []
    values: list[Fraction] = []
    for knot, height in zip(turns.knots[0], heights, strict=True):
        at, value = rounded(float(knot), digits), rounded(float(height), digits)
        if knots and at - knots[-1] < _NEAR:
            continue
        knots.append(at)
        values.append(value)
    if not any(values):
        return Pieces((), (), clipped(left, limits.size))
    values[0] = values[-1] = Fraction(0)
    made = Pieces(tuple(knots), tuple(values), left)
    factor = min(
        Fraction(1),
        *(
            below(limit) / met
            for limit, met in (
                (limits.size, made.reach),
                (limits.rate, made.height),
                (limits.bend, made.steepest),
            )
            if met
        ),
    )
    if factor < 1:
        factor = Fraction(int(factor * _GRID), _GRID)
    return Pieces(made.knots, tuple(h * factor for h in made.heights), made.left * factor)


def _forward(graph: OperatorGraph, chain: ScalarChain, laws: Array) -> list[str]:
    lines = []
    for k, site in enumerate(chain.forward):
        part = laws[None, LAW_PARAMETERS * k : LAW_PARAMETERS * (k + 1)]
        values, share = two_points(part, site, steady=chain.steady)
        head = f"  - {{at: {quoted(graph.ids[site.operator - 1])}, pass: forward, "
        if values.shape[1] == 1:
            constant = clipped(near(values[0, 0]), site.mean)
            if constant:
                lines.append(f"{head}model: constant, value: {text(constant)}}}")
            continue
        lines.append(head + two_point_text(values[0], float(share[0, 0]), site) + "}")
    return lines


def two_point_text(values: Array, p: float, site: ForwardSite) -> str:
    """The law with these values, its moments made exact and within those of the site."""
    # Binary fractions: that the mean is 0 holds in floating point too.
    share = min(max(Fraction(round(p * 2**20), 2**20), _RAREST), 1 - _RAREST)
    mean = clipped(near(float(p * values[0] + (1 - p) * values[1])), site.mean)
    if abs(mean) < Fraction(1, 10**9):
        mean = Fraction(0)
    if share == Fraction(1, 2) and not mean:
        magnitude = float(np.sqrt(np.mean(values**2)))
        full = magnitude >= site.rms * (1 - 1e-9)
        return f"model: two_point, magnitude: {text(below(site.rms if full else magnitude))}"
    if values[0] < values[1]:
        share = 1 - share
    gap = _binary(min(float(abs(values[0] - values[1])), _widest(share, mean, site)))
    low, high = mean - share * gap, mean + (1 - share) * gap
    if float(high) - float(low) <= 1e-12 * abs(float(high)):
        return f"model: constant, value: {text(mean)}"
    return f"model: two_point, low: {text(low)}, high: {text(high)}, p_high: {text(share)}"


def _widest(share: Fraction, mean: Fraction, site: ForwardSite) -> float:
    """The largest distance of two values with this mean within rms and fourth moment."""
    p, center = float(share), float(mean)
    variance = max(float(below(site.rms) ** 2 - mean**2), 0.0)
    widest = math.sqrt(variance / (p * (1 - p)))
    if site.fourth is None:
        return widest
    allowed = site.fourth**4

    def fits(gap: float) -> bool:
        high, low = center + (1 - p) * gap, center - p * gap
        return p * high**4 + (1 - p) * low**4 <= allowed

    if fits(widest):
        return widest
    least, most = 0.0, widest
    for _ in range(60):
        middle = (least + most) / 2
        least, most = (middle, most) if fits(middle) else (least, middle)
    return least


def _binary(x: float) -> Fraction:
    """x to 26 binary digits, rounded down."""
    shift = 26 - math.frexp(x)[1] if x > 0 else 0
    return Fraction(math.floor(x * 2.0**shift)) / Fraction(2) ** shift


def _backward(graph: OperatorGraph, chain: ScalarChain, signs: Array) -> list[str]:
    lines = []
    for sign, site in zip(signs, chain.backward, strict=True):
        mean = below(site.mean) * (-1 if sign < 0 else 1)
        sigma = below(float(np.sqrt(site.variance)))
        head = f"  - {{at: {quoted(graph.ids[site.operator - 1])}, pass: backward, "
        if not sigma:
            law = f"model: constant, value: {text(mean)}"
        elif not mean:
            law = f"model: two_point, magnitude: {text(sigma)}"
        else:
            ends = f"low: {text(mean - sigma)}, high: {text(mean + sigma)}"
            law = f"model: two_point, {ends}, p_high: 1/2"
        lines.append(f"{head}{law}}}")
    return lines


def exactly(graph: OperatorGraph, expression: Expression) -> Fraction:
    """The value of an expression: exact, or a fraction a little below."""
    try:
        return Fraction(expression.evaluate(RATIONALS, graph.values(RATIONALS)))
    except InexactError:
        return below(float(expression.evaluate(WIDE, graph.values(WIDE))) * (1 - 1e-12))


def below(x: float) -> Fraction:
    """The decimal that a float stands for; one a little below where it has many digits.

    >>> below(0.1), below(1 / 3) < Fraction(1, 3)
    (Fraction(1, 10), True)
    """
    shown = Fraction(str(float(x)))
    if shown.denominator <= 10**12 and shown.numerator <= 10**15:
        return shown
    return Fraction(int(shown * (1 - Fraction(1, 10**12)) * 10**15), 10**15)


def near(x: float) -> Fraction:
    """x to 12 decimals."""
    return Fraction(round(float(x) * 10**12), 10**12)


def rounded(x: float, digits: int) -> Fraction:
    """x to a number of decimals."""
    return Fraction(round(x * 10**digits), 10**digits)


def clipped(x: Fraction, size: float) -> Fraction:
    """x, or ±size where it is larger."""
    most = below(size)
    return max(-most, min(most, x))


def text(x: Fraction) -> str:
    """A number as a spec has it: a decimal where that is exact, else a fraction.

    >>> text(Fraction(-1, 8)), text(Fraction(2)), text(Fraction(1, 3))
    ('-0.125', '2', '1/3')
    """
    scaled, places = x, 0
    while scaled.denominator != 1 and places < 60:
        scaled, places = scaled * 10, places + 1
    if scaled.denominator != 1:
        return str(x)
    if not places:
        return str(scaled)
    digits = str(abs(scaled.numerator)).rjust(places + 1, "0")
    return f"{'-' if x < 0 else ''}{digits[:-places]}.{digits[-places:]}"


def listed(numbers: tuple[Fraction, ...]) -> str:
    """A YAML list."""
    return "[" + ", ".join(text(x) for x in numbers) + "]"


def quoted(name: str) -> str:
    """A YAML string in quotes.

    >>> quoted("f1")
    '"f1"'
    """
    import json

    return json.dumps(name, ensure_ascii=False)

"""What a family's bounds mean for a whole run, with the spec's numbers in them."""

from __future__ import annotations

from boundcalc.arithmetic import Number, Status
from boundcalc.arithmetic.best import converted, kind_of
from boundcalc.arithmetic.combine import quotient
from boundcalc.arithmetic.number import format_number
from boundcalc.graph import OperatorGraph
from boundcalc.rates import Rate
from boundcalc.report.cells import Block, Content, Equation, Maths, Paragraph
from boundcalc.report.equations import LINE, arrange
from boundcalc.report.gather import Findings
from boundcalc.report.notation import NONCONVEX, PL, joined, number_of, said
from boundcalc.report.numbers import down, latex_number, up
from boundcalc.report.width import width
from boundcalc.spec.expressions import Expression
from boundcalc.theories.perturbed.coefficients import Coefficients
from boundcalc.theories.perturbed.descent import Descent


def convergence(findings: Findings, coefficients: Coefficients) -> list[Block]:
    """(c) and (d): what they mean for a run."""
    rates, name = findings.rates, coefficients.family.name
    if rates is None:
        return [Paragraph(joined("No statement about a run: ", said(findings.no_rates), "."))]
    graph, descent = findings.graph, coefficients.family.descent
    blocks: list[Block] = [Paragraph(_hypotheses(graph, rates.nonconvex[name], descent))]
    regimes = [("c", rates.nonconvex[name], _nonconvex)]
    if name in rates.pl:
        regimes.append(("d", rates.pl[name], _pl))
    for letter, rate, lines in regimes:
        if rate.bound is None:
            regime = "nonconvex" if letter == "c" else "PL"
            lead = f"({letter}) The {regime} statement is refused: "
            blocks.append(Paragraph(joined(lead, said(rate.refused or "no reason given"), ".")))
            continue
        if letter == "d":
            mu = graph.spec.loss.pl
            assert mu is not None  # noqa: S101 - there is a PL rate
            number = down(_number(graph, mu))
            blocks.append(Paragraph(("If A4 holds as well, with ", Maths(rf"\mu={number}"), ":")))
        blocks.append(Equation(tuple(lines(graph, rate, descent, letter))))
    if all(rate.bound is None for _, rate, _ in regimes):
        return blocks
    return [*blocks, Paragraph(_averages(graph, descent))]


def _hypotheses(graph: OperatorGraph, rate: Rate, descent: Descent) -> Content:
    loss, training = graph.spec.loss, graph.spec.training
    assert training is not None  # noqa: S101 - there are rates
    limit = r"\frac1L" if descent.limit == 1 else rf"\frac{{1}}{{{descent.limit}L}}"
    step = latex_number(format_number(_number(graph, training.step_size).value))
    ceiling = "" if rate.step_size_limit is None else "=" + down(rate.step_size_limit)
    return (
        "If moreover A1 holds with ",
        Maths(f"L={_shown(graph, loss.smoothness)}"),
        ", A2 with ",
        Maths(rf"\sigma={_shown(graph, loss.gradient_noise)}"),
        " and ",
        Maths(rf"\Delta_0={_shown(graph, loss.initial_gap)}"),
        ", then for the step size ",
        Maths(rf"\gamma={step}"),
        " (the statement needs ",
        Maths(rf"\gamma\le {limit}{ceiling}"),
        "), ",
        Maths(f"T={training.horizon}"),
        " steps and ",
        Maths(f"M={loss.batch}"),
        f" {'sample' if loss.batch == 1 else 'samples'} a step:",
    )


def _nonconvex(graph: OperatorGraph, rate: Rate, d: Descent, letter: str) -> list[str]:
    extra = r"\overline{\mathrm{Var}-\sigma^2}" if d.splits_variance else r"\overline{\zeta^2}"
    general = (
        rf"\frac{{{d.gap}\Delta_0}}{{\gamma T}} + {_factor(d.noise)}L\gamma\sigma^2"
        rf" + {_factor(d.error)}L\gamma\,{extra} + {_factor(d.bias)}\overline{{\beta^2}}"
    )
    p = _Numbers(graph)
    error = quotient(rate.terms["perturbation_error"], _times_all(d.error, p.L, p.step))
    bias = quotient(rate.terms["perturbation_bias"], _times_all(d.bias))
    product = rf"{up(p.L)}\cdot {up(p.step)}"
    numbers = (
        rf"\frac{{{_times(d.gap)}{up(p.gap)}}}{{{down(p.step)}\cdot {p.horizon}}}"
        rf" + {_times(d.noise)}{product}\cdot {_squared(up(p.sigma))}"
        rf" + {_times(d.error)}{product}\cdot {up(error)} + {_times(d.bias)}{up(bias)}"
    )
    return _chain(letter, NONCONVEX, [general, numbers, _sum(rate)], rate)


def _pl(graph: OperatorGraph, rate: Rate, d: Descent, letter: str) -> list[str]:
    top, bottom = d.contraction
    share = r"\mu\gamma" if (top, bottom) == (1, 1) else rf"\frac{{{top}}}{{{bottom}}}\mu\gamma"
    ratio = rf"\left(1-{share}\right)"
    lag = "T-t" if d.lag == 0 else f"T-{d.lag}-t"
    noise = (
        "" if d.pl_noise is None else rf" + \frac{{{_factor(d.pl_noise)}L\gamma\sigma^2}}{{\mu}}"
    )
    level = r"\mathrm{Var}_t" if d.splits_variance else r"\zeta_t^2"
    error, bias = _over(d.pl_error, r"L\gamma^2"), _over(d.pl_bias, r"\gamma")
    general = (
        rf"{ratio}^{{T}}\Delta_0{noise} + \sum_{{t=0}}^{{T-1}}{ratio}^{{{lag}}}"
        rf"\left({error}{level}+{bias}\beta_t^2\right)"
    )
    return _chain(letter, PL, [general, _sum(rate)], rate)


def _chain(letter: str, quantity: str, steps: list[str], rate: Rate) -> list[str]:
    """quantity ≤ formula ≈ numbers, and quantity ≤ the bound, each broken where it has to be.

    The bound is rounded up from the sum of the terms themselves, so that it may be below the
    sum of what is shown: no chain of ≤ leads through rounded terms.
    """
    assert rate.bound is not None  # noqa: S101 - the callers have looked
    left = rf"\mathrm{{({letter})}}\quad {quantity}"
    lines = list(arrange(left, steps[0], relation=r"\le") or (rf"{left} &\le {steps[0]}",))
    # All lines of a display share the column before the relation.
    room = LINE - width(left)
    for step in steps[1:]:
        lines += arrange("", step, room, relation=r"\approx") or ()
    lines.append(rf"{quantity} &\le {up(rate.bound)}\qquad\text{{({rate.bound.status})}}")
    return lines


def _sum(rate: Rate) -> str:
    return " + ".join(up(term) for term in rate.terms.values())


def _averages(graph: OperatorGraph, descent: Descent) -> Content:
    """What the letters of (c) and (d) mean."""
    batch = " and the batch (docs/theory.md, Lemma 6.4)" if graph.spec.loss.batch > 1 else ""
    meant: Content = (
        "Bars are averages over the steps ",
        Maths("t"),
        ". ",
        Maths(r"\zeta_t^2"),
        " and ",
        Maths(r"\beta_t^2"),
        f" bound error and bias of the step’s gradient, given the perturbations that act{batch}",
    )
    variance: Content = (
        "; ",
        Maths(r"\mathrm{Var}_t\le(\sigma+\zeta_t)^2"),
        ", or ",
        Maths(r"\sigma^2+\zeta_t^2"),
        " where the error has mean zero given the sample (Lemma 6.3)",
    )
    last = (
        ". Numbers after the approximate sign are the terms to six digits, rounded up; the bound "
        "is rounded up from their sum before rounding."
    )
    return joined(meant, variance, last) if descent.splits_variance else joined(meant, last)


class _Numbers:
    """L, σ, Δ₀, γ and T, exact or enclosed where they are not measured."""

    def __init__(self, graph: OperatorGraph) -> None:
        loss, training = graph.spec.loss, graph.spec.training
        assert training is not None  # noqa: S101 - there are rates
        assert loss.smoothness and loss.gradient_noise and loss.initial_gap  # noqa: S101, PT018
        self.L = _number(graph, loss.smoothness)
        self.sigma = _number(graph, loss.gradient_noise)
        self.gap = _number(graph, loss.initial_gap)
        self.step = _number(graph, training.step_size)
        self.horizon = training.horizon


def _number(graph: OperatorGraph, expression: Expression) -> Number:
    found = number_of(graph, expression)
    assert found is not None  # noqa: S101 - there are rates, so symbols have values
    return found


def _times_all(factor: int, *numbers: Number) -> Number:
    """The product of a whole number and some numbers."""
    kind = kind_of(number.value for number in numbers)
    product = kind.number(factor)
    for number in numbers:
        product = product * converted(number.value, kind)
    return Number(product, Status.PROVED)


def _shown(graph: OperatorGraph, expression: Expression | None) -> str:
    assert expression is not None  # noqa: S101 - there are rates
    return up(_number(graph, expression))


def _factor(k: int) -> str:
    return "" if k == 1 else str(k)


def _times(k: int) -> str:
    return "" if k == 1 else rf"{k}\cdot "


def _squared(number: str) -> str:
    return rf"({number})^2" if r"\times" in number or "^" in number else f"{number}^2"


def _over(fraction: tuple[int, int], letters: str) -> str:
    top, bottom = fraction
    return letters if bottom == 1 else rf"\frac{{{_factor(top)}{letters}}}{{{bottom}}}"

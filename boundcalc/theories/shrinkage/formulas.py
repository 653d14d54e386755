"""The statements as formulas, with their conditions and sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from boundcalc.report.cells import Content, Maths

#: What is fitted to a gradient law: q and the noise, the noise alone, or nothing.
Fit = Literal["nothing", "noise", "all"]

FITTED = {
    "all": "fitted, not proved: q and the noise are those of the projection for the gradient law "
    "of the spec; rounding leaves a mean that depends on the iterate",
    "noise": "fitted, not proved: the noise is the one that the gradient law of the spec gives; "
    "that of other gradients can be larger",
}

TITLES = {
    "nonconvex": "Nonconvex",
    "nonconvex_weighted": "Nonconvex, weighted by q",
    "nonconvex_q_min": "Nonconvex, from q_min",
    "nonconvex_sharp": "Nonconvex, sharp",
    "pl": "PL",
    "pl_sharp": "PL, sharp",
    "rounding": "Rounded exact gradient",
    "rounding_pl": "Rounded exact gradient, PL",
}

_AVERAGE = r"\frac1K\sum_{k=0}^{K-1}\mathbb{E}\lVert\nabla\ell(w_k)\rVert^2"
_GAP = r"\mathbb{E}[\ell(w_K)-\ell^{\ast}]"


@dataclass(frozen=True)
class Formula:
    """What is bounded and by what, in LaTeX, with source and conditions."""

    quantity: str
    bound: str
    source: str
    conditions: tuple[Content, ...]


def nonconvex_formula(
    factors: str,
    form: str,
    *,
    compensated: bool,
    perturbed: bool,
    diminishing: bool,
    fitted: Fit,
) -> Formula:
    """The statement about gradients: Theorems 11.2 to 11.4 and 11.7."""
    v = "V" if perturbed else r"\sigma^2"
    conditions = _conditions(factors, form, compensated, perturbed, fitted)
    if diminishing:
        return _diminishing(factors, v, compensated, perturbed, conditions)
    if form in ("least", "weighted"):
        bias = "+B^2" if perturbed else ""
        bound = (
            r"\frac{2\Delta_0}{K\mu q_{\min}}"
            + bias
            + rf"+L\mu\Big({v}+\frac{{\sigma_e^2}}{{q_{{\min}}}}\Big)"
        )
        quantity = r"\frac{\mathbb{E}\sum_kq_k\lVert\nabla\ell(w_k)\rVert^2}{\mathbb{E}\sum_kq_k}"
        return Formula(quantity, bound, _source("11.3", perturbed), conditions)
    if factors == "past":
        bound = _past(v, compensated, perturbed)
        return Formula(_AVERAGE, bound, _source("11.3", perturbed), conditions)
    if form == "sharp":
        weight = r"a_k(2-La_k)"
        source = "docs/theory-shrinkage.md, Theorem 11.4"
    else:
        weight, source = "a_k", _source("11.2", perturbed)
    if factors == "constant":
        return Formula(_AVERAGE, _constant(v, form, compensated, perturbed), source, conditions)
    quantity = (
        rf"\frac{{\sum_k{weight}\mathbb{{E}}\lVert\nabla\ell(w_k)\rVert^2}}{{\sum_k{weight}}}"
    )
    bound = rf"\frac{{2\Delta_0+L\sum_k(a_k^2{v}+s_k^2\sigma_e^2)}}{{\sum_k{weight}}}"
    bound += "+B^2" if perturbed and form == "plain" else ""
    more: Content = (
        Maths(r"s_k=\mu/q_k" if compensated else r"s_k=\mu"),
        " and ",
        Maths("a_k=s_kq_k"),
    )
    return Formula(quantity, bound, source, (*conditions, more))


def pl_formula(
    factors: str,
    form: str,
    *,
    compensated: bool,
    perturbed: bool,
    diminishing: bool,
    fitted: Fit,
) -> Formula:
    """The statement about the gap: Theorems 11.5 and 11.7."""
    del diminishing  # it is refused there
    v = "V" if perturbed else r"\sigma^2"
    conditions = _conditions(factors, form, compensated, perturbed, fitted)
    source = (
        "docs/theory-shrinkage.md, Theorem 11.5" if form == "sharp" else _source("11.5", perturbed)
    )
    if factors == "past":
        a, longest = (r"\mu", r"\frac{\mu}{q_{\min}}") if compensated else (r"\mu q_{\min}", r"\mu")
        bias = r"\frac{\mu}{2}B^2+" if perturbed else ""
        last = r"\sigma_e^2" if longest == r"\mu" else r"\frac{\sigma_e^2}{q_{\min}^2}"
        bound = (
            rf"(1-m{a})^K\Delta_0+\frac{{1-(1-m{a})^K}}{{m{a}}}"
            rf"\Big[{bias}\frac{{L\mu^2}}{{2}}\Big({v}+{last}\Big)\Big]"
        )
        return Formula(_GAP, bound, source, conditions)
    factor = "m a_k(2-La_k)" if form == "sharp" else "m a_k"
    bias = r"\frac{a_k}{2}B^2+" if perturbed and form == "plain" else ""
    bound = (
        rf"x_K,\quad x_{{k+1}}=(1-{factor})x_k+{bias}\frac L2(a_k^2{v}+s_k^2\sigma_e^2),"
        r"\quad x_0=\Delta_0"
    )
    more: Content = (
        Maths(r"s_k=\mu/q_k" if compensated else r"s_k=\mu"),
        " and ",
        Maths("a_k=s_kq_k"),
    )
    return Formula(_GAP, bound, source, (*conditions, more))


def _constant(v: str, form: str, compensated: bool, perturbed: bool) -> str:
    a = r"\mu" if compensated else r"\mu q"
    noise = (
        rf"L\mu\Big({v}+\frac{{\sigma_e^2}}{{q^2}}\Big)"
        if compensated
        else rf"L\mu\Big(q{v}+\frac{{\sigma_e^2}}{{q}}\Big)"
    )
    whole = rf"\frac{{2\Delta_0}}{{K{a}}}+{noise}"
    if form == "sharp":
        return rf"\frac{{1}}{{2-L{a}}}\Big[{whole}\Big]"
    return whole + ("+B^2" if perturbed else "")


def _past(v: str, compensated: bool, perturbed: bool) -> str:
    if compensated:
        bias = "+B^2" if perturbed else ""
        noise = rf"L\mu\Big({v}+\frac{{\sigma_e^2}}{{q_{{\min}}^2}}\Big)"
        return rf"\frac{{2\Delta_0}}{{K\mu}}+{noise}{bias}"
    bias = r"+\frac{B^2}{q_{\min}}" if perturbed else ""
    return (
        r"\frac{2\Delta_0}{K\mu q_{\min}}"
        rf"+\frac{{L\mu({v}+\sigma_e^2)}}{{q_{{\min}}}}{bias}"
    )


def _diminishing(
    factors: str, v: str, compensated: bool, perturbed: bool, conditions: tuple[Content, ...]
) -> Formula:
    quantity = r"\frac{\sum_k\mu_k\mathbb{E}\lVert\nabla\ell(w_k)\rVert^2}{\sum_k\mu_k}"
    low, high = ("q", "q^2") if factors == "constant" else (r"q_{\min}", r"q_{\max}^2")
    if compensated:
        last = "q^2" if factors == "constant" else r"q_{\min}^2"
        top, bottom = rf"{v}+\sigma_e^2/{last}", ""
    else:
        top, bottom = rf"{high}{v}+\sigma_e^2", low
    bound = rf"\frac{{2\Delta_0+L({top})\sum_k\mu_k^2}}{{{bottom}\sum_k\mu_k}}"
    if perturbed:
        ratio = "" if compensated or factors == "constant" else r"\frac{q_{\max}}{q_{\min}}"
        bound += f"+{ratio}B^2"
    return Formula(quantity, bound, _source("11.2", perturbed), conditions)


def _conditions(
    factors: str, form: str, compensated: bool, perturbed: bool, fitted: Fit
) -> tuple[Content, ...]:
    found: list[Content] = []
    reach = r"\mu" if compensated else r"\mu\max_kq_k"
    if factors == "past" and not compensated:
        found.append((Maths(r"\mu\le1/L"), ", for a factor may be 1"))
    elif form == "sharp":
        found.append((Maths(rf"{reach}<2/L"), ": the step is below the limit, and not equal to it"))
    else:
        found.append(
            (
                Maths(rf"{reach}\le1/L"),
                "; of factors that are not known in advance ",
                Maths(r"\mu\le1/L"),
            )
            if not compensated
            else Maths(r"\mu\le1/L")
        )
    if compensated:
        found.append("the factor of the step is known when the step is taken")
    if perturbed:
        found.append(
            (
                Maths("V"),
                " and ",
                Maths("B^2"),
                " are the sharp bounds on variance and squared bias of the perturbed passes",
            )
        )
    if fitted != "nothing":
        found.append(FITTED[fitted])
    return tuple(found)


def _source(number: str, perturbed: bool) -> str:
    own = f"docs/theory-shrinkage.md, Theorem {number}"
    if perturbed:
        own += " with Theorem 11.7"
    return f"{own} (setting of [YUN])"

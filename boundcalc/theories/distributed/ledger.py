"""The assumptions of distributed SGD, each with what the spec says of it."""

from __future__ import annotations

from collections.abc import Sequence

from boundcalc.graph import OperatorGraph
from boundcalc.report.cells import Content, Maths
from boundcalc.report.notation import joined, number_of
from boundcalc.spec.expressions import Expression, rational
from boundcalc.theories.distributed.section import DistributedSection, listed
from boundcalc.theories.ledger import stated_assumption
from boundcalc.theories.values import Assumption

_SMOOTH = Maths(r"\lVert\nabla^2f\rVert\le L_0+L_1\lVert\nabla f\rVert")
_TWICE = "f is twice differentiable (continuously, for the modified equations), "
_COMPRESSION = (
    "given the iterate, compression is unbiased, independent of the noise and between agents, ",
    Maths(r"\mathbb{E}\lVert C_i(x)-x\rVert^2\le\omega_i\lVert x\rVert^2"),
)
_SURELY: Content = (
    *_COMPRESSION,
    ", and surely, as ",
    Maths(r"L_1>0"),
    ", ",
    Maths(r"\lVert C_i(x)\rVert\le(1+\omega_i)\lVert x\rVert"),
)
_INDEPENDENT: Content = (
    "given the iterate, the noise has mean 0, and agents are independent of each other"
)
_SIGN_NOISE: Content = (
    "given the iterate, each component's noise is symmetric with this law; for the modified "
    "equation and its step conditions, independent between agents and components"
)


def assumptions(graph: OperatorGraph, section: DistributedSection) -> tuple[Assumption, ...]:
    """Smoothness, gap, noise, compression and what is chosen, in this order."""
    stated: list[tuple[str, Content, Expression | None]] = [
        ("L0", (_TWICE, _SMOOTH, " everywhere: ", Maths("L_0")), section.L0),
        ("L1", (_SMOOTH, " everywhere: ", Maths("L_1")), section.L1),
        ("S0", Maths(r"f(x_0)-f^{\ast}\le S_0"), graph.spec.loss.initial_gap),
    ]
    found = [stated_assumption(graph, key, says, number) for key, says, number in stated]
    found += _noise(graph, section)
    if section.algorithm == "dcsgd":
        found.append(_compression(graph, section))
    found.append(_chosen(graph, "ϵ", "a number between 0 and 1", section.epsilon))
    for key, says, number in (
        ("s", "no |∂_jf| exceeds this many scales of its noise (step conditions)", section.snr),
        ("g", "the gradient's norm where the statement looks", section.gradient_bound),
    ):
        if number is not None:
            found.append(_chosen(graph, key, says, number))
    return tuple(found)


def _chosen(graph: OperatorGraph, key: str, says: Content, number: Expression) -> Assumption:
    return Assumption(key, says, number.source, number_of(graph, number), "chosen")


def _noise(graph: OperatorGraph, section: DistributedSection) -> list[Assumption]:
    sign = section.algorithm == "dsignsgd"
    found = [Assumption("N1", _SIGN_NOISE if sign else _INDEPENDENT)]
    if section.nu is None:
        found.append(Assumption("N2", "each component of the noise is Gaussian"))
    else:
        heavy = "each component of the noise is Student's t with ν degrees of freedom"
        found.append(stated_assumption(graph, "N2", heavy, section.nu))
    if sign:
        bounded = joined("its scale is at most ", Maths(r"\sigma_{\max}"))
        found.append(_by_agent(graph, "N3", bounded, listed(section.sigma_max)))
    else:
        scale = Maths(r"\sigma_i(x)^2=\sigma_{0,i}^2+\sigma_{1,i}^2\lVert\nabla f(x)\rVert^2")
        for name, numbers in zip(("σ0", "σ1"), section.scale, strict=True):
            says = joined("the scale is ", scale)
            found.append(_by_agent(graph, name, says, numbers))
    if section.truncation is not None:
        cut: Content = "each component of the noise is cut at τ scales"
        found.append(stated_assumption(graph, "τ", cut, section.truncation))
    return found


def _compression(graph: OperatorGraph, section: DistributedSection) -> Assumption:
    if section.compressor is None:
        flat = not section.L1.symbols and rational(section.L1, {}) == 0
        return _by_agent(graph, "ω", _COMPRESSION if flat else _SURELY, listed(section.omega))
    k, d = section.compressor.k, section.dimension
    return Assumption(
        "ω",
        (
            "rand-k: ",
            f"{k} of {d} components, scaled by d/k; ω = d/k − 1; independent of the noise and "
            "between agents",
        ),
        f"rand_k, k = {k}",
        status="derived",
    )


def _by_agent(
    graph: OperatorGraph, key: str, says: Content, numbers: Sequence[Expression]
) -> Assumption:
    if len(numbers) == 1:
        return stated_assumption(graph, key, says, numbers[0])
    shown = ", ".join(number.source for number in numbers[:3])
    more = ", …" if len(numbers) > 3 else ""
    return Assumption(key, joined(says, ", by agent"), f"[{shown}{more}]", status="stated")

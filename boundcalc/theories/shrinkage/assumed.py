"""The ledger: what every statement of the theory supposes."""

from __future__ import annotations

from boundcalc.arithmetic import Number, Status
from boundcalc.graph import OperatorGraph
from boundcalc.report.cells import Content, Maths, Piece
from boundcalc.report.notation import number_of
from boundcalc.theories.ledger import objective_assumptions
from boundcalc.theories.shrinkage.setting import Case
from boundcalc.theories.values import Assumption

_SHOWN = 6  # factors of a sequence
_NOISE: tuple[Piece, ...] = (
    Maths(r"\mathbb{E}[e_k\mid w_k,g_k]=0"),
    " and ",
    Maths(r"\mathbb{E}\lVert e_k\rVert^2\le\sigma_e^2"),
)


def assumptions(graph: OperatorGraph, case: Case) -> tuple[Assumption, ...]:
    """A1, A2, Δ₀ and A4; S1 to S3 of the received gradient, or S1 to S4 of a rounded one."""
    received: Content = (Maths(r"\tilde g_k=q_kg_k+e_k"), " is what the step receives")
    own = _fitted(case) if case.projection is not None else _stated(graph, case)
    passes: tuple[Assumption, ...] = ()
    if case.levels.bounds:
        passes = (
            Assumption(
                "A3", "the operators' constants hold on their regions, for perturbed passes"
            ),
        )
    return (*objective_assumptions(graph), Assumption("S1", received), *own, *passes)


def _fitted(case: Case) -> tuple[Assumption, ...]:
    p, section = case.projection, case.own.format
    assert p is not None  # noqa: S101 - the caller has looked
    assert section is not None  # noqa: S101 - a projection has a format
    weaker: Content = (
        *_NOISE,
        ", of which a fit has ",
        Maths(r"\mathbb{E}\langle e,g\rangle=0"),
        " only",
    )
    if p.unbiased:
        weaker = (*_NOISE, ", of which the last is fitted: it holds for the law of the spec only")
    return (
        Assumption("S2", "the fitted factor", "format", Number(p.q, Status.COMPUTED), "derived"),
        Assumption("S3", weaker, "format", Number(p.noise, Status.COMPUTED), "derived"),
        Assumption(
            "S4",
            "every component of the gradient has the law of the spec",
            section.gradient.distribution,
            Number(p.scale, Status.COMPUTED),
            "stated",
        ),
    )


def _stated(graph: OperatorGraph, case: Case) -> tuple[Assumption, ...]:
    factors, noise = case.factors, case.own.quantization_noise
    assert factors is not None  # noqa: S101 - the caller has looked
    says: Content = (Maths(r"0<q_k\le1"), ", a sequence known in advance")
    if case.kind == "past":
        says = (
            Maths(r"q_{\min}\le q_k\le1"),
            ", and ",
            Maths("q_k"),
            " may depend on everything before the sample",
        )
    sources = ", ".join(dict.fromkeys(v.source for v in factors.values[:_SHOWN]))
    sources += ", …" if len(factors.values) > _SHOWN else ""
    single = number_of(graph, factors.values[0]) if len(factors.values) == 1 else None
    return (
        Assumption("S2", says, sources, single, "stated"),
        Assumption("S3", _NOISE, noise.source, number_of(graph, noise), "stated"),
    )

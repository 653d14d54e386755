"""What the statements say, as LaTeX and in words."""

from __future__ import annotations

from dataclasses import dataclass

from boundcalc.theories.distributed.section import DistributedSection

_WEIGHTED = {
    "normalised": r"\frac{a^2}{L_0+L_1a}",
    "inverse_norm": r"\frac{a^2}{o+a}",
    "constant": "a^2",
    "inverse_sqrt": "a^2",
}
_SECOND = r"\tfrac12\psi B'c\bar\gamma\Phi^2"


@dataclass(frozen=True)
class Words:
    """One statement without its numbers.

    Attributes
    ----------
    title, quantity, formula, source, conditions
        As in :class:`boundcalc.theories.values.Statement`.
    """

    title: str
    quantity: str
    formula: str
    source: str
    conditions: tuple[str, ...]


def words(section: DistributedSection, key: str) -> Words:
    """The words of the statement ``discrete``, ``normalised_sde`` or ``sign``."""
    return {"discrete": _discrete, "normalised_sde": _equation, "sign": _sign}[key](section)


def _discrete(section: DistributedSection) -> Words:
    schedule = section.steps.type
    conditions = [
        "a = ‖∇f‖ at a step drawn with probability s_k/Φ¹, s_k being the schedule's decay",
        "given the iterate, noise and compression are unbiased, and independent of each other and "
        "between agents",
        "step sizes lie below the limit, if there is one, and not at it",
    ]
    fixed = schedule in ("constant", "inverse_sqrt")
    stops = fixed and section.gradient_bound is not None
    if stops:
        conditions.append(
            "steps count only before ‖∇f‖ first exceeds gradient_bound: the rest of a run adds 0"
        )
    if section.omega is not None:
        conditions.append("‖C_i(x)‖ ≤ (1 + ω_i)‖x‖ surely, as for rand-k (needed where L1 > 0)")
    event = r";\,\hat k<\tau" if stops else ""
    return Words(
        title="D(C)SGD, discrete time",
        quantity=rf"\mathbb{{E}}\left[{_WEIGHTED[schedule]}{event}\right]",
        formula=rf"\frac{{S_0+{_SECOND}}}{{(1-\tfrac12\psi c(1+A))\,\theta\Phi^1}}",
        source="docs/theory-distributed.md, Theorem 12.5",
        conditions=tuple(conditions),
    )


def _equation(section: DistributedSection) -> Words:
    del section
    return Words(
        title="normalised D(C)SGD, modified equation",
        quantity=rf"\mathbb{{E}}\left[{_WEIGHTED['normalised']}\right]",
        formula=r"\frac1{\Phi^1}\left(\frac{\eta(1+A)S_0}{2\epsilon(1-\epsilon)}"
        r"+\frac{\epsilon B'\Phi^2}{(1-\epsilon)L_0(1+A)}\right)",
        source="docs/theory-distributed.md, Theorem 12.6, after [COM]",
        conditions=(
            "of the stochastic differential equation, not of the algorithm that it approximates",
            "f is twice continuously differentiable",
            "a = ‖∇f‖ at a time drawn with density s_t/Φ¹",
        ),
    )


def _sign(section: DistributedSection) -> Words:
    del section
    return Words(
        title="DSignSGD, discrete time",
        quantity=r"\mathbb{E}\,h(x_{\hat k})",
        formula=r"\frac{S_0+\tfrac12\psi d(L_0+\tfrac14L_1d\bar\sigma)\sum_k\gamma_k^2}"
        r"{c_\nu\sum_k\gamma_k-\tfrac12\psi dL_1\sum_k\gamma_k^2}",
        source="docs/theory-distributed.md, Theorem 12.8",
        conditions=(
            "h is the mean over the agents of Σ_j |∂_jf| min(|∂_jf|/σ_ij, 1)",
            "the step is drawn with probability proportional to c_νγ_k − ½ψdL1γ_k²",
            "each component of the noise is Student's t, or Gaussian, with a scale that the "
            "iterate fixes; components and agents may depend on each other",
        ),
    )

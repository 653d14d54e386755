"""What a distributed spec compiles to: step conditions and modified equations."""

from __future__ import annotations

from typing import Any

from boundcalc.arithmetic.best import in_best_kind
from boundcalc.graph import OperatorGraph
from boundcalc.report.cells import Equation as EquationBlock
from boundcalc.report.cells import Paragraph
from boundcalc.theories.distributed.cautions import cautions
from boundcalc.theories.distributed.noise_model import setting_in
from boundcalc.theories.distributed.sde import Equation, equation
from boundcalc.theories.distributed.section import DistributedSection
from boundcalc.theories.distributed.step_limits import (
    constants,
    limit_quantities,
    start_gradient,
    step_limits,
)
from boundcalc.theories.statements import quantity_data, quantity_table
from boundcalc.theories.values import Answer

_COMPRESSED = r"\eta\eta_t&<\frac{2\epsilon}{G\,(1+A)+L_1B'},\quad G=L_0+L_1\lVert\nabla f\rVert"
_COMPRESSED_CLASSIC = r"\text{classic: }\eta\eta_t&<\frac{2\epsilon}{G\,A+L_1B'}"
_SIGN = (
    r"\eta\eta_t&<\ell_\nu/K,\quad K=\frac{L_1d\,\sigma_H}{2N}+\sqrt d\,(L_0+L_1)M_\nu",
    r"\text{classic: }\eta\eta_t&<\ell_\nu/K,\quad K=\frac{L_1d\,\sigma_H}{2N}",
)


def compiled(graph: OperatorGraph, section: DistributedSection) -> Answer:
    """Step conditions as formulas and numbers, and drift and diffusion as formulas.

    Returns
    -------
    Answer
        ``value`` maps ``classic`` and ``corrected`` to an
        :class:`~boundcalc.theories.distributed.sde.Equation`.
    """
    heavy = section.nu is not None
    affine = section.grows
    equations = {
        name: equation(section.algorithm, heavy=heavy, affine=affine, correction=order)
        for name, order in (("classic", 0), ("corrected", 1))
    }
    limits = step_limits(graph, section)
    named = (*limit_quantities(limits), *constants(graph, section))
    setting, _ = in_best_kind(lambda kind: setting_in(graph, section, kind), section.size)
    sign = section.algorithm == "dsignsgd"
    notes = _notes(section)
    conditions = _SIGN if sign else (_COMPRESSED, _COMPRESSED_CLASSIC)
    return Answer(
        value=equations,
        data={
            "distributed": {
                "algorithm": section.algorithm,
                "conditions": [line.replace("&", "") for line in conditions],
                "step_size_limit_note": limits.note or None,
                **quantity_data(named),
                "equations": {name: _data(made) for name, made in equations.items()},
                "equation_notes": list(notes),
            }
        },
        blocks=(
            Paragraph("The modified equation dX = drift dt + (covariance)^(1/2) dW, classic:"),
            _block(equations["classic"]),
            Paragraph("With the curvature's correction, which the first step condition sees:"),
            _block(equations["corrected"]),
            *(Paragraph(note) for note in notes),
            Paragraph("Step conditions:"),
            EquationBlock(conditions),
            quantity_table("Step limits and what they are made of.", named),
        ),
        cautions=cautions(section, setting, start_gradient(graph)),
    )


def _notes(section: DistributedSection) -> tuple[str, ...]:
    """What must be known to read the equations."""
    found = []
    if section.steps.type in ("normalised", "inverse_norm"):
        found.append(
            "These steps depend on x: the correction treats η_t as fixed, so that the equation is "
            "right to first order only."
        )
    if section.algorithm == "dsignsgd":
        found.append(
            "The covariance, and the conditions, are those of agents and components whose noise "
            "is independent."
        )
        if section.truncation is not None:
            found.append(
                f"Ξ_ν is that of noise that is not cut: of noise cut at τ = {section.truncation} "
                "scales, the mean sign of a component with |∂_jf| > τσ is the sign of ∂_jf itself."
            )
    return tuple(found)


def _data(made: Equation) -> dict[str, Any]:
    return {
        "drift": str(made.drift),
        "variance": str(made.variance),
        "drift_latex": made.drift_latex,
        "covariance_latex": made.covariance_latex,
    }


def _block(made: Equation) -> EquationBlock:
    return EquationBlock(
        (
            rf"\text{{drift}}&={made.drift_latex}",
            rf"\text{{covariance}}&={made.covariance_latex}",
        )
    )

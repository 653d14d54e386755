"""Whether a ``distributed`` section fits the rest of its spec."""

from __future__ import annotations

from fractions import Fraction

from boundcalc.arithmetic import Arithmetic
from boundcalc.arithmetic.best import in_best_kind
from boundcalc.arithmetic.number import format_number
from boundcalc.errors import SimulationError, SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.spec.model import Spec
from boundcalc.theories.distributed.conditions import surely
from boundcalc.theories.distributed.noise_model import Setting, paired, setting_in
from boundcalc.theories.distributed.section import DistributedSection
from boundcalc.theories.objective import objective_of

_LEAST_NU = Fraction(1, 10**9)  # below, Ξ_ν loses its digits in floating point, and t overflows


def check_spec(spec: Spec) -> None:
    """Plain steps, unperturbed passes, and no sampling noise beside that of the agents.

    Raises
    ------
    SpecError
        With the section that does not go with distributed algorithms.
    """
    if spec.perturbations:
        raise SpecError(
            "perturbed passes and distributed noise do not compose",
            where=spec.where("perturbations"),
            expected="no perturbations",
            fix="remove them, or put their error into sigma0 and sigma1",
        )
    training, simulation = spec.training, spec.simulation
    if training is not None and training.optimizer.type != "sgd":
        raise SpecError(
            "the agents' average is applied as it is",
            where=spec.where("training.optimizer.type"),
            value=training.optimizer.type,
            expected="sgd",
            fix="remove `optimizer`",
        )
    if training is not None and training.clip is not None:
        raise SpecError(
            "clipping is each agent's own here",
            where=spec.where("training.clip"),
            expected="no `training.clip`",
            fix="use `distributed.clip`",
        )
    if simulation is not None and simulation.noise.kind != "none":
        raise SpecError(
            "the noise is that of the agents",
            where=spec.where("simulation.noise"),
            value=simulation.noise.kind,
            expected="no `simulation.noise`",
            fix="use sigma0, sigma1 and nu of `distributed`",
        )


def check_section(graph: OperatorGraph, section: DistributedSection) -> None:
    """Numbers in their ranges, a bound on the noise that is one, and the graph's dimension.

    Raises
    ------
    SpecError, SymbolError
        With the number that does not fit, or the symbol without a value.
    """
    in_best_kind(lambda kind: _checked(graph, section, kind), section.size)
    if graph.spec.simulation is None:
        return
    try:
        weights = objective_of(graph).weights
    except SimulationError:
        return  # operators by constants only: rates can be had, runs cannot
    if weights != section.dimension:
        raise SpecError(
            f"the graph has {weights} weights",
            where="distributed.dimension",
            value=section.dimension,
            expected=f"dimension: {weights}",
            fix="d is the number of all trained weights",
        )


def _checked(graph: OperatorGraph, section: DistributedSection, kind: Arithmetic) -> Setting:
    s = setting_in(graph, section, kind)
    for scale, bound in paired(s.sigma0, s.sigma_max) if s.sigma_max is not None else ():
        if surely(lambda scale=scale, bound=bound: scale > bound):  # type: ignore[misc]
            raise SpecError(
                "the noise is larger than its bound",
                where="distributed.sigma_max",
                value=f"sigma0 = {format_number(scale)}, sigma_max = {format_number(bound)}",
                expected="sigma0 ≤ sigma_max",
                fix="raise `sigma_max`",
            )
    nu = s.nu
    if nu is not None and surely(lambda: nu < _LEAST_NU):
        raise SpecError(
            "so few degrees of freedom are no law that numbers can be drawn from",
            where="distributed.nu",
            value=format_number(nu),
            expected="ν ≥ 10⁻⁹",
            fix="raise `nu`",
        )
    if section.steps.type == "normalised" and s.A is None:
        raise SpecError(
            "the normalised step needs the variance of the noise, which is infinite",
            where="distributed.schedule",
            value=f"nu = {section.nu}",
            expected="ν > 2, or noise that is cut",
            fix="add `truncation`, or use another schedule",
        )
    return s

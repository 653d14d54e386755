"""What a graph consists of: nodes, sites and perturbations."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from boundcalc.arithmetic import Arithmetic, Scalar
from boundcalc.errors import SpecError
from boundcalc.operators.base import ANYWHERE, Array, Constants, Domain, Operator, Region, Shape
from boundcalc.perturbations.base import Distribution
from boundcalc.perturbations.dependence import Dependence
from boundcalc.perturbations.schedules import Schedule
from boundcalc.perturbations.transform import Reach, Transform
from boundcalc.perturbations.vector import VectorMoments
from boundcalc.spec.expressions import Expression

CONSTANT_NAMES = (
    "jac_input",
    "jac_weight",
    "lip_input",
    "hess_input",
    "hess_mixed",
    "third_input",
    "third_mixed",
)


class NoConstants:
    """In place of constants that an operator does not have: whoever reads one gets the reason.

    Parameters
    ----------
    error
        What a build raises that needs them.
    """

    def __init__(self, error: SpecError) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # copying and pickling ask for these
            raise AttributeError(name)
        raise self._error


@dataclass(frozen=True)
class Node:
    """One operator in the graph.

    Attributes
    ----------
    id
        Its name.
    operator
        The library operator, or None for one that is given by constants only.
    constants
        What the sharp family uses.  Input constants of an operator that reads only
        data are 0 where nothing was given: they are never used.  A lenient build has
        :class:`NoConstants` where there are none.
    derived
        What the operator type itself proves on the region, or None without a type.
    stated
        Names of the constants that count for [KZY]'s uniform maxima.
    region
        The balls and boxes on which the constants hold.
    inputs, outputs, weights
        Sizes of what it reads, of its output and of its weights.
    where
        The place in the spec, for messages.
    reads
        By slot: the number of the operator that it reads; 0 is the data.
    edges
        By slot: the number of the edge.
    shape
        Of its output.
    group
        The number of the first operator that uses the same weights: its own, unless
        the weights are shared.
    trainable
        Whether its weights are trained; else they keep their values.
    values
        What its weights start from, ``(k,)``, or None where the spec does not say.
    domain
        Where its output lies, perturbed or not, as far as that is known.
    """

    id: str
    operator: Operator | None
    constants: Constants
    derived: Constants | None
    stated: frozenset[str]
    region: Region
    inputs: int
    outputs: int
    weights: int
    where: str
    reads: tuple[int, ...] = (0,)
    edges: tuple[int, ...] = (1,)
    shape: Shape = (1,)
    group: int = 1
    trainable: bool = True
    values: Array | None = field(default=None, compare=False)
    domain: Domain = ANYWHERE


@dataclass(frozen=True)
class Merged:
    """Operators one after the other whose Jacobians have one bound together.

    Attributes
    ----------
    nodes
        Their numbers, in order.
    norm
        A bound on the norm of the product of their Jacobians.
    product
        The product of their single bounds, for comparison.
    affine
        Whether all of them are affine; else one is elementwise.
    """

    nodes: tuple[int, ...]
    norm: Expression
    product: float
    affine: bool


@dataclass(frozen=True)
class Site:
    """A place where a perturbation can act and reach the gradient.

    Attributes
    ----------
    direction
        ``forward``: an operator's output; ``backward``: what goes back along an edge.
    index
        The number of the operator, or of the edge.
    label
        The operator's id; for an edge that of the operator which passes back along it,
        or ``f1->f3`` where that operator reads several.
    """

    direction: Literal["forward", "backward"]
    index: int
    label: str


@dataclass(frozen=True)
class Perturbation:
    """One perturbation at one site.

    Attributes
    ----------
    site
        The operator's number, 1 to N.
    edge
        For a backward perturbation the number of the edge; of a forward one 0.
    direction
        ``forward``: δ added to the operator's output; ``backward``: ε added to the
        gradient that the operator passes back along the edge.
    size
        Number of components.
    rms, mean
        √E‖·‖² and the size of the conditional mean, when given as such; otherwise
        they follow from ``moments``.
    fourth
        (E‖·‖⁴)^{1/4} when given as such, or None.
    moments
        Exact moments of a distribution, or upper bounds on those of a transform; None
        when given by rms, mean and fourth.
    distribution, probability
        What to sample: the model, and the probability with which a draw is added at all.
    schedule
        The steps at which the perturbation acts.
    where
        The place in the spec, for messages.
    dependence
        What is known of a forward perturbation given those before it.
    transform
        Q, where the perturbation is Q(y) − y for the value y that is there: the exact one
        and the perturbations before it at the same site.
    memory
        Whether what a transform leaves out is kept: ``feedback`` sends Q(y + e) and keeps
        e ← y + e − Q(y + e); ``difference`` sends Q(y − m), which moves m ← m + Q(y − m).
    shared
        Whether all samples of a step's batch get the same draw, and with ``probability`` the
        same decision to act; otherwise each has its own, independent of the others.
    reach
        Where y lies, of a transform.
    largest
        At least ‖δ‖, whatever is drawn; infinite where that is unbounded or unknown.
    """

    site: int
    direction: Literal["forward", "backward"]
    size: int
    rms: Expression | None
    mean: Expression | None
    fourth: Expression | None
    moments: VectorMoments | None
    distribution: Distribution | None
    probability: Expression | None
    schedule: Schedule
    where: str
    edge: int = 0
    dependence: Dependence = Dependence.ANY
    transform: Transform | None = None
    memory: Literal["feedback", "difference"] | None = None
    shared: bool = False
    reach: Reach | None = None
    largest: float = math.inf

    def level(self, kind: Arithmetic, values: Mapping[str, Scalar]) -> tuple[Any, Any, Any]:
        """(√E‖·‖², size of the mean, E‖·‖⁴ or None) in a number kind."""
        if self.moments is not None:
            second = self.moments.second.evaluate(kind, values)
            squared = self.moments.mean_squared.evaluate(kind, values)
            return kind.sqrt(second), kind.sqrt(squared), self.moments.fourth.evaluate(kind, values)
        assert self.rms is not None  # noqa: S101 - build() gives one or the other
        assert self.mean is not None  # noqa: S101 - the same
        fourth = None if self.fourth is None else self.fourth.evaluate(kind, values) ** 4
        return self.rms.evaluate(kind, values), self.mean.evaluate(kind, values), fourth

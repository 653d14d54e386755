"""What an operator must offer: its maps, and its constants on a region.

Shapes, used by every operator: R replicas, M samples, n inputs, m outputs, k
weights.  ``y`` is ``(R, M, n)``, ``w`` is ``(R, k)``, ``labels`` is ``(R, M)``, ``v``
is ``(R, M, m)``; an axis R of length 1 broadcasts.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from boundcalc.spec.expressions import Expression, exact
from boundcalc.spec.fields import Frozen

Array: TypeAlias = npt.NDArray[np.float64]

ZERO = exact(0)
ONE = exact(1)


@dataclass(frozen=True)
class Region:
    """Where an operator is used: balls around 0 in the Euclidean norm.

    Attributes
    ----------
    input
        Radius of the ball that holds every input, perturbed or not; None is unbounded.
    weight
        Radius of the ball that holds the weights; None is unbounded.
    """

    input: Expression | None = None
    weight: Expression | None = None


@dataclass(frozen=True)
class Constants:
    """The constants of Assumption 3 for one operator (docs/theory.md, section 1).

    All suprema are over the region, all norms Euclidean and operator norms.

    Attributes
    ----------
    jac_input
        a = sup ‖∇₁f‖.
    jac_weight
        b = sup ‖∇₂f‖; 0 without weights.
    lip_input
        ℓ, the Lipschitz constant of y ↦ f(y, w).
    hess_input, hess_mixed
        A and B, the Lipschitz constants of y ↦ ∇₁f and y ↦ ∇₂f.
    third_input, third_mixed
        A′ and B′, the Lipschitz constants of y ↦ ∇²₁₁f and y ↦ ∇²₂₁f.
    """

    jac_input: Expression
    jac_weight: Expression
    lip_input: Expression
    hess_input: Expression
    hess_mixed: Expression
    third_input: Expression
    third_mixed: Expression


@dataclass(frozen=True)
class Data:
    """The samples that an operator chain is run on.

    Attributes
    ----------
    features
        ``(M, d)``, the chain's input y₀.
    labels
        ``(M,)``; zeros where the data has none.
    """

    features: Array
    labels: Array


@dataclass(frozen=True)
class SymbolicForm:
    """An operator written with SymPy symbols, for one sample.

    Attributes
    ----------
    inputs, weights
        Symbols of y and w.
    label
        The symbol of the label.
    outputs
        One expression per output.
    """

    inputs: tuple[Any, ...]
    weights: tuple[Any, ...]
    label: Any
    outputs: tuple[Any, ...]


class Operator(Frozen, ABC):
    """One operator f(y, w) of a chain.  Its fields are its parameters in the spec.

    Concrete operators are final; each states in its docstring the formula and a
    proof or reference for each constant.
    """

    type: ClassVar[str]  #: the name in the spec
    reads_data: ClassVar[bool] = False  #: must be the first operator of its path
    uses_label: ClassVar[bool] = False

    @abstractmethod
    def output_size(self, inputs: int) -> int:
        """m for n inputs; raises GraphError-like SpecError if n does not fit."""

    @abstractmethod
    def weight_size(self, inputs: int) -> int:
        """k for n inputs."""

    @abstractmethod
    def forward(self, y: Array, w: Array, labels: Array) -> Array:
        """f(y, w), shape (R, M, m)."""

    @abstractmethod
    def vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """(∇₁fᵀv, ∇₂fᵀv) for every sample, shapes (R, M, n) and (R, M, k)."""

    def mean_vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """As :meth:`vjp`, the weight part averaged over samples: (R, M, n) and (R, k).

        Operators override it where the average is cheaper than the samples.
        """
        input_part, weight_part = self.vjp(y, w, labels, v)
        return input_part, weight_part.mean(axis=1)

    @abstractmethod
    def symbolic(self, inputs: int) -> SymbolicForm:
        """The operator in SymPy symbols for n inputs."""

    @abstractmethod
    def constants(self, region: Region, data: Data | None) -> Constants:
        """The constants on a region.

        Parameters
        ----------
        region
            Radii of the input and weight balls.
        data
            The samples; given to operators that read data, None otherwise.

        Raises
        ------
        SpecError
            If a constant needs a radius that the region does not give.
        """


def rounded_up(x: float) -> float:
    """A float a little above a measured norm, so that rounding cannot make it too small."""
    return float(np.nextafter(x * (1.0 + 1e-12), np.inf)) if x > 0 else x



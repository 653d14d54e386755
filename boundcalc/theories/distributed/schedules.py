"""The steps γ_k of a run, as they depend on k and on the gradient where they are taken."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from boundcalc.operators.base import Array

ScheduleKind: TypeAlias = Literal["constant", "inverse_sqrt", "inverse_norm", "normalised"]


@dataclass(frozen=True)
class Steps:
    r"""γ_k as a function of k and a = ‖∇f(x_k)‖.

    ``constant`` η; ``inverse_sqrt`` η/√(k+1); ``inverse_norm`` η/(offset + a); ``normalised``
    2ϵs_k/((L0 + L1·a)(1 + A)), s_k = 1 or, with ``decay``, 1/√(k+1).

    Attributes
    ----------
    kind
        Which of them.
    size
        η.
    offset
        Of ``inverse_norm``.
    numerator
        2ϵ/(1 + A), of ``normalised``.
    L0, L1
        Of ``normalised``.
    decay
        Whether s_k = 1/√(k+1).

    Examples
    --------
    >>> Steps("inverse_sqrt", 0.1).at(3, np.array([7.0])).tolist()
    [0.05]
    >>> Steps("normalised", 0.1, numerator=1.0, L0=4.0, L1=1.0).at(0, np.array([4.0])).tolist()
    [0.125]
    """

    kind: ScheduleKind
    size: float
    offset: float = 1.0
    numerator: float = 1.0
    L0: float = 1.0
    L1: float = 0.0
    decay: bool = False

    def at(self, step: int, gradient_norm: Array) -> Array:
        """γ_k, ``(R,)``, for the gradient norms ``(R,)``."""
        if self.kind == "inverse_norm":
            return np.asarray(self.size / (self.offset + gradient_norm))
        if self.kind == "normalised":
            return np.asarray(
                self.numerator * self.relative(step) / (self.L0 + self.L1 * gradient_norm)
            )
        return np.full(gradient_norm.shape, self.size * self.relative(step))

    def relative(self, step: int) -> float:
        """The part that depends on k alone: η_k, or s_k of ``normalised``.

        >>> Steps("constant", 0.1).relative(8), Steps("inverse_sqrt", 0.1).relative(8)
        (1.0, 0.3333333333333333)
        """
        falling = self.kind == "inverse_sqrt" or (self.kind == "normalised" and self.decay)
        return 1 / math.sqrt(step + 1) if falling else 1.0

    def known(self, horizon: int) -> Array | None:
        """γ_0 … γ_{T−1} where they depend on k alone, else None.

        >>> Steps("inverse_sqrt", 1.0).known(4).tolist()
        [1.0, 0.7071067811865475, 0.5773502691896258, 0.5]
        >>> Steps("inverse_norm", 1.0).known(4) is None
        True
        """
        if self.kind in ("inverse_norm", "normalised"):
            return None
        return self.size * np.array([self.relative(k) for k in range(horizon)])

"""Root-mean-square normalisation."""

from __future__ import annotations

from typing import ClassVar, final

from pydantic import StrictBool

from boundcalc.operators.normalization import Normalization


@final
class RMSNorm(Normalization):
    """f = g ⊙ x̂, x̂ = y/√(‖y‖²/n + eps), for each token y ∈ ℝⁿ; without a scale f = x̂.

    With T tokens, G = sup max |g_i| and κ = 48/(25√5):

    - a = ℓ = G/√eps, A = Gκ/(√n·eps), A′ = 3G/(n·eps^(3/2)), for all y, and less for A on
      a ball R < √(n·eps)/2: :mod:`~boundcalc.operators.radial` has the proof;
    - b = max_i ‖(x̂_ti)_t‖ ≤ √T·q, q = ρ/√(ρ²/n + eps) with ρ² a bound of Σ_t ‖y_t‖²/T,
      and q = √n without one: the columns of ∇_g f are orthogonal;
    - B = 1/√eps and B′ = κ/(√n·eps), the constants of one component of x̂.

    All tight, on every ball.  They are large where eps is small: a = 316 for eps = 10⁻⁵.

    Attributes
    ----------
    eps
        The number added to the mean square, > 0.
    scale
        Whether there are n trainable weights g.

    Examples
    --------
    >>> import numpy as np
    >>> layer = RMSNorm(eps="3/4")
    >>> layer.forward(np.array([[[0.5, -0.5]]]), np.array([[1.0, 2.0]]), np.zeros((1, 1)))
    array([[[ 0.5, -1. ]]])
    """

    type: ClassVar[str] = "rms_norm"
    centered: ClassVar[bool] = False

    scale: StrictBool = True

    @property
    def weighted(self) -> bool:
        """Whether there is a scale."""
        return self.scale

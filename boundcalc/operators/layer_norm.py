"""Layer normalisation."""

from __future__ import annotations

from typing import ClassVar, final

from pydantic import StrictBool

from boundcalc.operators.normalization import Normalization


@final
class LayerNorm(Normalization):
    """f = g ⊙ x̂ + c, x̂ = (y − mean)/√(variance + eps), for each token y ∈ ℝⁿ.

    The variance is Σ(y_i − mean)²/n.  With the projection P = I − 11ᵀ/n, x̂ is the map of
    RMS normalisation at Py, and Dᵏx̂(y) = DᵏRMS(Py)[P·, …, P·]: the suprema over centred
    directions are the same, for n ≥ 2.  With T tokens, κ = 48/(25√5) and G = sup ‖diag(g)P‖,
    at most max |g₀ᵢ| + √(1 − 1/n)·‖g − g₀‖:

    - a = ℓ = G/√eps, A = Gκ/(√n·eps), A′ = 3G/(n·eps^(3/2)), for all y, and less for A on
      ‖Py‖ ≤ R < √(n·eps)/2: :mod:`~boundcalc.operators.radial` has the proof.  Tight where
      g₀ = 0, and where all g₀ᵢ are equal and g does not move; in any case max |g₀ᵢ| is at
      most ‖diag(g₀)P‖/√(1 − 1/n);
    - rows of P have the norm √(1 − 1/n), so that |x̂_i| ≤ q = √(1 − 1/n)·ρ/√(ρ²/n + eps) for
      ‖Py‖ ≤ ρ, √(n − 1) without a bound, and one component of x̂ has the constants
      B = √(1 − 1/n)/√eps, B′ = √(1 − 1/n)·κ/(√n·eps), tight;
    - the columns ((x̂_ti)_t, 1) of ∇_w f for (g_i, c_i) are orthogonal for different i:
      b = max_i ‖[(x̂_ti)_t, 1]‖ ≤ √(T(q² + 1)), ρ² a bound of Σ_t ‖Py_t‖²/T; tight where
      all tokens are equal.

    ‖Py‖ is at most ‖y‖, and √n·(high − low)/2 in a box.

    Attributes
    ----------
    eps
        The number added to the variance, > 0.
    scale_and_shift
        Whether there are trainable weights: g, then c.

    Examples
    --------
    >>> import numpy as np
    >>> layer = LayerNorm(eps="3/4")
    >>> w = np.array([[1.0, 2.0, 0.0, 5.0]])  # g = (1, 2), c = (0, 5)
    >>> layer.forward(np.array([[[1.0, 2.0]]]), w, np.zeros((1, 1)))
    array([[[-0.5,  6. ]]])
    """

    type: ClassVar[str] = "layer_norm"
    centered: ClassVar[bool] = True

    scale_and_shift: StrictBool = True

    @property
    def weighted(self) -> bool:
        """Whether there are a scale and a shift."""
        return self.scale_and_shift

"""A table of vectors, looked up by token."""

from __future__ import annotations

from math import prod
from typing import Annotated, ClassVar, final

import numpy as np
import numpy.typing as npt
from pydantic import Field

from boundcalc.errors import DataError, SpecError
from boundcalc.operators.affine import plus, root_of, times
from boundcalc.operators.base import (
    Array,
    Data,
    Domain,
    InputConstants,
    Operator,
    Region,
    Shape,
    SymbolicForm,
    replicas,
    spread,
    symbols,
)
from boundcalc.operators.regions import smaller
from boundcalc.operators.rounding import longest
from boundcalc.operators.windows import Count
from boundcalc.spec.expressions import Expression, bounded


@final
class Embedding(Operator):
    """f_t = row y_t of a table: tokens 0, 1, … of the data, as PyTorch's ``Embedding``.

    The weights are the table (vocabulary × width) row by row.  An input of shape (T,) has
    the output shape (T, width).

    - tokens are data, never perturbed: a = ℓ = A = B = A′ = B′ = 0;
    - f is linear in the table: ∇₂f = S ⊗ I, S the T × vocabulary matrix of which row t has
      its 1 at y_t.  Its columns are orthogonal, and column j has as many ones as token j
      occurs: b = √(the most often that one token occurs in one sample); √T without data.
      Tight.

    Where f lies: ‖S E‖ ≤ b‖E‖, so ‖f‖ ≤ b R_w; around a table E₀ it is
    √T·(largest norm of a row) + bρ, and each entry is an entry of the table.

    Attributes
    ----------
    vocabulary
        Number of rows.
    width
        Length of a row.

    Examples
    --------
    >>> layer = Embedding(vocabulary=3, width=2).shaped(((4,),))
    >>> table = np.array([[0.0, 0.5, 1.0, 1.5, 2.0, 2.5]])
    >>> tokens = np.array([[2.0, 0.0, 2.0, 2.0]])
    >>> layer.forward(tokens[None], table, np.zeros((1, 1)))
    array([[[2. , 2.5, 0. , 0.5, 2. , 2.5, 2. , 2.5]]])
    >>> data = Data(tokens, np.zeros(1))
    >>> str(layer.constants(Region(), data, reads=True).jac_weight)
    'sqrt(3)'
    """

    type: ClassVar[str] = "embedding"
    reads_data: ClassVar[bool] = True

    vocabulary: Annotated[int, Field(strict=True, ge=1, le=10_000_000)]
    width: Count

    def check_shapes(self, shapes: tuple[Shape, ...]) -> None:
        """Any number of tokens but 0."""
        if not shapes[0] or 0 in shapes[0]:
            raise SpecError(
                "the input of an `embedding` operator has no tokens",
                value=f"input of shape {shapes[0]}",
                expected="a shape (tokens,), not of length 0",
            )

    @property
    def output_shape(self) -> Shape:
        """The input's shape and the width."""
        return (*self.shapes[0], self.width)

    def output_size(self, inputs: int) -> int:
        """The width for every token."""
        return inputs * self.width

    def weight_size(self, inputs: int) -> int:
        """The entries of the table."""
        return self.vocabulary * self.width

    def forward(self, y: Array, w: Array, labels: Array) -> Array:
        """The tokens' rows."""
        count, tokens, table = replicas(y, w), self._tokens(y), self._table(w)
        if len(tokens) == 1:
            rows = table[:, tokens[0]]
        else:
            rows = spread(table, count)[np.arange(count)[:, None, None], tokens]
        return np.asarray(rows.reshape(count, y.shape[1], -1))

    def vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """0 for the tokens; and for every row the sum of v over the tokens that are this row."""
        count, samples, size = replicas(y, w, v), y.shape[1], y.shape[2]
        tokens = np.broadcast_to(self._tokens(y), (count, samples, size))
        back = np.zeros((count, samples, self.vocabulary, self.width))
        replica, sample, _ = np.indices(tokens.shape)
        parts = np.broadcast_to(v, (count, *v.shape[1:]))
        np.add.at(back, (replica, sample, tokens), parts.reshape(*tokens.shape, self.width))
        return np.zeros((count, samples, size)), back.reshape(count, samples, -1)

    def mean_vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """As :meth:`vjp`, the samples summed in one table."""
        mean = self.mean_weight_vjp(y, w, labels, v)
        return np.zeros((len(mean), *y.shape[1:])), mean

    def mean_weight_vjp(self, y: Array, w: Array, labels: Array, v: Array) -> Array:
        """The mean over samples of the weight part of :meth:`vjp`."""
        count, samples = replicas(y, w, v), y.shape[1]
        tokens, back = self._tokens(y), np.zeros((count, self.vocabulary, self.width))
        for r in range(count):
            ids, parts = tokens[r % len(tokens)], v[r % len(v)]
            np.add.at(back[r], ids.ravel(), parts.reshape(-1, self.width))
        return np.asarray(back.reshape(count, -1) / samples)

    def symbolic(self, inputs: int) -> SymbolicForm:
        """Each row where the token is its number."""
        import sympy

        y, w, label = symbols(inputs, self.weight_size(inputs))
        outputs = tuple(
            sympy.Piecewise(
                *((w[j * self.width + i], sympy.Eq(token, j)) for j in range(self.vocabulary)),
                (sympy.nan, True),
            )
            for token in y
            for i in range(self.width)
        )
        return SymbolicForm(y, w, label, outputs)

    def input_constants(self, region: Region, data: Data | None) -> InputConstants:
        """All 0: the tokens never move."""
        return InputConstants()

    def weight_constant(self, region: Region, features: Array | None) -> Expression:
        """The constant b: the root of the most often that one token occurs in one sample."""
        if features is None:
            return root_of(prod(self.shapes[0]))
        tokens = np.sort(self._tokens(features[None])[0], axis=1)
        # The k-th entry of a run of equal tokens equals the one k − 1 places before it.
        most = 1
        while most < tokens.shape[1] and (tokens[:, most:] == tokens[:, :-most]).any():
            most += 1
        return root_of(most)

    def output_domain(self, region: Region, data: Data | None) -> Domain:
        """Ball and box of f as above."""
        b = self.weight_constant(region, None if data is None else data.features)
        radius = None if region.weight is None else times(b, region.weight)
        if region.center is not None and region.change is not None:
            row = bounded(longest(region.center.reshape(self.vocabulary, -1)))
            middle = times(root_of(prod(self.shapes[0])), row)
            around = plus(middle, times(b, region.change))
            radius = around if radius is None else smaller(radius, around)
        low, high = region.weight_interval()
        return Domain(radius, low, high)

    def _table(self, w: Array) -> Array:
        return w.reshape(len(w), self.vocabulary, self.width)

    def _tokens(self, y: Array) -> npt.NDArray[np.intp]:
        """The tokens as whole numbers; DataError names the first sample where one is not."""
        wrong = np.argwhere(~((y >= 0) & (y < self.vocabulary) & (y == np.floor(y))))
        if len(wrong):
            replica, sample, position = (int(i) for i in wrong[0])
            raise DataError(
                "a token is not in the vocabulary of an `embedding` operator",
                where=f"sample {sample + 1}, token {position + 1}",
                value=float(y[replica, sample, position]),
                expected=f"a whole number from 0 to {self.vocabulary - 1}",
                fix="number the tokens from 0, or make `vocabulary` larger",
            )
        return y.astype(np.intp)

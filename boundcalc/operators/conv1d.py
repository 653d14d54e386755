"""Convolution of a signal."""

from __future__ import annotations

from typing import ClassVar, final

from boundcalc.operators.base import Shape
from boundcalc.operators.convolution import Convolution
from boundcalc.operators.windows import Grid, Margin, Taps, Windows, require_axes


@final
class Conv1d(Convolution):
    """f = K * y + c on an input of shape (channels, length), as ``Conv1d`` of PyTorch.

    The output has the shape (channels, ⌊(L + 2·padding − dilation·(kernel − 1) − 1)/stride⌋ + 1).
    Constants: :class:`~boundcalc.operators.convolution.Convolution`.

    Attributes
    ----------
    channels
        Of the output.
    kernel
        Entries of a window.
    stride, padding, dilation
        From window to window, zeros at each end, from tap to tap.
    groups
        Of channels that do not mix.
    bias
        Whether there is a c.

    Examples
    --------
    >>> import numpy as np
    >>> layer = Conv1d(channels=1, kernel=2, bias=False).shaped(((1, 4),))
    >>> y, w = np.array([[[1.0, 2.0, 4.0, 8.0]]]), np.array([[-1.0, 1.0]])
    >>> layer.forward(y, w, np.zeros((1, 1)))
    array([[[1., 2., 4.]]])
    """

    type: ClassVar[str] = "conv1d"

    kernel: Taps
    stride: Taps = 1
    padding: Margin = 0
    dilation: Taps = 1

    def _grid(self, shape: Shape) -> Grid:
        _, length = require_axes(shape, ("channels", "length"), self.type)
        columns = Windows(length, self.kernel, self.stride, self.padding, self.dilation)
        return Windows(size=1, taps=1), columns

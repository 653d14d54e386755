"""Convolution of an image."""

from __future__ import annotations

from typing import ClassVar, final

from pydantic import Field

from boundcalc.operators.base import Shape
from boundcalc.operators.convolution import Convolution
from boundcalc.operators.windows import Counts, Grid, Margins, Windows, require_axes


@final
class Conv2d(Convolution):
    """f = K * y + c on an input of shape (channels, height, width), as ``Conv2d`` of PyTorch.

    The output has the shape (channels, H′, W′) with
    H′ = ⌊(H + 2·padding − dilation·(kernel − 1) − 1)/stride⌋ + 1, and W′ alike.
    Constants: :class:`~boundcalc.operators.convolution.Convolution`.

    Attributes
    ----------
    channels
        Of the output.
    kernel, stride, padding, dilation
        As in :class:`~boundcalc.operators.conv1d.Conv1d`; one number, or [rows, columns].
    groups
        Of channels that do not mix.
    bias
        Whether there is a c.

    Examples
    --------
    >>> layer = Conv2d(channels=8, kernel=3, stride=[2, 1], padding=1).shaped(((3, 9, 9),))
    >>> layer.output_shape, layer.weight_size(243)
    ((8, 5, 9), 224)
    """

    type: ClassVar[str] = "conv2d"

    kernel: Counts
    stride: Counts = Field(default=(1, 1), json_schema_extra={"default": 1})
    padding: Margins = Field(default=(0, 0), json_schema_extra={"default": 0})
    dilation: Counts = Field(default=(1, 1), json_schema_extra={"default": 1})

    def _grid(self, shape: Shape) -> Grid:
        _, *sizes = require_axes(shape, ("channels", "height", "width"), self.type)
        rows, columns = (
            Windows(size, self.kernel[i], self.stride[i], self.padding[i], self.dilation[i])
            for i, size in enumerate(sizes)
        )
        return rows, columns

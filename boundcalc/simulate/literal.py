"""The slow, literal twin of the vectorised engine: one replica and one sample at a time."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import numpy as np

from boundcalc.graph import OperatorGraph
from boundcalc.operators.base import Array, Operator

_NO_LABEL_R = slice(0, 1)


def literal_gradient(
    graph: OperatorGraph,
    w: Array,
    features: Array,
    labels: Array,
    delta: Mapping[int, Array],
    epsilon: Mapping[int, Array],
) -> Array:
    """ũ of every replica and sample, ``(R, M, k)``, as docs/theory.md, section 1 writes it.

    Agrees with :meth:`Program.sample_gradients` to 1e-12 and takes R·M times as long.
    Nothing but the operators and the graph is shared with it.
    """

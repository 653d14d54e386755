"""The spec's ``staleness`` section: queues, the paper's constants, blocks, stragglers."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Self

from pydantic import Field, model_validator

from boundcalc.spec.expressions import exact
from boundcalc.spec.fields import Frozen, Positive, Size, custom_error
from boundcalc.spec.sections import Name

MAX_BLOCKS = 1_000
MAX_QUEUE = 1_000_000

#: The length of a queue; which lengths fit together is checked by
#: :class:`~boundcalc.theories.staleness.queues.Queues`.
Length = Annotated[int, Field(ge=-MAX_QUEUE, le=MAX_QUEUE)]


class QueuesSection(Frozen):
    """DSP(p_0, …, p_{K−1}; m_0, …, m_{K−1}): two lengths for each of the K blocks."""

    p: list[Length] = Field(min_length=1, max_length=MAX_BLOCKS)
    m: list[Length] = Field(min_length=1, max_length=MAX_BLOCKS)


class StragglersSection(Frozen):
    """Workers that are slow now and then.

    In every step each of ``workers`` (by default one for each block) is slower with
    ``probability``, by one of ``slowdowns``, all equally likely: 1/2 makes a step half as long
    again.
    """

    workers: int | None = Field(default=None, ge=1, le=MAX_BLOCKS)
    probability: Size = exact(Fraction(1, 3))
    slowdowns: list[Positive] = Field(
        default=[exact(Fraction(1, 5)), exact(Fraction(1, 2)), exact(1), exact(Fraction(3, 2))],
        min_length=1,
        max_length=100,
    )

    @model_validator(mode="after")
    def _probability_is_one(self) -> Self:
        from boundcalc.arithmetic import RATIONALS
        from boundcalc.errors import InexactError

        if self.probability.symbols:
            return self
        try:
            above = self.probability.evaluate(RATIONALS) > 1
        except InexactError:
            return self
        if above:
            raise custom_error("a probability above 1", "a number in [0, 1]")
        return self


class StalenessSection(Frozen):
    """``staleness:`` of a spec.

    ``lipschitz`` is L and ``error_gradient`` M of [XHH]; left out, they are compiled from the
    constants of the graph and ``loss.smoothness``.  ``blocks`` are the ids of the first
    operators of the blocks; left out, every operator is a block, or every operator with trained
    weights begins one.
    """

    queues: QueuesSection
    lipschitz: Positive | None = None
    error_gradient: Positive | None = None
    blocks: list[Name] | None = Field(default=None, min_length=1, max_length=MAX_BLOCKS)
    stragglers: StragglersSection | None = None

"""The queues of a pipeline: which lengths fit together, and when a batch is where."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from boundcalc.errors import SpecError


@dataclass(frozen=True)
class Queues:
    """DSP(p_0, …, p_{K−1}; m_0, …, m_{K−1}) of [XHH].

    A batch is p_k steps under way from block k to block k + 1, m_k steps lie between its
    forward and its backward pass through block k, and its gradient is
    q_k = m_{k−1} − p_{k−1} − m_k steps under way from block k to block k − 1
    (docs/theory-staleness.md, Lemma 10.1).

    Parameters
    ----------
    p, m
        Whole numbers, K of each.  All of them 0 is plain backpropagation: no pipeline.

    Raises
    ------
    SpecError
        If a rule is broken: m_k > 0 for k < K − 1, m_{K−1} ≥ 0, p_k > 0 for k ≤ K − 2,
        p_{K−1} = 0, and q_k > 0 for k ≥ 1.  The message names the rule and the numbers.

    Examples
    --------
    >>> queues = Queues((1, 1, 0), (4, 2, 0))
    >>> queues.q, queues.delay, queues.times
    ((0, 1, 1), 4, (0, 1, 2, 2, 3, 4))
    """

    p: tuple[int, ...]
    m: tuple[int, ...]

    def __post_init__(self) -> None:
        _check_sizes(self.p, self.m)
        if not self.plain:
            _check_rules(self.p, self.m)

    @property
    def size(self) -> int:
        """K, the number of blocks."""
        return len(self.m)

    @property
    def plain(self) -> bool:
        """Whether all lengths are 0, so that every batch is finished before the next begins."""
        return not any(self.p) and not any(self.m)

    @cached_property
    def q(self) -> tuple[int, ...]:
        """q_0 = 0 and q_k = m_{k−1} − p_{k−1} − m_k: how long gradients are under way."""
        pairs = range(1, self.size)
        return (0, *(self.m[k - 1] - self.p[k - 1] - self.m[k] for k in pairs))

    @property
    def delays(self) -> tuple[int, ...]:
        """Δt_k = m_k: by how many updates the forward weights of block k lag behind."""
        return self.m

    @property
    def delay(self) -> int:
        """Δt = max Δt_k."""
        return max(self.m)

    @cached_property
    def times(self) -> tuple[int, ...]:
        """t_0, …, t_{2K−1}: forward through block k at t_k, backward at t_{2K−1−k}; t_0 = 0."""
        forward = [0]
        for length in self.p[:-1]:
            forward.append(forward[-1] + length)
        backward = [t + m for t, m in zip(forward, self.m, strict=True)]
        return (*forward, *reversed(backward))

    @property
    def held(self) -> int:
        """Σ(m_k + p_k + q_k): what all queues hold together."""
        return sum(self.m) + sum(self.p) + sum(self.q)

    def __str__(self) -> str:
        return f"DSP({','.join(map(str, self.p))};{','.join(map(str, self.m))})"


def _check_sizes(p: tuple[int, ...], m: tuple[int, ...]) -> None:
    if not m or len(p) != len(m):
        raise SpecError(
            "the queues do not have two lengths for every block",
            where="staleness.queues",
            value=f"{len(p)} lengths p and {len(m)} lengths m",
            expected="K lengths each, K ≥ 1 the number of blocks",
            fix="give p and m one entry for each block",
        )
    for name, lengths in (("p", p), ("m", m)):
        for k, length in enumerate(lengths):
            if isinstance(length, bool) or not isinstance(length, int):
                raise _broken(name, k, length, "a whole number", "queues hold whole batches")


def _check_rules(p: tuple[int, ...], m: tuple[int, ...]) -> None:
    last = len(m) - 1
    if m[last] < 0:
        raise _broken("m", last, m[last], "≥ 0", "no block runs backward before it ran forward")
    for k in range(last):
        if m[k] <= 0:
            raise _broken("m", k, m[k], "> 0", f"m_k > 0 for k < K − 1 = {last}")
    for k in range(last):
        if p[k] <= 0:
            raise _broken("p", k, p[k], "> 0", f"p_k > 0 for k ≤ K − 2 = {last - 1}")
    if p[last] != 0:
        raise _broken("p", last, p[last], "0", "p_{K−1} = 0, as nothing follows the last block")
    for k in range(1, len(m)):
        q = m[k - 1] - p[k - 1] - m[k]
        if q <= 0:
            raise SpecError(
                f"the queue of gradients from block {k} to block {k - 1} has no positive length",
                where=f"staleness.queues.m[{k - 1}]",
                value=f"q_{k} = m_{k - 1} − p_{k - 1} − m_{k} = "
                f"{m[k - 1]} − {p[k - 1]} − {m[k]} = {q}",
                expected=f"q_{k} > 0",
                fix=f"m_{k - 1} of at least {p[k - 1] + m[k] + 1}, "
                "or all lengths 0 for plain backpropagation",
            )


def _broken(name: str, k: int, value: object, expected: str, rule: str) -> SpecError:
    return SpecError(
        f"a queue length breaks a rule: {rule}",
        where=f"staleness.queues.{name}[{k}]",
        value=f"{name}_{k} = {value}",
        expected=f"{name}_{k} {expected}" if expected[0] in "≥>" else f"{name}_{k}: {expected}",
        fix="change it, or set all lengths to 0 for plain backpropagation",
    )

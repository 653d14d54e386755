"""Draws that all samples of a batch share: the part of the error that a batch does not average.

docs/theory.md, Lemma 6.7.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from boundcalc.arithmetic import Arithmetic, Number, Scalar
from boundcalc.arithmetic.best import converted
from boundcalc.graph import OperatorGraph, Perturbation
from boundcalc.perturbations.dependence import Dependence
from boundcalc.theories.perturbed.families import Bounds, Family


@dataclass(frozen=True)
class Split:
    """The bounds that go into one on E‖E[d | shared draws]‖², for d = ũ − u of a sample.

    Attributes
    ----------
    forward, backward
        With the shared perturbations of one pass only; None where there are none.
    own
        With the perturbations only that each sample draws for itself.
    correlated
        Whether what samples draw for themselves may depend on the shared backward draws.
    """

    forward: Bounds | None
    backward: Bounds | None
    own: Bounds
    correlated: bool

    def square(self, kind: Arithmetic) -> Scalar:
        """η² = (ζ_f + β_o)² + 2(ζ_f + β_o)θ + ζ_b² ≥ E‖E[d | shared draws]‖².

        ζ_f and ζ_b are error bounds of the shared forward and backward perturbations, β_o and
        θ mean bounds of the own and of the shared backward ones; θ = ζ_b if ``correlated``.
        """
        zero = kind.number(0)
        forward = zero if self.forward is None else _value(self.forward.error, kind)
        backward = zero if self.backward is None else _value(self.backward.error, kind)
        mean, theta = _value(self.own.bias, kind), zero
        if self.backward is not None:
            theta = backward if self.correlated else _value(self.backward.bias, kind)
        moved = forward + mean + _twice_root(forward, mean, kind)
        return moved + _twice_root(moved, theta, kind) + backward

    def numbers(self) -> Iterator[Number]:
        """Every bound that :meth:`square` reads."""
        found = [self.own.bias]
        if self.forward is not None:
            found.append(self.forward.error)
        if self.backward is not None:
            found += [self.backward.error, self.backward.bias]
        return (number for number in found if number is not None)


@dataclass(frozen=True)
class SharedDraws:
    """That some of the perturbations that act together are drawn once for a whole batch.

    Attributes
    ----------
    split
        None where nothing better is known than that a batch has no larger error than a sample.
    """

    split: Split | None = None

    def common(self, error: Scalar, kind: Arithmetic) -> Scalar:
        """A bound on E‖E[d | shared draws]‖², given one on E‖d‖²."""
        return error if self.split is None else self.split.square(kind)

    def numbers(self) -> tuple[Number, ...]:
        """Every bound that goes into it besides that of a sample."""
        return () if self.split is None else tuple(self.split.numbers())


def shared_draws(graph: OperatorGraph, family: Family, active: Sequence[int]) -> SharedDraws | None:
    """What the active perturbations share; None where every sample draws all of its own.

    O(N): up to three bounds of the family.  The split asks for laws that are independent of
    each other, or transforms with fresh draws, and for constants that also hold along passes in
    which some perturbations are left out; without one of these there is none.
    """
    chosen = [(i, graph.perturbations[i]) for i in active]
    shared = [i for i, p in chosen if p.shared]
    if not shared:
        return None
    own = [i for i, p in chosen if not p.shared]
    if not own or graph.sampled or not all(drawn_anew(p) for _, p in chosen):
        return SharedDraws()

    def bounds(direction: str) -> Bounds | None:
        some = [i for i in shared if graph.perturbations[i].direction == direction]
        return family.best_bounds(graph, some) if some else None

    alone = family.best_bounds(graph, own)
    if alone.bias is None:
        return SharedDraws()
    correlated = any(
        graph.perturbations[i].transform is not None
        and graph.perturbations[i].direction == "backward"
        for i in own
    )
    return SharedDraws(Split(bounds("forward"), bounds("backward"), alone, correlated))


def drawn_anew(p: Perturbation) -> bool:
    """Whether what is random in it is drawn anew, independently of everything else."""
    if p.distribution is not None:
        return p.distribution.dependence is Dependence.INDEPENDENT
    return p.transform is not None and p.memory is None


def _value(number: Number | None, kind: Arithmetic) -> Scalar:
    assert number is not None  # noqa: S101 - errors always, biases as shared_draws() has looked
    return converted(number.value, kind)


def _twice_root(x: Scalar, y: Scalar, kind: Arithmetic) -> Scalar:
    """2√(xy), without a root where one is 0."""
    return kind.number(0) if x == 0 or y == 0 else 2 * kind.sqrt(x * y)

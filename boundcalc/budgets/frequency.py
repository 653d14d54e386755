"""Frequency budgets: how often events of a fixed magnitude may happen.

At a step with an event the error and the bias are bounded by what the event does, at all others
they are 0, or those of what acts at every step; the bound is the one without events plus Σ over
the event steps of a weight times a cost.  In the nonconvex regime all weights are 1/T.  In the
PL regime the weight of step t is q^{T−lag−t}, q = 1 − cμγ < 1, which grows with t: wherever Q
events fall, the last Q steps cost most, and of events at least Δt apart those at T−1, T−1−Δt,
….  This holds at every step size, hence for the best one as well.

More events cost more, so that the largest number is found by bisection over integers, with
closed sums over the steps; each number is admissible for certain, and the next one is not, or not
for certain.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Literal

import numpy as np

from boundcalc.arithmetic import Arithmetic, Number, Scalar, Status
from boundcalc.arithmetic.best import in_best_kind
from boundcalc.arithmetic.number import worst
from boundcalc.budgets import regions
from boundcalc.budgets.frequency_events import Event, events
from boundcalc.budgets.inversion import Inverter
from boundcalc.budgets.inversion_certain import lowered
from boundcalc.budgets.inversion_groups import Groups, by_chance, placed
from boundcalc.budgets.inversion_levers import Lever, Scene, silent
from boundcalc.budgets.inversion_moments import PLAIN
from boundcalc.budgets.inversion_search import crossing, rounded_down
from boundcalc.budgets.question import Question
from boundcalc.budgets.results import Frequency
from boundcalc.graph.numbers import Levels
from boundcalc.perturbations.dependence import Dependence
from boundcalc.perturbations.schedules import Progression

MeanCase = Literal["given", "zero", "full"]


def frequencies(asked: Question, *, on_top: bool = False) -> tuple[Frequency, ...]:
    """How often each event may happen when nothing else is perturbed, or on top of what is.

    The events of the spec's ``budget``; without any, each of its perturbations taken as one.
    For each site and three means: as given, zero, and as large as the rms; only the first where
    it is one of the others.  When an event happens, it happens to all samples of the batch, each
    with a draw of its own, as perturbations of the spec do.

    Raises
    ------
    SpecError
        For an unknown site or a mean above the rms; if the family needs a fourth moment that
        is not known.

    Notes
    -----
    Some hundred evaluations of the statement for each, whatever the horizon: O(ln T), after
    O(N + slot pairs) for the error and the bias of the event.

    Examples
    --------
    An error of 1 at one step of gradient descent with step 1/4 costs (γ + 1)/T if it is biased,
    γ/T if not; the tolerance is 0.1 · 2/(γT) = 0.8/T for T = 100.

    >>> import boundcalc as bc
    >>> from boundcalc.budgets.question import question
    >>> for mean in (1, 0):
    ...     found = frequencies(question(bc.build(bc.loads(f'''
    ... version: 1
    ... name: dropped packets
    ... graph:
    ...   uniform: {{jac: 1, lip: 1, hess: 0, hess_op: 0, third: 0}}
    ...   operators: [{{id: f1}}, {{id: f2}}]
    ... loss: {{smoothness: 1, initial_gap: 1, gradient_noise: 0}}
    ... training: {{step_size: 1/4, horizon: 100}}
    ... budget:
    ...   tolerance: 1/10
    ...   events: [{{name: packet, at: f2, pass: backward, rms: 1, mean: {mean}}}]
    ... '''))))
    ...     print(found[0].count_worst, found[0].interval, found[0].spare)
    0 None 1.5625
    3 34 0.3125
    """
    found: list[Frequency] = []
    base = Inverter(asked)
    for event in events(asked.graph):
        graph = regions.on_top(asked.graph, event) if on_top else regions.alone(asked, event)
        own = base if graph is asked.graph else None
        if own is None and graph is not None:
            own = Inverter(replace(asked, graph=graph))
        quiet = base if on_top else None
        found += [_Counted(base, event, case, own, quiet).answer() for case in _cases(event)]
    return tuple(found)


def _cases(event: Event) -> tuple[MeanCase, ...]:
    rms, mean = event.number(0).value, event.number(1).value
    if mean == 0:
        return ("given", "full")
    return ("given", "zero") if mean == rms else ("given", "zero", "full")


class _Counted:
    """One event with one mean."""

    def __init__(
        self,
        base: Inverter,
        event: Event,
        case: MeanCase,
        own: Inverter | None,
        quiet: Inverter | None,
    ) -> None:
        self._inverter, self._event, self._case = own or base, event, case
        self._impossible, self._without = own is None, quiet
        self._objective = self._inverter.objective
        self._horizon = self._objective.p.horizon
        everywhere, on = placed([Progression(0, 1, self._horizon)], self._horizon)

        def levels(kind: Arithmetic, group: int) -> Levels:
            del group
            return self._base(kind)

        self._scene = Scene(everywhere, levels, on, self._inverter.moments, lone=quiet is None)
        self._known: dict[str, tuple[Scalar, Scalar]] = {}
        self._still: dict[str, tuple[Scalar, Scalar]] = {}

    def _base(self, kind: Arithmetic) -> Levels:
        """What acts at every step, as it is at steps with the event."""
        graph = self._inverter.asked.graph
        return silent(graph, kind) if self._without is None else graph.levels(kind)

    def answer(self) -> Frequency:
        """All that is asked of it."""
        T, event = self._horizon, self._event
        if not event.reaches:
            whole = Number(Fraction(1), Status.PROVED, limit=True)
            return self._frequency(T, T, 1, whole, whole, Number(Fraction(0), Status.PROVED))
        if self._impossible:
            none = Number(Fraction(0), Status.PROVED, limit=True)
            return self._frequency(0, 0, None, none, none, None)
        worst_count = _last(lambda Q: self._fits(_at_end(Q, T)), T)
        spread = _last(lambda Q: self._fits(_apart(Q, T // Q, T)), T)
        # Δt apart at most ⌈T/Δt⌉ happen, and the fewer and the earlier the larger Δt is.
        shortest = T + 1 - _last(lambda k: self._fits(_every(T + 1 - k, T)), T)
        interval = shortest if shortest <= T else None
        even = 0 if interval is None else -(-T // interval)
        return self._frequency(
            worst_count,
            max(worst_count, spread, even),
            interval,
            self._rate(),
            self._probability(),
            self._spare(),
        )

    def _frequency(
        self,
        worst_count: int,
        even: int,
        interval: int | None,
        rate: Number,
        probability: Number,
        spare: Number | None,
    ) -> Frequency:
        event = self._event
        rms = event.number(0)
        means = {"given": event.number(1), "full": rms}
        return Frequency(
            name=event.name,
            direction=event.direction,
            label=event.label,
            rms=rms,
            mean=means.get(self._case, Number(Fraction(0), Status.PROVED)),
            mean_case=self._case,
            count_worst=worst_count,
            count_even=even,
            interval=interval,
            rate=rate,
            probability=probability,
            spare=spare,
        )

    def _fits(self, steps: Progression) -> bool:
        groups, on = placed([steps], self._horizon)
        return self._within(groups, on) is not None

    def _within(self, groups: Groups, on: tuple[bool, ...]) -> Status | None:
        return self._inverter.fits(groups, lambda kind: self._by_group(kind, on))

    def _by_group(self, kind: Arithmetic, on: tuple[bool, ...]) -> list[tuple[Scalar, Scalar]]:
        if kind.name not in self._known:
            lever = Lever(
                self._event.direction,
                self._event.index,
                lambda kind, x: self._moments(kind),
                biased=bool(self._moments(PLAIN)[1] > 0),
                dependence=self._dependence(kind),
            )
            self._known[kind.name] = self._scene.sizes(kind, lever, kind.number(1))[0]
        quiet = self._quiet(kind)
        return [self._known[kind.name] if acts else quiet for acts in on]

    def _quiet(self, kind: Arithmetic) -> tuple[Scalar, Scalar]:
        """Error and bias at a step without the event."""
        if self._without is None:
            return kind.number(0), kind.number(0)
        if kind.name not in self._still:
            levels = self._without.asked.graph.levels(kind)
            forward, backward = levels.forward_centred, levels.backward_centred
            self._still[kind.name] = self._without.moments(
                kind, levels, forward=forward, backward=backward
            )
        return self._still[kind.name]

    def _moments(self, kind: Arithmetic, x: Scalar | None = None) -> tuple[Scalar, Scalar, Scalar]:
        """Those of the site with the event, or with one of probability x for each sample."""
        rms, mean, fourth = self._event.moments(kind)
        if self._case != "given":
            mean = rms if self._case == "full" else kind.number(0)
        if fourth is None:
            fourth = rms
        if x is not None:
            root = kind.sqrt(x)
            rms, mean, fourth = rms * root, mean * x, fourth * kind.sqrt(root)
        if self._without is None:
            return rms, mean, fourth
        own = self._own(kind)
        return rms + own[0], mean + own[1], fourth + own[2]

    def _own(self, kind: Arithmetic) -> tuple[Scalar, Scalar, Scalar]:
        """What acts at the site at every step: it adds in every norm (Minkowski)."""
        levels, index = self._base(kind), self._event.index
        if self._event.direction == "backward":
            return levels.eps[index], levels.n[index], levels.eps[index]
        power = levels.q[index]
        fourth = levels.e[index] if power is None else kind.sqrt(kind.sqrt(power))
        return levels.e[index], levels.m[index], fourth

    def _dependence(self, kind: Arithmetic) -> Dependence:
        own = None if self._without is None else self._base(kind).dependence
        if own is None or self._event.direction == "backward":
            return self._event.dependence
        return min(own[self._event.index], self._event.dependence)

    def _rate(self) -> Number:
        """The expected bound is the one with the weights of :func:`by_chance`."""

        def certain(p: Fraction) -> Status | None:
            return self._within(*by_chance(p, self._horizon))

        def spent(which: object, u: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> object:
            del which
            groups, on = by_chance(rounded_down(float(u[0])), self._horizon)
            return np.array([self._inverter.taken(groups, lambda kind: self._by_group(kind, on))])

        whole = certain(Fraction(1))
        if whole is not None:
            return Number(Fraction(1), self._inverter.status(whole), limit=True)
        u = float(crossing(spent, np.array([-1000.0]), np.array([0.0]))[0])  # type: ignore[arg-type]
        if not np.isfinite(u):
            return Number(Fraction(0), self._inverter.status(Status.PROVED), limit=True)
        found, status = lowered(rounded_down(u), certain)
        return Number(found, self._inverter.status(status or Status.COMPUTED), limit=True)

    def _probability(self) -> Number:
        biased = self._moments(PLAIN)[1] > 0
        lever = Lever(
            self._event.direction, self._event.index, self._moments, biased, self._dependence(PLAIN)
        )
        found = self._inverter.largest(self._scene, [lever], None, [Fraction(1)])[0]
        assert found.size is not None  # noqa: S101 - it has an upper end
        return Number(found.size, found.status, limit=True)

    def _spare(self) -> Number | None:
        groups, on = placed([_at_end(1, self._horizon)], self._horizon)
        if self._inverter.asked.best:
            never = (False,) * len(on)
            taken = self._inverter.taken(groups, lambda kind: self._by_group(kind, on))
            taken -= self._inverter.taken(groups, lambda kind: self._by_group(kind, never))
            if not np.isfinite(taken):
                return None  # beyond float64
            return Number(Fraction(max(taken, 0.0)), self._inverter.status(Status.COMPUTED))

        def share(kind: Arithmetic) -> Scalar:
            bare = self._objective.bound(groups, [self._quiet(kind)] * len(on), kind)
            whole = self._objective.bound(groups, self._by_group(kind, on), kind)
            return (whole - bare) / kind.number(self._objective.slack)

        value, proved = in_best_kind(share, self._inverter.asked.graph.size)
        status = Status.PROVED if proved else Status.COMPUTED
        return Number(value, worst(self._inverter.status(status)))


def _last(fits: Callable[[int], bool], most: int) -> int:
    """The largest k ≤ most with fits(k), given that it holds up to some number and not beyond.

    >>> _last(lambda k: k * k <= 50, 100)
    7
    """
    low, high = 0, most + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def _at_end(count: int, horizon: int) -> Progression:
    """The last steps."""
    return Progression(horizon - count, 1, count)


def _apart(count: int, gap: int, horizon: int) -> Progression:
    """The last of a number of steps that are a gap apart."""
    return Progression(horizon - 1 - (count - 1) * gap, gap, count)


def _every(interval: int, horizon: int) -> Progression:
    """Every so many steps, as many and as late as may be.

    >>> _every(4, 10)
    Progression(start=1, stride=4, length=3)
    """
    return _apart(-(-horizon // interval), interval, horizon)

"""Magnitude budgets: how large perturbations may be, together and one by one."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from boundcalc.arithmetic import Arithmetic, Number, Scalar
from boundcalc.budgets.inversion import Found, Inverter
from boundcalc.budgets.inversion_groups import scheduled, timed
from boundcalc.budgets.inversion_levers import Lever, Scene, alone, shift, silent
from boundcalc.budgets.inversion_search import truncated
from boundcalc.budgets.magnitude_scale import largest_scale
from boundcalc.budgets.magnitude_sites import held_by_site
from boundcalc.budgets.question import Question, highest, lowest
from boundcalc.budgets.results import Allowance, Magnitudes
from boundcalc.graph.numbers import Levels
from boundcalc.graph.parts import Site
from boundcalc.perturbations.schedules import Schedule
from boundcalc.theories.perturbed.families import FAST_OPERATORS, Sharp

Quantity = Literal["rms", "mean"]

#: In the order in which they are answered.
_QUANTITIES: tuple[Quantity, Quantity] = ("rms", "mean")


def magnitudes(asked: Question) -> Magnitudes:
    """The largest common factor of the perturbations, and the largest of each.

    For every site at which a perturbation reaches the gradient, and for its rms and its mean:
    ``alone``, the largest with everything else zero (of a mean: of a deterministic shift,
    rms = mean), and ``given``, the largest with everything else as the spec has it (a mean of
    at most the rms that is given).  Of a site that the spec does not perturb: a perturbation
    that acts at every step, of which nothing is known but these moments.  Several
    perturbations of one site are taken together, as one whose moments are the sums, at the
    steps of the schedule that they share, or at every step.

    Up to 64 operators every number is verified by enclosing the bound there, and is within
    10⁻¹¹ of the largest admissible one, unless samples of a batch share draws: then the bound is
    the one without the average over the batch, and numbers may be smaller.  On longer graphs the
    factor is, and the others are computed; refinements that depend on which perturbations vanish
    may be left out there.

    Raises
    ------
    SpecError
        If the family has no bound for the spec's perturbations.

    Notes
    -----
    O(sites · (N + slot pairs)) per round of the searches, of which there are some ten; 1 000
    operators take about half a minute, 50 some seconds.

    Examples
    --------
    One smooth operator before the loss, all constants 1, 100 steps of 1/4, and a bound that may
    be a tenth larger: 2/(γT) + γ ε² ≤ 1.1 · 2/(γT), so that ε² ≤ 0.008 · 4.

    >>> import boundcalc as bc
    >>> from boundcalc.budgets.question import question
    >>> found = magnitudes(question(bc.build(bc.loads('''
    ... version: 1
    ... name: ten percent
    ... graph:
    ...   uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
    ...   operators: [{id: f1}, {id: f2}]
    ... loss: {smoothness: 1, initial_gap: 1, gradient_noise: 0}
    ... training: {step_size: 1/4, horizon: 100}
    ... budget: {tolerance: 1/10}
    ... '''))))
    >>> for a in found.allowances:
    ...     print(a.direction, a.label, a.quantity, a.alone)
    forward f1 rms 0.125506
    forward f1 mean 0.0565685
    backward f2 rms 0.178885
    backward f2 mean 0.08
    """
    inverter = Inverter(asked)
    scale, scaled_bound, note = largest_scale(inverter)
    notes = [] if note is None else [note]
    if scale is not None and lowest(scale.value) < 1:
        notes.append("the spec's perturbations as they are exceed the target")
    allowances: tuple[Allowance, ...] = ()
    if asked.graph.size > FAST_OPERATORS:
        notes.append(
            f"single sites are searched up to {FAST_OPERATORS} operators; this graph has "
            f"{asked.graph.size}"
        )
    else:
        allowances = _Sites(inverter).allowances()
    if not isinstance(asked.family, Sharp):
        notes.append(
            "alone: the fourth moment is taken as small as it can be, (E‖·‖⁴)^(1/4) = rms; "
            "given: it grows with the rms"
        )
    return Magnitudes(scale, scaled_bound, allowances, tuple(notes))


@dataclass(frozen=True)
class _Answers:
    alone: Found
    given: Found | None


class _Sites:
    """All sites of a graph, with the perturbations that the spec has there."""

    def __init__(self, inverter: Inverter) -> None:
        self._inverter, self._asked = inverter, inverter.asked
        self._graph = inverter.asked.graph
        training = self._graph.spec.training
        assert training is not None  # noqa: S101 - question() asks for it
        self._horizon = training.horizon
        self._sites = self._graph.sites
        self._held = held_by_site(self._graph)
        self._fourth = not isinstance(self._asked.family, Sharp)

    def allowances(self) -> tuple[Allowance, ...]:
        """Forward rms, forward mean, backward rms, backward mean of every site."""
        alone = self._alone()
        given = self._given()
        return tuple(
            self._allowance(site, quantity, alone[j, quantity], given.get((j, quantity)))
            for j, site in enumerate(self._sites)
            for quantity in _QUANTITIES
        )

    def _alone(self) -> dict[tuple[int, Quantity], Found]:
        found: dict[tuple[int, Quantity], Found] = {}
        by_schedule: dict[str, tuple[Schedule, list[int]]] = {}
        for j, held in enumerate(self._held):
            schedule = held.schedule
            by_schedule.setdefault(repr(schedule), (schedule, []))[1].append(j)
        for schedule, members in by_schedule.values():
            groups, on = scheduled(schedule, self._horizon)

            def base(kind: Arithmetic, group: int) -> Levels:
                del group
                return silent(self._graph, kind)

            scene = Scene(groups, base, on, self._inverter.moments, lone=True)
            keys: list[tuple[int, Quantity]] = [(j, q) for j in members for q in _QUANTITIES]
            levers = [self._lone_lever(j, quantity) for j, quantity in keys]
            found.update(zip(keys, self._inverter.largest(scene, levers), strict=True))
        return found

    def _lone_lever(self, j: int, quantity: Quantity) -> Lever:
        site, held = self._sites[j], self._held[j]
        moments = alone if quantity == "rms" else shift
        return Lever(site.direction, site.index, moments, quantity == "mean", held.dependence)

    def _given(self) -> dict[tuple[int, Quantity], Found]:
        found: dict[tuple[int, Quantity], Found] = {}
        if not self._graph.perturbations:
            return found
        groups, active = timed(self._graph, self._horizon)

        def base(kind: Arithmetic, group: int) -> Levels:
            return self._graph.levels(kind, active[group])

        by_steps: dict[tuple[bool, ...], list[int]] = {}
        for j, held in enumerate(self._held):
            by_steps.setdefault(held.acts(active), []).append(j)
        for on, members in by_steps.items():
            scene = Scene(groups, base, on, self._inverter.moments, lone=False)
            keys: list[tuple[int, Quantity]] = [(j, q) for j in members for q in _QUANTITIES]
            made = [self._given_lever(j, quantity) for j, quantity in keys]
            levers, low, high = zip(*made, strict=True)
            answers = self._inverter.largest(scene, levers, low, high)
            found.update(zip(keys, answers, strict=True))
        return found

    def _given_lever(
        self, j: int, quantity: Quantity
    ) -> tuple[Lever, Fraction | None, Fraction | None]:
        """With the smallest and the largest size that go with the other moment."""
        site, held = self._sites[j], self._held[j]
        current = held.current(self._graph)
        if current is None:
            return self._lone_lever(j, quantity), None, None
        rms, mean = current

        def sized(kind: Arithmetic, x: Scalar) -> tuple[Scalar, Scalar, Scalar]:
            e, m, fourth = held.moments(self._graph, kind, fourth=self._fourth)
            return x, m, x if not self._fourth or e == 0 else fourth / e * x

        def moved(kind: Arithmetic, x: Scalar) -> tuple[Scalar, Scalar, Scalar]:
            e, _, fourth = held.moments(self._graph, kind, fourth=self._fourth)
            return e, x, fourth

        if quantity == "rms":
            least = highest(mean.value)
            lever = Lever(site.direction, site.index, sized, least > 0, held.dependence)
            return lever, least if least > 0 else None, None
        most = lowest(rms.value)
        lever = Lever(site.direction, site.index, moved, True, held.dependence)
        return lever, None, truncated(most)

    def _allowance(
        self, site: Site, quantity: Quantity, alone: Found, given: Found | None
    ) -> Allowance:
        held = self._held[self._sites.index(site)]
        current = held.current(self._graph)
        value = None
        if current is not None:
            value = current[0] if quantity == "rms" else current[1]
        notes = held.notes() + _remarks(quantity, alone, given, current is not None)
        if given is not None and self._asked.averaged < self._graph.spec.loss.batch:
            notes.append("given: by the bound without the average over the batch")
        return Allowance(
            direction=site.direction,
            label=site.label,
            quantity=quantity,
            current=value,
            alone=_number(alone),
            given=None if given is None else _number(given),
            note="; ".join(notes) or None,
        )


def _number(found: Found) -> Number | None:
    return None if found.size is None else Number(found.size, found.status, limit=True)


def _remarks(quantity: Quantity, alone: Found, given: Found | None, perturbed: bool) -> list[str]:
    notes = []
    if alone.outcome == "unlimited":
        notes.append("alone any value is admissible")
    elif alone.outcome == "none":
        notes.append("alone none is: the bound jumps as soon as anything is perturbed here")
    if given is None:
        return notes
    if given.outcome == "unlimited":
        notes.append("given the others, too, any value is admissible")
    elif given.outcome == "capped":
        notes.append("given its rms, no larger mean is possible")
    elif given.outcome == "none":
        if quantity == "rms" and perturbed:
            notes.append(
                "given the others and its mean, no rms of at least that mean is admissible"
            )
        elif quantity == "mean" and perturbed:
            notes.append("given the others and its rms, no mean is admissible")
        else:
            notes.append("given the others, none is admissible")
    return notes

"""What a budget answers, as frozen values; every number has its status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from boundcalc.arithmetic import Number
from boundcalc.showing import Plotted, Shown, Tabular

if TYPE_CHECKING:
    from boundcalc.budgets.calibration.results import Calibration
    from boundcalc.budgets.orders.results import RegimeOrders
    from boundcalc.budgets.question import Question

Direction = Literal["forward", "backward"]


@dataclass(frozen=True)
class Allowance:
    """The largest admissible value of one quantity at one site.

    Attributes
    ----------
    direction, label
        The site, as :class:`~boundcalc.graph.Site` names it.
    quantity
        ``rms`` or ``mean``.
    current
        The value in the spec; None where the spec perturbs nothing there.
    alone
        The largest value with everything else zero, rounded down; None where any value is
        admissible, because the bound does not depend on it.
    given
        The largest with the other perturbations, and the other moments of this one, as the
        spec has them; None as for ``alone``, or where the spec has no perturbations.
    note
        What else there is to say, or None: a site without influence, why there is no value.
    """

    direction: Direction
    label: str
    quantity: Literal["rms", "mean"]
    current: Number | None
    alone: Number | None
    given: Number | None
    note: str | None = None


@dataclass(frozen=True)
class Magnitudes:
    """How large perturbations may be.

    Attributes
    ----------
    scale
        The largest common factor of the spec's perturbations; None where there are none, or
        any factor is admissible.
    scaled_bound
        The bound at that factor.
    allowances
        Forward rms, forward mean, backward rms, backward mean of every site.
    notes
        What holds for all of them, and why something is missing.
    """

    scale: Number | None
    scaled_bound: Number | None
    allowances: tuple[Allowance, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Frequency:
    """How often an event of fixed magnitude may happen.

    Attributes
    ----------
    name, direction, label
        The event and its site.
    rms, mean
        Its magnitude.
    mean_case
        ``given``: with that mean; ``zero``: as if its mean were zero; ``full``: as if its mean
        were as large as its rms.
    count_worst
        Most occurrences among the horizon's steps, wherever they fall; the horizon itself
        where every step may have one.
    count_even
        Most occurrences that are evenly spread.
    interval
        The smallest Δt of one event every Δt steps; None where not even one is admissible.
    rate
        Largest probability per step, all samples of the batch being hit together.
    probability
        Largest probability per step and sample, drawn for each sample (the key
        ``probability`` of a perturbation).
    spare
        How much of the tolerance one event takes: (bound with one, at the worst step, −
        unperturbed bound) / (target − unperturbed bound); None where a format does not hold the
        values that the event makes, or where it is beyond float64.
    """

    name: str
    direction: Direction
    label: str
    rms: Number
    mean: Number
    mean_case: Literal["given", "zero", "full"]
    count_worst: int
    count_even: int
    interval: int | None
    rate: Number
    probability: Number
    spare: Number | None


@dataclass(frozen=True)
class SiteBits:
    """What one site gets of an allocation.

    Attributes
    ----------
    direction, label, size
        The site and its number of components.
    weight
        Cost of one bit there.
    magnitude
        Half the range of the quantiser: at most this is every component.
    bits
        The integer number of bits.
    continuous
        The bits of the real-valued optimum.
    rms, mean
        Of the quantiser with ``bits``.
    price
        Dual price at the real-valued optimum: by how much, relative to the bound's slack over
        the unperturbed one, one more bit here lowers the bound; equal to weight / multiplier
        where no limit on the bits is active.
    saving
        The bound that one more bit here would give.
    """

    direction: Direction
    label: str
    size: int
    weight: Number
    magnitude: Number
    bits: int
    continuous: Number
    rms: Number
    mean: Number
    price: Number
    saving: Number


@dataclass(frozen=True)
class Allocation:
    """Bits of uniform quantisers, spread over the sites.

    Attributes
    ----------
    sites
        In the order of the graph's sites; those whose range is unknown are in ``left_out``.
    cost
        Σ weight · bits.
    relaxed_cost
        A lower bound, by weak duality, on the cost of real-valued bits in the convex programme,
        which takes the same side of every refinement everywhere.
    uniform_bits, uniform_cost
        The least equal number of bits that is admissible, and what it costs; None if none is.
    bound
        At the integer assignment.
    curve
        Trade-off: (cost, bound) at optimal real-valued allocations for a range of targets.
    left_out
        Site label → why it gets no bits.
    lower_cost
        No admissible assignment of integer bits costs less; None where the step is chosen anew
        for each level.
    multiplier
        What lowering the bound by the whole slack over the unperturbed one is worth, in cost.
    """

    sites: tuple[SiteBits, ...]
    cost: Number
    relaxed_cost: Number
    uniform_bits: int | None
    uniform_cost: Number | None
    bound: Number
    curve: tuple[tuple[Number, Number], ...]
    left_out: Mapping[str, str] = field(default_factory=dict)
    lower_cost: Number | None = None
    multiplier: Number | None = None


@dataclass(frozen=True)
class SiteFormat:
    """The number format of one site.

    Attributes
    ----------
    format
        Its name, or None where no candidate holds the range (``note`` says why).
    bits
        Per component.
    rms, mean
        Of rounding to it over the site's range.
    """

    direction: Direction
    label: str
    size: int
    format: str | None
    rounding: str
    bits: Number | None
    rms: Number | None
    mean: Number | None
    note: str | None = None


@dataclass(frozen=True)
class Formats:
    """The cheapest admissible number format of each activation and gradient.

    Attributes
    ----------
    cost
        Bits per sample.
    bound
        The bound that results; None where some site has no admissible format.
    lower_cost
        No admissible assignment of candidates costs less; equal to ``cost`` where the
        assignment is proved to be the cheapest.
    target
        What the bound with the formats may be: less than the budget's target where events are
        to have a share.
    frequencies
        How often each event of the budget may happen on top of the formats.
    """

    sites: tuple[SiteFormat, ...]
    cost: Number | None
    bound: Number | None
    lower_cost: Number | None
    target: Number | None = None
    frequencies: tuple[Frequency, ...] = ()


@dataclass(frozen=True)
class Budget(Shown, Tabular, Plotted):
    """Everything that a spec's ``budget`` section asks for.

    Attributes
    ----------
    question
        Regime, family, unperturbed bound and target.
    orders
        Regime → asymptotic orders.
    allocation, formats, calibration
        None unless they were asked for; ``notes`` say why one could not be made.
    """

    question: Question
    magnitudes: Magnitudes
    frequencies: tuple[Frequency, ...]
    orders: Mapping[str, RegimeOrders]
    allocation: Allocation | None
    formats: Formats | None
    calibration: Calibration | None
    notes: tuple[str, ...]

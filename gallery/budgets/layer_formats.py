"""Which formats does a layer bear? fp8, bf16 and int4 side by side."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import boundcalc as bc
from gallery.base import Check, Entry

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SPEC = """\
version: 1
name: One layer
graph:
  operators:
    - {id: layer, type: dense, units: 2, region: {weight: 2}}
    - {id: act, type: tanh}
    - {id: loss, type: cross_entropy}
loss: {smoothness: 4, initial_gap: log(2), gradient_noise: 1/10, batch: 50}
perturbations:
  - {at: act, pass: forward, model: uniform, half_width: 1/50}
training: {step_size: 1/10, horizon: 50}
simulation:
  data: {generator: uniform, samples: 50, dimension: 3, seed: 1, low: -1, high: 1, classes: 2}
budget: {tolerance: 1/10}
"""

ENTRY = Entry(
    title="fp8, bf16 and int4 for a layer's activations and gradients",
    topic="budgets",
    statement=r"""
A dense layer, tanh and cross-entropy: two activations and two gradients are rounded,
stochastically, to one format each. The bound with the formats in place is a bound like any other,
regions enlarged by rounding included. It may be a tenth above the bound without rounding: bf16,
fp16 and fp8_e4m3 stay below, fp4_e2m1 and int4 do not. What `boundcalc budget --formats` chooses,
the cheapest admissible choice for each value, meets the target when it is built in, and costs no
more bits than any single admissible format everywhere.
""",
    theorem="docs/theory.md, section 8.1 and Theorem 6.1",
    link="budgets.md#number-formats",
    kind="upper",
    reference="Formats: Open Compute Project, OFP8, revision 1.0, and MX, version 1.0, 2023.",
    spec=SPEC,
    command="budget --formats",
)

SITES = (("layer", "forward"), ("act", "forward"), ("act", "backward"), ("loss", "backward"))
WIDTHS = {"bf16": 16, "fp16": 16, "fp8_e4m3": 8, "fp8_e5m2": 8, "int8": 8, "int4": 4, "fp4_e2m1": 4}


def bound(formats: list[str]) -> float:
    """The nonconvex bound with one format for each site; name:scaling for scaled ones."""
    lines = "perturbations:\n"
    for (at, side), name in zip(SITES, formats, strict=True):
        form, _, scaling = name.partition(":")
        extra = f", scaling: {scaling}" if scaling else ""
        lines += (
            f"  - {{at: {at}, pass: {side}, model: number_format, format: {form}, "
            f"rounding: stochastic{extra}}}\n"
        )
    head, rest = SPEC.split("perturbations:\n")
    return float(bc.rates(bc.loads(head + lines + rest.split("\n", 1)[1])).nonconvex["sharp"].bound)


def scaled(name: str) -> str:
    """Small formats need a scale that follows the values."""
    return name if name in ("bf16", "fp16", "fp8_e4m3", "fp8_e5m2") else f"{name}:tensor"


def checks() -> Iterator[Check]:
    """Every format against the target, and the choice."""
    found = bc.budget(bc.loads(SPEC), formats=True)
    target = float(found.question.target)
    plain = 2 * 0.6931471805599453 / (50 / 10) + 4 / 10 / 100
    yield Check(
        "target: a tenth above $2\\Delta_0/(\\gamma T) + L\\gamma\\sigma^2$",
        target,
        1.1 * plain,
        rel=1e-12,
    )
    for name, relation in (
        ("bf16", "at most"),
        ("fp16", "at most"),
        ("fp8_e4m3", "at most"),
        ("int4", "at least"),
        ("fp4_e2m1", "at least"),
    ):
        yield Check(f"{name} everywhere", bound([scaled(name)] * 4), target, relation)
    chosen = [site.format for site in found.formats.sites]
    yield Check("the choice, built in", bound(chosen), target, "at most")
    yield Check("bits of the choice", float(found.formats.cost), 4 * 2 * 8, "at most")


def figure() -> "Figure":
    """The bound by format, with the target."""
    from boundcalc.report.plots import LOOKS, panels, style

    with style():
        found, (panel,) = panels(1, 3.0)
        plain = 2 * 0.6931471805599453 / 5 + 0.004
        values = {name: 100 * (bound([scaled(name)] * 4) / plain - 1) for name in WIDTHS}
        panel.bar(list(values), list(values.values()), color=LOOKS["sharp"].colour)
        panel.axhline(10, linestyle="--", color="#000000")
        panel.text(-0.4, 12, "target")
        panel.set_yscale("log")
        panel.set_ylabel("per cent above no rounding")
        panel.tick_params(axis="x", labelrotation=20)
    return found

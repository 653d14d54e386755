"""What the number formats hold: published extremes."""

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from boundcalc.perturbations.formats.table import FORMATS
from gallery.base import Check, Entry

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENTRY = Entry(
    title="bf16, fp8, fp6, fp4 and int4: unit roundoff and range",
    topic="budgets",
    statement=r"""
A binary format with $p$ digits has the unit roundoff $2^{-p}$; neighbours in $[1, 2)$ are
$2^{1-p}$ apart, and below the smallest normal number the distance stays what it is there.
fp8_e4m3 and the fp6 and fp4 formats give up infinities, so that their largest numbers are 448,
28, 7.5 and 6. Integer formats have the numbers $-\mathrm{top}, \dots, \mathrm{top}$: $\pm7$ in
int4. All of this enters bounds as exact fractions.
""",
    theorem="OFP8 and MX of the Open Compute Project; IEEE 754-2019",
    link="budgets.md#number-formats",
    kind="exact",
    reference="Open Compute Project, OCP 8-bit floating point specification (OFP8), revision 1.0, "
    "2023; OCP microscaling formats (MX) specification, version 1.0, 2023; IEEE Std "
    "754-2019.",
)

#: Format: digits, largest number, smallest normal number, smallest number.
PUBLISHED = {
    "bf16": (8, (2 - Fraction(1, 2**7)) * 2**127, Fraction(1, 2**126), Fraction(1, 2**133)),
    "fp16": (11, Fraction(65504), Fraction(1, 2**14), Fraction(1, 2**24)),
    "fp8_e4m3": (4, Fraction(448), Fraction(1, 2**6), Fraction(1, 2**9)),
    "fp8_e5m2": (3, Fraction(57344), Fraction(1, 2**14), Fraction(1, 2**16)),
    "fp6_e3m2": (3, Fraction(28), Fraction(1, 4), Fraction(1, 16)),
    "fp6_e2m3": (4, Fraction(15, 2), Fraction(1), Fraction(1, 8)),
    "fp4_e2m1": (2, Fraction(6), Fraction(1), Fraction(1, 2)),
}


def checks() -> Iterator[Check]:
    """Every number of the table."""
    for name, (digits, largest, normal, smallest) in PUBLISHED.items():
        form = FORMATS[name]
        yield Check(f"{name}: twice the unit roundoff", form.spacing, Fraction(2, 2**digits))
        yield Check(f"{name}: largest number", form.largest, largest)
        yield Check(f"{name}: smallest normal number", form.normal, normal)
        yield Check(f"{name}: smallest number", form.step, smallest)
    yield Check("int4: largest number", FORMATS["int4"].largest, 7)
    yield Check("int8: largest number", FORMATS["int8"].largest, 127)


def figure() -> "Figure":
    """Relative distance of neighbours by size."""
    from boundcalc.report.plots import panels, style

    with style():
        found, (panel,) = panels(1, 3.2)
        colours = {
            "bf16": "#0072B2",
            "fp16": "#000000",
            "fp8_e4m3": "#D55E00",
            "fp8_e5m2": "#009E73",
            "fp4_e2m1": "#CC79A7",
        }
        for name, colour in colours.items():
            form, at, gaps = FORMATS[name], [], []
            for e in range(-26, 17):
                low = Fraction(2) ** e
                if low < form.step or low > form.largest:
                    continue
                gap = max(form.step, form.spacing * low)
                at += [e, e + 0.98]
                gaps += [float(gap / low), float(gap / low / Fraction(197, 100))]
            panel.semilogy(at, gaps, color=colour, linewidth=1.2)
            panel.text(at[-1] + 0.4, gaps[-1], name, va="center", color=colour)
        panel.set_xlabel("exponent $e$ of a number in $[2^e, 2^{e+1})$")
        panel.set_ylabel("relative distance")
        panel.set_xlim(-27, 23)
        panel.set_ylim(1e-4, 3)
    return found

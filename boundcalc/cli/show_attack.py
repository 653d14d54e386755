"""An attack on the terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from boundcalc.arithmetic.number import format_bound, format_limit
from boundcalc.cli.tables import make_table, new_console, print_line, print_table
from boundcalc.graph import OperatorGraph
from boundcalc.verify.adversary import Attack

_WORDS = {
    "error": "E‖ũ − u‖²",
    "bias": "‖E[ũ − u]‖²",
    "floor": "E[ℓ(w^T) − ℓ*]",
}


def show_attack(graph: OperatorGraph, attack: Attack, files: Sequence[Path]) -> None:
    """The fraction of every family's bound, what is beaten, and where the instance is."""
    console = new_console()
    table = make_table(
        f"{graph.name}: largest {_WORDS[attack.objective]} found",
        "family",
        "attained",
        "bound",
        "√(attained/bound)",
        "status",
    )
    for name, bound in attack.bounds.items():
        table.add_row(
            name,
            attained_text(attack),
            format_bound(bound),
            fraction_text(attack.fractions[name]),
            "violated" if name in attack.violated else "not beaten",
        )
    print_table(console, table)
    kind = (
        "computed: the sum over all outcomes of the noise"
        if attack.uncertainty == 0
        else "sampled, with the half-width of a 99.9 % interval"
    )
    print_line(console, f"attained is {kind}; it is a lower bound on the worst case")
    print_line(
        console,
        f"{attack.evaluations} candidates from {attack.starts} starts, seed {attack.seed}",
    )
    for note in attack.notes:
        print_line(console, f"note: {note}", style="yellow")
    for name in attack.violated:
        print_line(console, f"the {name} bound is violated by the instance", style="bold red")
    for file in files:
        print_line(console, f"wrote {file}")
    if not files:
        print_line(console, "with -o DIR the instance is saved as a spec that runs")


def attained_text(attack: Attack) -> str:
    """The attained value, rounded down, since it is a lower bound; with ± where sampled."""
    if attack.uncertainty:
        return f"{attack.attained:.4g} ± {attack.uncertainty:.1g}"
    return format_limit(attack.attained, 5)


def fraction_text(value: float) -> str:
    """A fraction, or that the bound is 0.

    >>> fraction_text(0.5), fraction_text(math.inf)
    ('0.5', 'above 0')
    """
    return "above 0" if math.isinf(value) else format_limit(value, 4)

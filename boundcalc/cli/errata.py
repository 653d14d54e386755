"""``boundcalc errata``."""

from __future__ import annotations

from boundcalc.cli.common import AsJson, print_json


def errata(as_json: AsJson = False) -> None:
    """What is wrong in print, with its status."""
    from dataclasses import asdict

    from boundcalc.theories.perturbed.errata import ERRATA

    if as_json:
        print_json({"errata": [asdict(erratum) for erratum in ERRATA]})
        return
    from boundcalc.cli.show import show_errata

    show_errata(ERRATA)

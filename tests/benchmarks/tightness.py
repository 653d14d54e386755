"""How much of each family's bound is attained: the table of docs/adversary.md.

``python tests/benchmarks/tightness.py`` evaluates the stored instances again, holds them
against the bounds as they are now, and writes the table into docs/adversary.md (seconds).
``--search`` looks for the instances anew first, from the same seeds (minutes on one core).
"""

from __future__ import annotations

import datetime
import json
import re
import sys
import time
from itertools import product
from pathlib import Path

import boundcalc as bc
from boundcalc.theories.perturbed.families import FAMILIES
from boundcalc.verify.adversary import search
from boundcalc.verify.adversary.functions import exact_value

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests/golden/tightness.json"
PAGE = ROOT / "docs/adversary.md"
BEGIN, END = "<!-- tightness: begin -->", "<!-- tightness: end -->"

CONSTANTS = ("0.5", "0.9", "1", "1.3")
SIZES = (2, 3, 5, 8, 12)
LEVELS = {"1": CONSTANTS, "0.1": ("1",)}  # e_j for all j, and the constants it is tried with
NOISES = ("general", "zero-mean")
OBJECTIVES = ("error", "bias")
STARTS = {2: 3, 3: 3, 5: 2, 8: 1, 12: 1}


def spec(size: int, constant: str, level: str, noise: str) -> str:
    """A chain with all seven constants equal, and δ_j of one size after every operator."""
    mean = level if noise == "general" else "0"
    operators = ", ".join(f"{{id: f{i}}}" for i in range(1, size + 1))
    sites = ", ".join(f"f{i}" for i in range(1, size))
    c = constant
    return f"""version: 1
name: N = {size}, C = {c}, e = {level}, {noise}
graph:
  uniform: {{jac: {c}, lip: {c}, hess: {c}, hess_op: {c}, third: {c}}}
  operators: [{operators}]
perturbations:
  - {{at: [{sites}], pass: forward, rms: {level}, mean: {mean}, fourth: {level}}}
"""


def cases():
    """(level, noise, objective, constant, size) of every entry, the quick ones first."""
    for noise, level in product(NOISES, LEVELS):
        for objective, size, constant in product(OBJECTIVES, SIZES, LEVELS[level]):
            yield level, noise, objective, constant, size


def key(*case: object) -> str:
    return " ".join(str(part) for part in case)


def search_all() -> dict[str, str]:
    """Instances by case; what an interrupted search of today found is kept."""
    found = dict(read().get("instances", {})) if read().get("partial") == today() else {}
    for level, noise, objective, constant, size in cases():
        began = time.perf_counter()
        name = key(level, noise, objective, constant, size)
        if name in found:
            continue
        graph = bc.build(bc.loads(spec(size, constant, level, noise)))
        attack = search(graph, objective=objective, starts=STARTS[size], seed=size)
        found[name] = attack.instance
        write({"partial": today(), "instances": found})
        seconds = time.perf_counter() - began
        print(f"{name}: {attack.fractions['sharp']:.4f} in {seconds:.1f} s", file=sys.stderr)
    return found


def today() -> str:
    return datetime.datetime.now(tz=datetime.UTC).date().isoformat()


def read() -> dict[str, object]:
    return json.loads(DATA.read_text(encoding="utf-8")) if DATA.exists() else {}


def write(stored: dict[str, object]) -> None:
    DATA.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")


def fractions(stored: dict[str, str]) -> dict[str, dict[str, float]]:
    """√(attained/bound) by case and family, from the instances and the present bounds."""
    found = {}
    for level, noise, objective, constant, size in cases():
        name = key(level, noise, objective, constant, size)
        attained = exact_value(bc.build(bc.loads(stored[name])), bias=objective == "bias")
        graph = bc.build(bc.loads(spec(size, constant, level, noise)))
        found[name] = {}
        for family in FAMILIES:
            bounds = FAMILIES[family].bounds(graph)
            bound = bounds.error if objective == "error" else bounds.bias
            found[name][family] = (attained / float(bound)) ** 0.5
    return found


def shown(value: float) -> str:
    """Three decimals, rounded down (but for a millionth); small ones with two digits."""
    if value < 0.0095:
        return f"{value:.1e}".replace("e-0", "e-")
    return f"{int(value * 1000 + 1e-3) / 1000:.3f}"


def table(found: dict[str, dict[str, float]]) -> str:
    """The tables as Markdown."""
    lines = []
    for level, noise, objective in product(LEVELS, NOISES, OBJECTIVES):
        lines += [
            f"**{objective}, {noise} noise, e_j = {level}** (published / corrected / sharp)",
            "",
            "| C | " + " | ".join(f"N = {n}" for n in SIZES) + " |",
            "|---|" + "---|" * len(SIZES),
        ]
        for constant in LEVELS[level]:
            cells = []
            for size in SIZES:
                values = found[key(level, noise, objective, constant, size)]
                cells.append(" / ".join(shown(values[family]) for family in FAMILIES))
            lines.append(f"| {constant} | " + " | ".join(cells) + " |")
        lines.append("")
    return "\n".join(lines)


def gaps() -> str:
    """The printed over the sharp bound on E‖ũ − u‖², all constants and e_j equal to 1."""
    cells = []
    sizes = (2, 5, 10, 50)
    for size in sizes:
        graph = bc.build(bc.loads(spec(size, "1", "1", "general")))
        published = float(FAMILIES["published"].bounds(graph).error)
        sharp = FAMILIES["sharp"].bounds(graph)
        plain, best = float(sharp.error_plain), float(sharp.error)
        cells.append((f"{published / plain:.3g}", f"{published / best:.3g}"))
    head = "| printed ζ² over | " + " | ".join(f"N = {n}" for n in sizes) + " |"
    rows = (
        ("sharp, plain recurrences", 0),
        ("sharp, with refinements", 1),
    )
    body = [f"| {title} | " + " | ".join(cell[k] for cell in cells) + " |" for title, k in rows]
    return "\n".join([head, "|---|" + "---|" * len(sizes), *body])


def write_page(text: str) -> None:
    """Put the tables between the two marks."""
    page = PAGE.read_text(encoding="utf-8")
    pattern = re.compile(f"{BEGIN}.*?{END}", re.S)
    assert pattern.search(page), f"{PAGE} has no marks"
    page = pattern.sub(lambda _: f"{BEGIN}\n\n{text}\n{END}", page)
    PAGE.write_text(page, encoding="utf-8")


def main() -> None:
    if "--search" in sys.argv:
        write({"date": today(), "instances": search_all()})
    stored = read()
    text = f"Instances found on {stored['date']}.\n\n{table(fractions(stored['instances']))}"
    write_page(f"{text}\n{gaps()}\n")
    print(text)
    print(gaps())


if __name__ == "__main__":
    main()

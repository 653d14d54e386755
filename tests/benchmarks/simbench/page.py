"""The section of docs/benchmarks.md on simulation, from the numbers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from simbench.tools import TOOLS

BEGIN, END = "<!-- simulation: begin -->", "<!-- simulation: end -->"
TITLES = {
    "logistic": "Logistic regression, M = 2 000, R = 64, d = 10",
    "network": "Six tanh layers of 64, M = 512, R = 8",
}
PANELS = {
    "steps": "steps of a run (logistic, R = 8)",
    "replicas": "replicas (logistic)",
    "depth": "hidden layers of 64",
    "width": "units of each of six layers",
}


def rewrite(page: Path, found: dict[str, Any]) -> None:
    """Replace what stands between the markers."""
    block = f"{BEGIN}\n{section(found)}\n{END}"
    pattern = re.escape(BEGIN) + ".*?" + re.escape(END)
    text, count = re.subn(
        pattern, lambda _: block, page.read_text(encoding="utf-8"), flags=re.DOTALL
    )
    assert count == 1, f"{page} has no {BEGIN} … {END}"
    page.write_text(text, encoding="utf-8")


def section(found: dict[str, Any]) -> str:
    parts = [
        conditions(found["about"]),
        "![Time per step of every tool](images/bench-step.png)",
        *(step_table(kind, found["reference"][kind]) for kind in TITLES),
        targets(found["reference"]),
        agreement(found["check"]),
        "### Against steps, replicas, depth and width\n\n"
        "![Time against four sizes](images/bench-scaling.png)",
        "ns per sample, replica and step, two threads:\n\n" + axis_table(found),
        "### Memory\n\n![Memory](images/bench-memory.png)",
        memory_table(found["memory"]),
        "### Sweeps",
        sweep_table(found["sweeps"]),
    ]
    return "\n\n".join(part for part in parts if part)


def conditions(about: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {text}" for name, text in about["versions"].items() if text)
    return (
        f"{about['date']}, {about['cores']} cores of an {about['processor']}, "
        f"{about['system']}, CPython {about['python']}, {versions}; {about['compiler']}. "
        "One command measures, draws and writes this section: "
        "`python tests/benchmarks/simulation.py`; all numbers are in "
        "[simulation.json](benchmarks/simulation.json). Every tool runs in a process of its own, "
        "in turns, one at a time, the others stopped. Times are the best of all rounds, the "
        "median and the slowest beside them. BLAS and OpenMP use as many threads as the column "
        "says, or one where a tool divides the replicas itself (both engines, tuned NumPy, "
        "numba, C). float64 everywhere; every tool draws its own random numbers, fresh for every "
        "sample and step, and records nothing along the way; `boundcalc, recording` is the "
        "compiled engine with exact loss and gradient norm at every step."
    )


def digits(value: float) -> str:
    """Three digits, without an exponent.

    >>> digits(0.0012345), digits(29345.6)
    ('0.00123', '29 300')
    """
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}".replace(",", " ") if rounded >= 1000 else f"{rounded:.3g}"


def milliseconds(seconds: float) -> str:
    return digits(1e3 * seconds)


def step_table(kind: str, part: dict[str, Any]) -> str:
    two, one = part.get("2", {}), part["1"]
    main = two or one
    lines = [
        f"{TITLES[kind]}; ms per step:",
        "",
        "| | two threads | median | slowest | one thread | speed-up | "
        "ns per sample·replica·step | first call, s (compiled before, where the tool keeps it) |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name in sorted(main, key=lambda name: main[name]["best"]):
        times, single = main[name], one.get(name) if two else None
        cells = [
            *(milliseconds(times[key]) for key in ("best", "median", "worst")),
            milliseconds(single["best"]) if single else "",
            f"{single['best'] / times['best']:.2f}" if single else "",
            digits(1e9 * times["best"] / part["elements"]),
            f"{times['first']:.2g}",
        ]
        lines.append(f"| {TOOLS[name].label} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def targets(reference: dict[str, Any]) -> str:
    """Ratios to both engines, in words."""
    lines = []
    for kind, title in TITLES.items():
        times = reference[kind].get("2") or reference[kind]["1"]
        for engine in ("boundcalc-compiled", "boundcalc-numpy"):
            if engine not in times:
                continue
            others = [name for name in times if not TOOLS[name].label.startswith("boundcalc")]
            ratios = ", ".join(
                f"{times[name]['best'] / times[engine]['best']:.2g} ({TOOLS[name].label})"
                for name in sorted(others, key=lambda name: times[name]["best"])
            )
            what = f"{title.split(',')[0]}, time of the others over `{TOOLS[engine].label}`"
            lines.append(f"- {what}: {ratios}.")
    return "\n".join(lines)


def agreement(check: dict[str, Any]) -> str:
    quiet = max(part["quiet"] for tool in check.values() for part in tool.values())
    mean = max(part["mean"] for tool in check.values() for part in tool.values())
    variance = max(part["variance"] for tool in check.values() for part in tool.values())
    return (
        "Before anything is timed every tool takes four steps of a small problem of each kind: "
        f"without noise its weights differ from loops over everything by at most {quiet:.1e}; "
        "with large noise, over 4 000 replicas, the means of its gradients lie within "
        f"{mean:.1f} standard errors of those of plain NumPy and their variances within "
        f"{100 * variance:.0f} percent, which noise that is missing, of another size, or shared "
        "by samples, replicas or steps would not."
    )


def axis_table(found: dict[str, Any]) -> str:
    names = [name for name, tool in TOOLS.items() if not tool.extra]
    names = [
        name
        for name in names
        if any(name in point["times"] for panel in PANELS for point in found[panel].values())
    ]
    lines = [
        "| | " + " | ".join(TOOLS[name].label for name in names) + " |",
        "|---|" + "---:|" * len(names),
    ]
    for panel, label in PANELS.items():
        for value, point in found[panel].items():
            cells = [
                digits(1e9 * point["times"][name]["best"] / point["elements"])
                if name in point["times"]
                else ""
                for name in names
            ]
            lines.append(f"| {label}: {value} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def memory_table(memory: dict[str, Any]) -> str:
    names = list(dict.fromkeys(name for part in memory.values() for name in part))
    lines = [
        "Largest resident memory of a process that does nothing but one of the two problems, "
        "MiB; in brackets what it held before it imported the tool:",
        "",
        "| | logistic | network |",
        "|---|---:|---:|",
    ]
    for name in names:
        cells = [
            f"{part[name]['peak'] / 2**20:.0f} ({part[name]['before'] / 2**20:.0f})"
            if name in part
            else ""
            for part in (memory["logistic"], memory["network"])
        ]
        lines.append(f"| {TOOLS[name].label} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def sweep_table(sweeps: dict[str, Any]) -> str:
    few, many = sweeps["counts"]
    alone = sweeps["ways"]["simulation"]["each"]
    lines = [
        f"Points of almost no work (two steps of four samples, {1e3 * alone:.1f} ms by "
        f"themselves), so that what is left is the sweep's own; from sweeps of {few} and {many} "
        "points, the best of two each:",
        "",
        "| points run in | start, s | ms for each point |",
        "|---|---:|---:|",
    ]
    for way, part in sweeps["ways"].items():
        if way != "simulation":
            lines.append(f"| {way} | {part['start']:.2f} | {1e3 * part['each']:.1f} |")
    return "\n".join(lines)

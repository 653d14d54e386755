"""One entry as a page in Markdown (MyST)."""

from __future__ import annotations

import re
from fractions import Fraction

from gallery.base import Check, Entry
from gallery.registry import TOPICS, Found
from gallery.tools import text_of

#: What each kind says about the stated number.
KINDS = {
    "tight": "the stated number is attained, or approached, by an instance",
    "upper": "the stated number is an upper bound",
    "lower": "the stated number is a lower bound: an instance reaches it",
    "exact": "the stated number is the value itself",
    "counterexample": "an instance that refutes a statement, or shows that a hypothesis is needed",
}
_SIGNS = {"equals": "=", "at most": "≤", "at least": "≥"}
_LONG = 24  # letters of a fraction that is written out


def page(found: Found, entry: Entry, checks: tuple[Check, ...], figure: str = "") -> str:
    """The page of an entry whose checks have been run.

    Parameters
    ----------
    figure
        What its figure shows, in words; empty where it has none.
    """
    heading = TOPICS[found.topic][0]
    parts = [
        f"# {entry.title}",
        f"[Gallery](index.md) › {heading} · **{entry.theorem}** · "
        f"*{entry.kind}*: {KINDS[entry.kind]}",
        entry.statement.strip(),
    ]
    if figure:
        parts.append(f"![{_plain(figure)}](images/{found.slug}.png)")
    parts += ["## Computed and stated", _table(checks), _legend(checks)]
    if entry.spec:
        parts += ["## The spec", *_spec(found, entry)]
    parts += [
        "## Proof and reference",
        f"[{entry.theorem}: statement and proof](../{entry.link})",
        entry.reference.strip(),
        _source(found),
    ]
    return "\n\n".join(parts) + "\n"


def shown(number: Fraction | float) -> str:
    """A number as a table shows it.

    >>> shown(Fraction(225, 4)), shown(0.1), shown(Fraction(22))
    ('225/4', '0.1', '22')
    """
    from boundcalc.arithmetic.number import format_number

    if isinstance(number, int):
        number = Fraction(number)
    if isinstance(number, Fraction) and len(str(number)) <= _LONG:
        return str(number)
    return format_number(number, 10)


def _table(checks: tuple[Check, ...]) -> str:
    rows = [
        f"| {cell(check.says)} | {shown(check.computed)} | {_sign(check)} | "
        f"{shown(check.stated)} | {_agreement(check)} |"
        for check in checks
    ]
    head = ["| what | computed | is | stated | how |", "|---|---:|:-:|:---|---|"]
    return "\n".join([*head, *rows])


def _sign(check: Check) -> str:
    """What stands between the numbers; ≈ for what is equal up to a tolerance."""
    return "≈" if check.relation == "equals" and check.rel else _SIGNS[check.relation]


def _agreement(check: Check) -> str:
    if not check.holds:
        return "**does not hold**"
    if check.sampled:
        return f"sampled: {cell(check.sampled)}"
    status = "exact" if isinstance(check.computed, Fraction | int) else "computed"
    if check.why:
        return f"{status}; {cell(check.why)}"
    return f"{status}, to {check.rel:g}" if check.rel and check.relation == "equals" else status


def _legend(checks: tuple[Check, ...]) -> str:
    words = ["*Exact*: in fractions, or by enumeration. *Computed*: in floating point."]
    if any(check.sampled for check in checks):
        words.append("*Sampled*: from draws.")
    if any(check.relation != "equals" for check in checks):
        words.append("≤ and ≥ hold as written.")
    return " ".join(words)


def cell(text: str) -> str:
    r"""Text with formulas for a cell of a table, where a bar would end the cell.

    >>> print(cell("a $|x|$ b | c"))
    a $\vert x\vert $ b \| c
    """
    parts = text.replace("\n", " ").split("$")
    for i, part in enumerate(parts):
        inside = re.sub(r"\\\|", r"\\Vert ", part) if i % 2 else part
        parts[i] = inside.replace("|", r"\vert " if i % 2 else r"\|")
    return "$".join(parts)


def _plain(text: str) -> str:
    return re.sub(r"[\[\]`]", "", text)


def _spec(found: Found, entry: Entry) -> list[str]:
    from boundcalc.resources import examples

    name = found.slug.replace("_", "-") if "\n" in entry.spec else entry.spec
    verb, *options = entry.command.split()
    command = " ".join(["$ boundcalc", verb, f"{name}.yaml", *options])
    lines = [command]
    if entry.spec in examples():
        lines.insert(0, f"$ boundcalc examples {name} > {name}.yaml")
    shell = "\n".join(lines)
    return [
        f"`{name}.yaml`:",
        f"```yaml\n{text_of(entry.spec)}```",
        f"```console\n{shell}\n```",
    ]


def _source(found: Found) -> str:
    code = found.path.read_text(encoding="utf-8")
    where = f"gallery/{found.topic}/{found.slug}.py"
    return f"````{{dropdown}} The whole entry: {where}\n```python\n{code}```\n````"

"""``boundcalc --version`` and ``boundcalc --cite``."""

from __future__ import annotations

import re
from typing import Any

import typer

#: What numbers and files depend on, besides Python.
_PACKAGES = (
    "numpy", "scipy", "sympy", "mpmath", "python-flint", "networkx", "pydantic", "pyyaml",
    "jinja2", "matplotlib", "typer", "rich",
)  # fmt: skip
_OPTIONAL = ("numba", "dask", "onnx", "torch", "safetensors", "pandas", "xarray")


def version(wanted: bool) -> None:
    """The version; below it those of Python and of what is installed."""
    if wanted:
        import boundcalc

        typer.echo(f"boundcalc {boundcalc.__version__}")
        for line in dependencies():
            typer.echo(f"  {line}")
        raise typer.Exit


def dependencies() -> list[str]:
    """Python with its platform, packages that are needed, and optional ones that are there."""
    import platform
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as version_of

    found = [f"python {platform.python_version()} ({platform.system()} {platform.machine()})"]
    for package in (*_PACKAGES, *_OPTIONAL):
        try:
            found.append(f"{package} {version_of(package)}")
        except PackageNotFoundError:
            if package in _PACKAGES:
                found.append(f"{package} is missing")
    return found


def cite(wanted: bool) -> None:
    """The BibTeX entries of the software and of the paper that it evaluates."""
    if wanted:
        from boundcalc.resources import citation

        typer.echo(bibtex(citation()))
        raise typer.Exit


def bibtex(text: str) -> str:
    r"""A CITATION.cff as BibTeX: the software, then its references.

    >>> made = bibtex('title: "A & B"\nauthors: [{name: We}]\ndate-released: "2026-01-02"')
    >>> for line in made.splitlines()[:3]:
    ...     print(line)
    @software{boundcalc2026,
      title   = {A \& B},
      author  = {{We}},
    """
    import yaml

    import boundcalc

    found = yaml.safe_load(text)
    year = str(found.get("date-released", ""))[:4]
    software = {
        "title": _escaped(found["title"]),
        "author": _authors(found["authors"]),
        "year": year,
        "version": boundcalc.__version__,
    }
    entries = [_entry("software", f"boundcalc{year}", software)]
    return "\n\n".join([*entries, *(_reference(r) for r in found.get("references", []))])


def _reference(found: dict[str, Any]) -> str:
    numbers = [str(i["value"]) for i in found.get("identifiers", [])]
    family = found["authors"][0].get("family-names", "anonymous")
    key = re.sub(r"\W", "", f"{family}{found['year']}").lower()
    fields = {
        "title": _escaped(found["title"]),
        "author": _authors(found["authors"]),
        "year": str(found["year"]),
    }
    if numbers:
        fields["note"] = ", ".join(numbers)
    return _entry("misc", key, fields)


def _authors(found: list[dict[str, str]]) -> str:
    """People by family name, everyone else as one word."""
    return " and ".join(
        f"{a['family-names']}, {a['given-names']}" if "family-names" in a else f"{{{a['name']}}}"
        for a in found
    )


def _escaped(text: str) -> str:
    return re.sub(r"([&%$#_])", r"\\\1", text)


def _entry(kind: str, key: str, fields: dict[str, str]) -> str:
    wide = max(map(len, fields))
    lines = ",\n".join(f"  {name:<{wide}} = {{{value}}}" for name, value in fields.items())
    return f"@{kind}{{{key},\n{lines}\n}}"

"""Files that ship with boundcalc: templates and worked specs."""

from __future__ import annotations

from pathlib import Path

from boundcalc.errors import OutputError, SpecError, nearest


def folder(name: str) -> Path:
    """The folder of shipped ``templates`` or ``specs``.

    An installed wheel carries them inside the package; a checkout has them at its top.

    Raises
    ------
    OutputError
        If the installation is incomplete.

    >>> (folder("specs") / "three-operators.yaml").is_file()
    True
    """
    package = Path(__file__).parent
    for candidate in (package / name, package.parent / name):
        if candidate.is_dir():
            return candidate
    raise OutputError(
        f"the folder of shipped {name} is missing",
        value=str(package / name),
        expected="a complete installation",
        fix="install boundcalc again",
    )


def citation() -> str:
    """The CITATION.cff, as it ships with an installed wheel or stands at the top of a checkout.

    Raises
    ------
    OutputError
        If the installation is incomplete.
    """
    package = Path(__file__).parent
    for candidate in (package / "CITATION.cff", package.parent / "CITATION.cff"):
        if candidate.is_file():
            return candidate.read_text(encoding="utf-8")
    raise OutputError(
        "CITATION.cff is missing",
        value=str(package / "CITATION.cff"),
        expected="a complete installation",
        fix="install boundcalc again",
    )


def examples() -> dict[str, Path]:
    """Shipped specs by name."""
    return {path.stem: path for path in sorted(folder("specs").glob("*.yaml"))}


def example(name: str) -> Path:
    """The file of one shipped spec.

    Raises
    ------
    SpecError
        If there is none of that name.
    """
    found = examples()
    stem = name.removesuffix(".yaml")
    if stem not in found:
        close = nearest(stem, found)
        raise SpecError(
            "no such example",
            value=name,
            expected="one of " + ", ".join(found),
            fix=f"did you mean {close!r}?" if close else "list them with `boundcalc examples`",
        )
    return found[stem]


def headline(path: Path) -> str:
    """The first comment line of a spec: what it shows.

    >>> headline(example("three-operators")).endswith(".")
    True
    """
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#") and line.lstrip("# "):
            return line.lstrip("# ").rstrip()
    return ""

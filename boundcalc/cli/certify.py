"""``boundcalc certify`` and ``boundcalc check``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from boundcalc.cli.common import AsJson, Settings, SpecFile, graph_of, print_json


def certify(
    spec: SpecFile,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="The certificate to write; SPEC.cert.json here if none."),
    ] = None,
    checker: Annotated[
        Path | None,
        typer.Option(help="Also write the one-file checker here, to be taken elsewhere."),
    ] = None,
    as_json: AsJson = False,
    settings: Settings = None,
) -> None:
    """Write a certificate of the sharp bounds, which `boundcalc check` verifies."""
    from boundcalc.cli.show_certificate import show_written, written_results
    from boundcalc.files import write_text
    from boundcalc.verify.certificate import checker as code
    from boundcalc.verify.certificate.write import certificate, layout

    graph = graph_of(spec, settings)
    from boundcalc.spec.only import only_passes

    only_passes(graph.spec, "certificates are")
    document = certificate(graph)
    place = out or Path(f"{spec.stem}.cert.json")
    write_text(place, layout(document))
    if checker is not None:
        write_text(checker, Path(code.__file__).read_text(encoding="utf-8"))
    if as_json:
        print_json(written_results(document, place, checker))
        return
    show_written(document, place, checker)


def check(
    certificate: Annotated[Path, typer.Argument(metavar="CERT", help="A certificate.")],
    as_json: AsJson = False,
) -> None:
    """Verify a certificate.

    Exit code 0 if it is accepted, 1 if it is rejected, 2 if it is no certificate.
    """
    from boundcalc.verify.certificate.checker import lines, verdict

    code, found = verdict(str(certificate))
    if as_json:
        print_json(found)
    else:
        typer.echo("\n".join(lines(found)))
    raise typer.Exit(code)

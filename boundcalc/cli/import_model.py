"""``boundcalc import``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from boundcalc.cli.common import AsJson, print_json


def import_command(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL",
            help="An ONNX model, or weights in .safetensors, .pt, .pth, .npz or .mat.",
        ),
    ],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="The spec to write; MODEL.yaml here if none.")
    ] = None,
    loss: Annotated[
        str | None,
        typer.Option(help="cross_entropy, squared, logistic or huber; by the outputs if left out."),
    ] = None,
    input_shape: Annotated[
        str | None, typer.Option(help="The shape of one sample, such as 1,28,28.")
    ] = None,
    input_radius: Annotated[str | None, typer.Option(help="A ball that holds every input.")] = None,
    input_low: Annotated[
        str | None, typer.Option(help="The least component of an input; -1 if left out.")
    ] = None,
    input_high: Annotated[
        str | None, typer.Option(help="The largest component of an input; 1 if left out.")
    ] = None,
    weight_change: Annotated[
        str, typer.Option(help="How far training may move the weights of an operator.")
    ] = "1/10",
    activation: Annotated[
        str | None, typer.Option(help="What stands between the layers of a file of weights.")
    ] = None,
    output: Annotated[
        str | None, typer.Option(help="Which output of an ONNX model with several.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a spec, and a file of weights beside it, from a model."""
    from boundcalc.importers.read import import_model
    from boundcalc.importers.settings import Settings, shape_of
    from boundcalc.importers.summary import import_results
    from boundcalc.importers.write import write_spec

    settings = Settings(
        loss=loss,
        radius=input_radius,
        low=input_low,
        high=input_high,
        weight_change=weight_change,
    )
    network = import_model(
        model,
        input_shape=None if input_shape is None else shape_of(input_shape),
        activation=activation,
        output=output,
    )
    written = write_spec(network, out or Path(f"{model.stem}.yaml"), settings)
    if as_json:
        print_json(import_results(written))
        return
    from boundcalc.cli.show_import import show_import

    show_import(written)

"""What a user says about an imported model, and what is written where nothing is said."""

from __future__ import annotations

import math
from dataclasses import dataclass
from math import prod
from typing import Any

from boundcalc.errors import SpecError
from boundcalc.importers.base import INPUT, Layer, Network
from boundcalc.importers.yaml_text import flow
from boundcalc.operators.regions import Shape

#: Seconds of a simulated check, and of one pass for each weight and multiply-add, measured.
_SECONDS = 10.0
_PASS = 75e-9
_TOO_LARGE = 60.0
_LINE = 90


@dataclass(frozen=True)
class Settings:
    """What the spec of an imported model assumes.

    Attributes
    ----------
    loss
        See :func:`~boundcalc.importers.losses.with_loss`.
    radius, low, high
        A ball, or a box for each component, that holds every input.
    weight_change
        The radius of the ball around the imported weights of an operator, in which they
        stay during training.
    half_width
        Of the uniform noise that is written as an example.
    """

    loss: str | None = None
    radius: str | None = None
    low: str | None = None
    high: str | None = None
    weight_change: str = "1/10"
    half_width: str = "1/1000"


def bounds(network: Network, settings: Settings) -> tuple[float, float]:
    """The interval in which every component of the input lies.

    Raises
    ------
    SpecError
        If low is above high, or a number is none.
    """
    if network.vocabulary is not None:
        return 0.0, float(network.vocabulary - 1)
    if settings.radius is not None:
        half = number(settings.radius, "--input-radius") / math.sqrt(prod(network.input_shape))
        return -half, half
    low = number(settings.low or "-1", "--input-low")
    high = number(settings.high or "1", "--input-high")
    if low > high:
        raise SpecError("the lower bound of the input is above the upper", value=f"{low} > {high}")
    return low, high


def shape_of(text: str) -> Shape:
    """A shape on the command line.

    >>> shape_of("1,28,28")
    (1, 28, 28)
    """
    sizes = text.replace("x", ",").split(",")
    if not all(size.strip().isascii() and size.strip().isdigit() for size in sizes):
        raise SpecError(
            "not a shape",
            where="--input-shape",
            value=text,
            expected="sizes of one sample, without the batch axis",
            fix="write --input-shape 1,28,28, for instance",
        )
    return tuple(int(size) for size in sizes)


def check_settings(settings: Settings) -> None:
    """Raise SpecError unless every size is a number ≥ 0."""
    for text, option in (
        (settings.weight_change, "--weight-change"),
        (settings.half_width, "half_width"),
        (settings.radius, "--input-radius"),
    ):
        if text is not None and number(text, option) < 0:
            raise SpecError("a negative number", where=option, value=text, expected="a number ≥ 0")


def number(text: str, option: str) -> float:
    """The value of a number or fraction on the command line."""
    from boundcalc.arithmetic import FLOATS
    from boundcalc.spec.grammar import parse

    try:
        value = parse(text)
        if value.symbols:
            raise SpecError("not a number", value=text)
        return float(value.evaluate(FLOATS))
    except SpecError as error:
        raise error.located(option) from None


def input_section(network: Network, settings: Settings) -> dict[str, Any]:
    """The section ``graph.input``."""
    section: dict[str, Any] = {"shape": list(network.input_shape)}
    if network.vocabulary is not None:
        return {**section, "low": 0, "high": network.vocabulary - 1}
    if settings.radius is not None:
        section["radius"] = settings.radius
        if settings.low is None and settings.high is None:
            return section
    return {**section, "low": settings.low or "-1", "high": settings.high or "1"}


def header(network: Network, settings: Settings) -> list[str]:
    """The comment at the top: what this is, and what to look at."""
    assumed = network.vocabulary is None and settings.radius is None and settings.low is None
    box = " (nothing was said: [-1, 1])." if assumed else "."
    lines = [
        f"Imported from {network.name}: {len(network.layers) - 1} operators, "
        f"{network.weights} trained weights.",
        "",
        "What to look at before a bound is relied on:",
        f"- graph.input: where every sample is assumed to lie{box}",
        "- rho: training is assumed to keep the weights of each operator within this distance "
        "of the imported ones (Euclidean). A larger ball gives larger constants.",
        "- noise and perturbations: an example, uniform noise after every layer and in the "
        "gradients that are passed back. Replace it by yours.",
        "- loss: rates need constants of your objective that no model file holds. Add, for "
        "instance, loss: {smoothness: 10, initial_gap: 2, gradient_noise: 1, batch: 32}",
        "- simulation: random inputs and labels, few of them, and a few tiny steps. Name your "
        "own data under `data`."
        if _seconds(network) <= _TOO_LARGE
        else "- simulation: left out, since this model is too large for a quick one.",
    ]
    if network.notes:
        lines += ["", "How the model was read:", *(f"- {note}." for note in network.notes)]
    return [f"# {line}".rstrip() for text in lines for line in wrapped(text)]


def wrapped(text: str) -> list[str]:
    """A line of a comment, broken at spaces; a continued item of a list is indented."""
    lines, indent = [""], "  " if text.startswith(("-", " ")) else ""
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1].strip() or not word else lines[-1] + word
        if len(longer) > _LINE and lines[-1].strip():
            lines.append(indent + word)
        else:
            lines[-1] = longer
    return lines


def run_sections(
    network: Network, ids: tuple[str, ...], loss: str, settings: Settings
) -> list[str]:
    """The sections after the graph: perturbations, training and simulation."""
    lines: list[str] = []
    for direction, sites in zip(("forward", "backward"), _sites(network, ids), strict=True):
        if sites:
            lines += [
                *([] if lines else ["perturbations:"]),
                f"  - at: {flow(sites)}",
                f"    pass: {direction}",
                "    model: uniform",
                "    half_width: noise",
            ]
    seconds = _seconds(network)
    if seconds > _TOO_LARGE:
        return lines
    few = seconds > _SECONDS
    return [
        *lines,
        "training:                 # few and small steps: weights stay near the imported ones",
        "  step_size: 1/10000",
        f"  horizon: {5 if few else 10}",
        "simulation:",
        f"  data: {flow(_data(network, loss, settings, 4 if few else 8))}",
        "  replicas: 2",
        f"  check: {{iterates: [0], samples: 2, draws: {_draws(network)}}}",
    ]


def _data(network: Network, loss: str, settings: Settings, samples: int) -> dict[str, Any]:
    """Random samples where the spec says that samples lie."""
    size = prod(network.input_shape)
    data: dict[str, Any] = {"generator": "uniform", "samples": samples, "dimension": size}
    if network.vocabulary is not None:
        data |= {"generator": "tokens", "vocabulary": network.vocabulary}
    else:
        data["low"], data["high"] = bounds(network, settings)
    if loss == "cross_entropy":
        data["classes"] = network.layers[network.layers[network.output].inputs[0]].size
    return data


def _sites(network: Network, ids: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Where the example perturbs: outputs of layers, and gradients passed back into layers."""
    layers = [
        (number, layer)
        for number, layer in enumerate(network.layers)
        if number != INPUT and layer.type != "identity"
    ]
    forward = [ids[number] for number, _ in layers if number != network.output]
    backward = [ids[number] for number, layer in layers if INPUT not in layer.inputs]
    return forward, backward


def _seconds(network: Network) -> float:
    """About how long 16 draws of a check take, the fewest that are written."""
    return 16 * 2 * _PASS * sum(_work(layer) for layer in network.layers)


def _draws(network: Network) -> int:
    """As many draws as a simulated check can make in some seconds, a power of two."""
    most = 16 * _SECONDS / max(_seconds(network), 1e-9)
    return 1 << int(math.log2(min(max(16, most), 1024)))


def _work(layer: Layer) -> int:
    """Weights and multiply-adds of one pass of one sample."""
    rows = 1
    if layer.type.startswith("conv"):
        rows = prod(layer.shape[1:])
    elif layer.type == "dense":
        rows = prod(layer.shape[:-1])
    return layer.weights * (1 + rows) + layer.size

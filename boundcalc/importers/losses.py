"""The loss that ends an imported network."""

from __future__ import annotations

from dataclasses import replace

from boundcalc.importers.base import Layer, Network, unsupported

#: What ``--loss`` takes.
LOSSES = ("cross_entropy", "logistic", "squared", "huber", "none")

#: Last operators that a loss on logits contains already.
_INSIDE = {"cross_entropy": ("softmax", "log_softmax"), "logistic": ("sigmoid",)}


def with_loss(network: Network, loss: str | None = None) -> tuple[Network, str]:
    """The network with its loss as last layer, and the loss that was taken.

    Several outputs are read as logits of classes, one output as a regression, or as a
    probability if a sigmoid makes it.  A softmax before a cross-entropy, and a sigmoid
    before a logistic loss, are part of the loss and left out.

    Parameters
    ----------
    network
        An imported network.
    loss
        One of ``LOSSES``; None chooses.

    Raises
    ------
    UnsupportedError
        If the loss takes another number of outputs.
    """
    size, last = network.output_size, network.layers[network.output]
    if loss is None:
        one = "logistic" if last.type == "sigmoid" and not last.parameters else "squared"
        loss = "cross_entropy" if size > 1 else one
    if loss not in LOSSES:
        raise unsupported("an unknown loss", "", loss, fix="one of " + ", ".join(LOSSES))
    several = loss == "cross_entropy"
    if several != (size > 1):
        raise unsupported(
            f"the loss {loss!r} takes {'several outputs' if several else 'one output'}",
            network.name,
            f"the model has {size}",
            fix="choose " + ("squared, logistic or huber" if several else "cross_entropy"),
        )
    inner, notes = network.output, list(network.notes)
    if last.type in _INSIDE.get(loss, ()) and not last.parameters:
        inner = last.inputs[0]
        notes.append(f"the last {last.type} is part of the loss {loss!r}")
    elif last.type == "log_softmax":
        raise unsupported(
            "a model that ends in a LogSoftmax needs the loss 'cross_entropy'", network.name
        )
    layers = list(network.layers)
    if inner != network.output:
        layers.pop()  # the output is the last layer, and nothing else reads it
    if loss == "none":
        return replace(network, notes=tuple(notes)), loss
    shape = layers[inner].shape
    if len(shape) > 1 and several:
        notes.append("all outputs together are the logits of one choice")
        layers.append(Layer("identity", (inner,), (size,), {"shape": [size]}))
        inner = len(layers) - 1
    layers.append(Layer(loss, (inner,), (1,), hint="loss"))
    made = replace(network, layers=tuple(layers), output=len(layers) - 1, notes=tuple(notes))
    return made, loss

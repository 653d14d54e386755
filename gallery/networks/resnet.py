"""A small residual network with convolutions: norms, and the bound against a run."""

from collections.abc import Iterator

import numpy as np

import boundcalc as bc
from boundcalc.arithmetic import FLOATS
from boundcalc.resources import example
from gallery.base import Check, Entry
from gallery.tools import runs_below

ENTRY = Entry(
    title="A residual network with convolutions",
    topic="networks",
    statement=r"""
Three residual blocks of two 3 × 3 convolutions with softplus and tanh on images of 8 × 8, a pool
and a dense head. A convolution is a linear map, and its norm that of the matrix that it is: here
256 × 256. If the kernel moves within $\rho$ of its start $K_0$, and $\mu$ is the largest number
of windows that meet one entry, $a = \lVert K_0 * \cdot\rVert + \sqrt\mu\thinspace\rho$ with
$\mu = 9$. A block's two edges are added.
""",
    theorem="docs/theory.md, Theorems 4.7 to 4.9; constants: docs/spec-reference.md, operators",
    link="theory.md#48-directed-acyclic-graphs",
    kind="upper",
    reference="Norms of convolutions: H. Sedghi, V. Gupta, P. M. Long, The singular values of "
    "convolutional layers, ICLR 2019, arXiv:1805.10408 (periodic; here padded with zeros).",
    spec="resnet-blocks",
    command="verify",
)


def norm(kernel: np.ndarray, size: int) -> float:
    """The largest singular value of a padded 3 × 3 convolution, its matrix written out."""
    out, into = kernel.shape[:2]
    matrix = np.zeros((out, size, size, into, size, size))
    for row in range(size):
        for column in range(size):
            for i in range(3):
                for j in range(3):
                    y, x = row + i - 1, column + j - 1
                    if 0 <= y < size and 0 <= x < size:
                        matrix[:, row, column, :, y, x] += kernel[:, :, i, j]
    flat = matrix.reshape(out * size**2, into * size**2)
    return float(np.linalg.svd(flat, compute_uv=False)[0])


def checks() -> Iterator[Check]:
    """Norms of two convolutions against singular values, and verdicts of a run."""
    text = example("resnet-blocks").read_text("utf-8")
    graph = bc.build(bc.loads(text.replace("draws: 1024", "draws: 256")))
    nodes = {node.id: node for node in graph.nodes}
    for name in ("res.1.conv1", "res.3.conv2"):
        kernel = nodes[name].values[: 4 * 4 * 9].reshape(4, 4, 3, 3)
        found = float(nodes[name].constants.jac_input.evaluate(FLOATS))
        exact = norm(kernel, 8) + 3 / 50
        yield Check(rf"{name}: above $\lVert K_0 * \cdot\rVert + 3\rho$", found, exact, "at least")
        yield Check(
            f"{name}: and no more than a millionth above",
            found,
            exact,
            rel=1e-6,
            why="certified from above by an enclosure",
        )
    yield from runs_below(graph)

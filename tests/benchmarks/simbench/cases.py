"""The problems that are timed, as specs of boundcalc and as arrays for the peers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from peers.problem import Numbers, Problem

LOGISTIC = """\
version: 1
name: logistic regression
graph: {{operators: [{{id: margin, type: margin}}, {{id: loss, type: softplus}}]}}
perturbations:
  - {{at: margin, pass: forward, model: uniform, half_width: {forward}}}
  - {{at: loss, pass: backward, model: uniform, half_width: {backward}}}
training: {{step_size: {step_size}, horizon: 2}}
simulation:
  data: {{generator: logistic, samples: {samples}, dimension: {width}, seed: 1}}
  replicas: {replicas}
  initial_weights: [{start}]
  regulariser: {{kind: nonconvex, strength: {strength}}}
  noise: {{kind: gaussian, std: {noise_std}}}
"""

NETWORK = """\
version: 1
name: tanh network
graph:
  input: {{shape: [{width}]}}
  operators:
{layers}    - id: out
      type: dense
      units: 1
      initial: {{normal: {scale}, seed: 99}}
      region: {{weight_change: 100}}
    - {{id: loss, type: squared}}
perturbations:
  - {{at: 'act*', pass: forward, model: uniform, half_width: {forward}}}
training: {{step_size: {step_size}, horizon: 2}}
simulation:
  data: {{generator: uniform, samples: {samples}, dimension: {width}, seed: 2, low: -1, high: 1}}
  replicas: {replicas}
  noise: {{kind: gaussian, std: {noise_std}}}
"""

LAYER = """\
    - id: fc{i}
      type: dense
      units: {width}
      initial: {{normal: {scale}, seed: {i}}}
      region: {{weight_change: 100}}
    - {{id: act{i}, type: tanh}}
"""


@dataclass(frozen=True)
class Case:
    """One problem.

    Attributes
    ----------
    kind
        ``logistic`` or ``network``.
    width
        Components of a sample, and units of every hidden layer.
    depth
        Hidden layers; 0 for logistic regression.
    """

    kind: str
    samples: int
    replicas: int
    width: int
    depth: int = 0
    forward: float = 0.1
    backward: float = 0.1
    step_size: float = 0.5
    noise_std: float = 0.001
    noisy: bool = True

    @property
    def name(self) -> str:
        text = f"{self.kind}-M{self.samples}-R{self.replicas}-d{self.width}"
        levels = f"{self.depth} {self.forward} {self.backward} {self.step_size} {self.noise_std}"
        return f"{text}-{'-'.join(levels.split())}{'' if self.noisy else '-quiet'}"

    @property
    def elements(self) -> int:
        """Samples × replicas of a step."""
        return self.samples * self.replicas

    def spec(self) -> str:
        """The text of the spec."""
        scale = 0.7 / self.width**0.5
        text = (LOGISTIC if self.kind == "logistic" else NETWORK).format(
            samples=self.samples,
            replicas=self.replicas,
            width=self.width,
            forward=repr(self.forward),
            backward=repr(self.backward),
            step_size=repr(self.step_size),
            noise_std=repr(self.noise_std),
            strength="0.001",
            scale=repr(scale),
            start=", ".join(str((-1) ** j * (j % 5 + 1) / 10) for j in range(self.width)),
            layers="".join(
                LAYER.format(i=i, width=self.width, scale=repr(scale))
                for i in range(1, self.depth + 1)
            ),
        )
        if self.noisy:
            return text
        lines = [line for line in text.splitlines() if "half_width" not in line]
        return "\n".join(line for line in lines if "perturbations:" not in line) + "\n"

    def problem(self) -> Problem:
        """The same as arrays: data and starting weights are those of the spec."""
        import boundcalc as bc
        from boundcalc.simulate.program import make_program
        from boundcalc.simulate.start import initial_weights

        text = self.spec()
        graph = bc.build(bc.loads(text))
        start = initial_weights(graph, make_program(graph))
        sizes = (*[self.width] * (self.depth + 1), 1) if self.depth else ()
        on = 1.0 if self.noisy else 0.0
        numbers = Numbers(
            step_size=self.step_size,
            forward=on * self.forward,
            backward=on * self.backward if self.kind == "logistic" else 0.0,
            noise_std=self.noise_std,
            strength=0.001 if self.kind == "logistic" else 0.0,
            sizes=sizes,
        )
        return Problem(
            graph.data.features, graph.data.labels, np.ascontiguousarray(start), numbers, text
        )

    def saved(self, folder: Path) -> Path:
        """The problem's file, written if it is not there."""
        path = folder / f"{self.name}.npz"
        if not path.exists():
            self.problem().save(path)
        return path


def logistic(replicas: int = 64, samples: int = 2000) -> Case:
    """The setting of the paper's experiments."""
    return Case("logistic", samples, replicas, 10)


def network(depth: int = 6, width: int = 64, replicas: int = 8, samples: int = 512) -> Case:
    """A perceptron with ``depth`` hidden tanh layers."""
    return Case("network", samples, replicas, width, depth, 0.01, 0.0, 0.01)


#: Small, for the literal reference, without noise.
QUIET = (
    Case("logistic", 37, 3, 7, noise_std=0.0, noisy=False),
    Case("network", 7, 3, 5, 3, step_size=0.1, noise_std=0.0, noisy=False),
)

#: Small with large noise, many replicas and a step so short that the weights stay where they are.
NOISY = (
    Case("logistic", 13, 4000, 3, 0, 2.0, 1.0, 1e-6, 0.2),
    Case("network", 7, 4000, 4, 3, 1.0, 0.0, 1e-6, 0.05),
)

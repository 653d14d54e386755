"""The C source of one program: its passes as calls of kernels with fixed sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from boundcalc.operators.base import Array
from boundcalc.simulate.compiled.kernels import Kernel
from boundcalc.simulate.compiled.layout import Rows, lanes_for
from boundcalc.simulate.compiled.registry import kernel_of
from boundcalc.simulate.compiled.samplers import Draw, law_of
from boundcalc.simulate.noise import NoiseSource, shift_key
from boundcalc.simulate.program import Program
from boundcalc.simulate.steps import Arc, Step


@dataclass
class Numbers:
    """Run-time numbers of the kernels one after the other, so that the source knows none."""

    parts: list[Array] = field(default_factory=list)
    count: int = 0

    def add(self, numbers: Array) -> int:
        """Where they begin."""
        start = self.count
        self.parts.append(np.ravel(numbers))
        self.count += numbers.size
        return start

    def joined(self) -> Array:
        """All of them."""
        return np.concatenate([np.empty(0), *self.parts])


@dataclass(frozen=True)
class Source:
    """One program in C.

    Attributes
    ----------
    text, extra
        The source, and generated headers by name.
    lanes
        Samples of a block.
    rows
        Rows of working memory that a pass needs.
    parameters, laws, kept
        Numbers of the kernels and of the perturbations, and weights that are not trained.
    remembers
        By perturbation: numbers per sample of its memory, 0 without one.
    shared
        Numbers per replica that the samples of a batch share.
    drawn
        Numbers per replica and sample that are drawn before a pass.
    draws
        The functions of the perturbations.
    """

    text: str
    extra: Mapping[str, str]
    lanes: int
    rows: int
    parameters: Array
    laws: Array
    kept: Array
    remembers: tuple[int, ...]
    shared: int
    drawn: int
    draws: tuple[Draw, ...]


def make_source(
    program: Program,
    noise: NoiseSource,
    values: Mapping[str, float],
    features: int,
    dtype: np.dtype[np.floating],
) -> Source | str:
    """The source of a program, or why there is none; O(operators + perturbations).

    Nothing but integers and names of kernels enters the text: numbers of the spec are passed
    at run time, so that a sweep over them compiles once.

    Parameters
    ----------
    values
        Of the spec's symbols.
    features
        d, the length of a sample.
    """
    kernels: list[Kernel] = []
    extra: dict[str, str] = {}
    for step in program.steps:
        kernel = kernel_of(step.operator)
        if isinstance(kernel, str):
            return kernel
        kernels.append(kernel)
        extra |= kernel.text
    laws: list[Draw] = []
    for perturbation in noise.perturbations:
        law = law_of(perturbation, values)
        if isinstance(law, str):
            return law
        laws.append(law)
    writer = _Writer(program, noise, kernels, laws, features)
    writer.write()
    rows = writer.rows.count
    lanes = lanes_for(rows + writer.drawn, features, dtype.itemsize)
    headers = sorted({kernel.name for kernel in kernels} | {law.header for law in laws})
    sizes = {
        "LANES": lanes,
        "WEIGHTS": program.weights,
        "FEATURES": features,
        "PERTURBATIONS": len(laws),
        "WORK_ROWS": rows,
        "PARTS": len(program.centers),
        # A block of the data serves all replicas where it is larger than their weights.
        "SAMPLES_FIRST": int(program.weights <= features * lanes),
        "SHARED": writer.shared,
        "DRAWN_ROWS": writer.drawn,
    }
    lines = [
        f"#define REAL {'float' if dtype.itemsize == 4 else 'double'}",
        *(f"#define {name} {value}" for name, value in sizes.items()),
        '#include "run.h"',
        '#include "rows.h"',
        '#include "random.h"',
        *(f'#include "{name}.h"' for name in headers),
        "",
        *writer.pass_lines(),
        "",
        *writer.draw_lines(),
        '#include "loop.h"',
        "",
    ]
    return Source(
        text="\n".join(lines),
        extra=extra,
        lanes=lanes,
        rows=rows,
        parameters=writer.parameters.joined(),
        laws=writer.laws.joined(),
        kept=writer.kept.joined(),
        remembers=tuple(p.size if p.memory is not None else 0 for p in noise.perturbations),
        shared=writer.shared,
        drawn=writer.drawn,
        draws=tuple(laws),
    )


def _function(name: str, arguments: str, body: list[str]) -> list[str]:
    head = f"static void {name}(Run *run, const uint8_t *active, {arguments}) {{"
    return [head, *(f"  {line}" for line in body), "}", ""]


class _Writer:
    """Writes ``pass``: the values of one block through all operators and back."""

    def __init__(
        self,
        program: Program,
        noise: NoiseSource,
        kernels: Sequence[Kernel],
        laws: Sequence[Draw],
        features: int,
    ) -> None:
        self.program, self.noise, self.kernels = program, noise, kernels
        self.draws, self.features = laws, features
        self.rows, self.lines = Rows(), list[str]()
        self.parameters, self.laws, self.kept = Numbers(), Numbers(), Numbers()
        self.shared = self.drawn = 0
        self._shared_lines: list[str] = []
        self._one_lines: list[str] = []
        self._group_lines: list[str] = []
        self._sites: dict[tuple[str, int], list[int]] = {}
        self._law_starts: list[int] = []
        self._memory = 0
        for position, perturbation in enumerate(noise.perturbations):
            key = (perturbation.direction, shift_key(perturbation))
            self._sites.setdefault(key, []).append(position)
            law = laws[position]
            numbers = np.concatenate([[law.probability], law.parameters])
            self._law_starts.append(self.laws.add(numbers))
        self._parameter_starts = [self.parameters.add(k.parameters) for k in kernels]
        # By operator number: its output, and how it and what it keeps are written.
        self._values = {0: "x"}
        self._saved: list[str] = []
        self._inputs: list[str] = []
        self._weights: list[str] = []

    def write(self) -> None:
        """All lines of the pass."""
        for number, step in enumerate(self.program.steps, 1):
            self._forward(number, step)
        self._backward()

    def pass_lines(self) -> list[str]:
        """The function, which the loop calls."""
        head = [
            "PURE void pass(const int lanes, const int perturbed, Run *run, const uint8_t *active,",
            "               const real *restrict x, const real *restrict label, const int64_t r,",
            "               const int64_t first, const real *restrict drawn, double *restrict sum) {",
            "  const real *restrict w = run->w + r * WEIGHTS;",
            "  real *restrict grad = run->gradient + r * WEIGHTS;",
            "  real *restrict work = run->work;",
            "  uint64_t *streams = run->streams + r * PERTURBATIONS * 8;",
            "  (void)w, (void)grad, (void)streams, (void)active, (void)first;",
        ]
        return [*head, *(f"  {line}" for line in self.lines), "}"]

    def draw_lines(self) -> list[str]:
        """The functions that draw: what a batch shares, and for a block before its passes."""
        streams = "uint64_t *streams = run->streams + r * PERTURBATIONS * 8;"
        group = [
            "uint64_t *values[STREAMS], *events[STREAMS];",
            "real *out[STREAMS];",
            *self._group_lines,
        ]
        return [
            *_function(
                "draw_shared",
                "const int64_t r",
                [
                    streams,
                    "real one[(SHARED + 1) * LANES], *shared = run->shared + r * SHARED;",
                    *self._shared_lines,
                ]
                if self.shared
                else [],
            ),
            *_function(
                "draw_one",
                "const int64_t r, const int lanes",
                [streams, *self._one_lines] if self.drawn else [],
            ),
            *_function(
                "draw_group",
                "const int64_t r, const int lanes",
                [streams, *group] if self.drawn else [],
            ),
        ]

    def _forward(self, number: int, step: Step) -> None:
        kernel, width = self.kernels[number - 1], self.program.widths[number - 1]
        self._inputs.append(self._joined(step))
        self._weights.append(self._weights_of(step))
        self._saved.append(self._row(self.rows.take(kernel.saved)) if kernel.saved else "NULL")
        for index, (place, slot) in enumerate(self.program.claims):
            if place == number:
                self._see(index, step, slot)
        out = self._row(self.rows.take(width))
        last = number == len(self.program.steps)
        # The value of the loss is wanted where it is recorded only.
        target = f"perturbed ? NULL : {out}" if last else out
        self._call(number, "forward", f"{self._saved[-1]}", before="label", target=target)
        self._values[number] = out
        self._shift("forward", number, width, out)
        if last:
            self._say(f"if (!perturbed) *sum += lane_sum(lanes, {out});")

    def _backward(self) -> None:
        count = len(self.program.steps)
        width = self.program.widths[-1]
        start = self.rows.take(width)
        self._say(f"fill_rows(lanes, {width}, 1, {self._row(start)});")
        back = {count: start}
        for number in range(count, 0, -1):
            step = self.program.steps[number - 1]
            if not step.wanted:
                continue
            start, width = back.pop(number), self.program.widths[number - 1]
            self._pull(number, step, start, back)
            self.rows.give(start, width)

    def _pull(self, number: int, step: Step, start: int, back: dict[int, int]) -> None:
        """One operator's backward pass, and what goes along its edges."""
        grad = "NULL" if step.group is None else f"grad + {step.part.start}"
        v, size = self._row(start), self._size(step)
        if not step.arcs:
            self._call(number, "backward", v, target=f"NULL, {grad}")
            return
        whole = slice(0, size)
        if len(step.arcs) == 1 and step.arcs[0].cuts == (whole,):
            arc = step.arcs[0]
            pulled = self.rows.take(size)
            self._call(number, "backward", v, target=f"{self._row(pulled)}, {grad}")
            self._shift("backward", arc.edge, size, self._row(pulled))
            self._arrive(arc.source, pulled, size, back)
            return
        pulled = self.rows.take(size)
        self._call(number, "backward", v, target=f"{self._row(pulled)}, {grad}")
        for arc in step.arcs:
            self._along(arc, pulled, back)
        self.rows.give(pulled, size)

    def _along(self, arc: Arc, pulled: int, back: dict[int, int]) -> None:
        """The parts of an edge's slots together, then what happens there, once."""
        width = arc.cuts[0].stop - arc.cuts[0].start
        total = self.rows.take(width)
        for index, cut in enumerate(arc.cuts):
            name = "add_rows" if index else "copy_rows"
            part = self._row(pulled + cut.start)
            self._say(f"{name}(lanes, {width}, {part}, {self._row(total)});")
        self._shift("backward", arc.edge, width, self._row(total))
        self._arrive(arc.source, total, width, back)

    def _arrive(self, source: int, start: int, width: int, back: dict[int, int]) -> None:
        """What comes back to an operator is added to what came before."""
        if source not in back:
            back[source] = start
            return
        self._say(f"add_rows(lanes, {width}, {self._row(start)}, {self._row(back[source])});")
        self.rows.give(start, width)

    def _shift(self, direction: str, key: int, width: int, value: str) -> None:
        """What acts at one site, in the order of the spec."""
        for position in self._sites.get((direction, key), []):
            perturbation, law = self.noise.perturbations[position], self.draws[position]
            self._say(f"if (perturbed && active[{position}]) {{")
            if law.kind == "transform":
                self._transform(position, law, width, value)
            elif perturbation.shared:
                at = f"run->shared + r * SHARED + {self.shared}"
                self._say(f"  add_to_all(lanes, {width}, {at}, {value});")
                self._share(position, law, width)
            else:
                self._say(f"  add_rows(lanes, {width}, drawn + {self.drawn} * LANES, {value});")
                self._draw_ahead(position, law, width)
            self._say("}")

    def _draw_ahead(self, position: int, law: Draw, width: int) -> None:
        """The draws of a block before its passes: of one replica, or of several at once."""
        laws, probability = self._law(position)
        one = f"streams + {8 * position}, streams + {8 * position + 4}"
        out = f"run->drawn + {self.drawn} * LANES"
        self._one_lines.append(
            f"if (active[{position}]) {law.name}_draw(lanes, {width}, {one}, {probability}, "
            f"{laws}, {out});"
        )
        self._group_lines += [
            f"if (active[{position}]) {{",
            "  for (int j = 0; j < STREAMS; j++) {",
            f"    values[j] = streams + j * PERTURBATIONS * 8 + {8 * position};",
            "    events[j] = values[j] + 4;",
            f"    out[j] = run->drawn + (j * DRAWN_ROWS + {self.drawn}) * LANES;",
            "  }",
            f"  {law.name}_draw4(lanes, {width}, values, events, {probability}, {laws}, out);",
            "}",
        ]
        self.drawn += width

    def _share(self, position: int, law: Draw, width: int) -> None:
        laws, probability = self._law(position)
        states = f"streams + {8 * position}, streams + {8 * position + 4}"
        self._shared_lines += [
            f"if (active[{position}]) {{",
            f"  {law.name}_draw(1, {width}, {states}, {probability}, {laws}, one);",
            f"  for (int i = 0; i < {width}; i++) shared[{self.shared} + i] = one[i * LANES];",
            "}",
        ]
        self.shared += width

    def _law(self, position: int) -> tuple[str, str]:
        """A perturbation's numbers, and the probability with which it acts."""
        start = self._law_starts[position]
        always = self.draws[position].probability < 0
        return f"run->laws + {start + 1}", "-1.0" if always else f"run->laws[{start}]"

    def _transform(self, position: int, law: Draw, width: int, value: str) -> None:
        """A transform of the value, which it reads from and writes to."""
        laws, probability = self._law(position)
        states = f"streams + {8 * position}, streams + {8 * position + 4}"
        sizes = "".join(f", {size}" for size in law.sizes)
        memory = "NULL"
        self._say(f"  see(lanes, {width}, {value}, run->met + {3 * position});")
        if self.noise.perturbations[position].memory is not None:
            start = self.rows.take(width)
            memory = self._row(start)
            at = f"run->memory + {self._memory} * run->replicas * run->samples"
            place = f"{at} + (r * run->samples + first) * {width}"
            self._say(f"  gather_rows(lanes, {width}, {place}, {memory});")
        self._say(
            f"  {law.name}_apply(lanes, {width}{sizes}, {laws}, {states}, {probability}, "
            f"run->misfit + {position}, {memory}, {value});"
        )
        if memory != "NULL":
            self._say(f"  scatter_rows(lanes, {width}, {memory}, {place});")
            self.rows.give(start, width)
            self._memory += width

    def _see(self, index: int, step: Step, slot: int | None) -> None:
        """The inputs met, of one slot or all together."""
        if slot is None:
            value, size = self._inputs[-1], self._size(step)
        else:
            value, size = self._values[step.reads[slot]], self._width(step.reads[slot])
        self._say(f"if (run->reach) see(lanes, {size}, {value}, run->reach + {3 * index});")

    def _joined(self, step: Step) -> str:
        """All inputs of an operator one after the other."""
        if len(step.reads) == 1:
            return self._values[step.reads[0]]
        start = at = self.rows.take(self._size(step))
        for u in step.reads:
            width = self._width(u)
            self._say(f"copy_rows(lanes, {width}, {self._values[u]}, {self._row(at)});")
            at += width
        return self._row(start)

    def _weights_of(self, step: Step) -> str:
        if step.kept is None:
            return f"w + {step.part.start}"
        return f"run->kept + {self.kept.add(step.kept)}" if step.kept.size else "NULL"

    def _call(
        self, number: int, direction: str, last: str, *, target: str, before: str = ""
    ) -> None:
        kernel = self.kernels[number - 1]
        sizes = "".join(f", {size}" for size in kernel.sizes)
        p = f"run->parameters + {self._parameter_starts[number - 1]}"
        y, w = self._inputs[number - 1], self._weights[number - 1]
        rest = f"{target}, {last}" if before else f"{self._saved[number - 1]}, {last}, {target}"
        self._say(f"{kernel.name}_{direction}(lanes{sizes}, {p}, {y}, {w}, label, {rest});")

    def _size(self, step: Step) -> int:
        return sum(self._width(u) for u in step.reads)

    def _width(self, number: int) -> int:
        return self.program.widths[number - 1] if number else self.features

    def _row(self, start: int) -> str:
        return f"work + {start} * LANES"

    def _say(self, line: str) -> None:
        self.lines.append(line)

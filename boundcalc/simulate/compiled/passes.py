"""The forward and backward pass of a program as C: calls of kernels with fixed sizes."""

from __future__ import annotations

from collections.abc import Sequence

from boundcalc.simulate.compiled.kernels import Kernel
from boundcalc.simulate.compiled.layout import Numbers, Rows, row
from boundcalc.simulate.compiled.sites import Sites
from boundcalc.simulate.program import Program
from boundcalc.simulate.steps import Arc, Step

#: Up to so many operators the kernels are inlined and the pass is made part of the loop.
_INLINED = 4

_FIRST = [("const real", name) for name in ("p", "y", "w", "label")]

#: The arguments of kernels after their sizes.
_POINTERS = {
    "forward": [*_FIRST, ("real", "out"), ("real", "saved")],
    "backward": [
        *_FIRST,
        ("const real", "saved"),
        ("const real", "v"),
        ("real", "back"),
        ("real", "grad"),
    ],
}


class Passes:
    """Writes ``pass``: the values of one block through all operators and back.

    Attributes
    ----------
    lines, function_lines
        Of the pass, and of the functions that it calls.
    parameters, kept
        Numbers of the kernels, and weights that are not trained.
    """

    def __init__(
        self, program: Program, kernels: Sequence[Kernel], sites: Sites, rows: Rows, features: int
    ) -> None:
        self.program, self.kernels, self.features = program, kernels, features
        self.sites, self.rows, self.lines = sites, rows, list[str]()
        self.parameters, self.kept = Numbers(), Numbers()
        self._functions: dict[tuple[str, tuple[int, ...], str], str] = {}
        self.function_lines: list[str] = []
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
        """The function, which the loop calls; the one of a short chain is made part of it."""
        short = len(self.kernels) <= _INLINED
        kind = "PURE void" if short else "static __attribute__((noinline)) void"
        head = [
            f"{kind} pass(const int lanes, const int perturbed, Run *run, const uint8_t *active,",
            "               const real *restrict x, const real *restrict label, const int64_t r,",
            "               const int64_t first, const real *restrict drawn,",
            "               double *restrict sum) {",
            "  const real *restrict w = run->w + r * WEIGHTS;",
            "  real *restrict grad = run->gradient + r * WEIGHTS;",
            "  real *restrict work = run->work;",
            "  uint64_t *streams = run->streams + r * PERTURBATIONS * 8;",
            "  (void)w, (void)grad, (void)streams, (void)active, (void)first;",
        ]
        return [*head, *(f"  {line}" for line in self.lines), "}"]

    def _forward(self, number: int, step: Step) -> None:
        kernel, width = self.kernels[number - 1], self.program.widths[number - 1]
        self._inputs.append(self._joined(step))
        self._weights.append(self._weights_of(step))
        self._saved.append(row(self.rows.take(kernel.saved)) if kernel.saved else "NULL")
        for index, (place, slot) in enumerate(self.program.claims):
            if place == number:
                self._see(index, step, slot)
        out = row(self.rows.take(width))
        last = number == len(self.program.steps)
        # The value of the loss is wanted where it is recorded only.
        target = f"perturbed ? NULL : {out}" if last else out
        self._call(number, "forward", f"{self._saved[-1]}", before="label", target=target)
        self._values[number] = out
        self._disturb("forward", number, width, out)
        if last:
            self._say(f"if (!perturbed) *sum += lane_sum(lanes, {out});")

    def _backward(self) -> None:
        count = len(self.program.steps)
        width = self.program.widths[-1]
        start = self.rows.take(width)
        self._say(f"fill_rows(lanes, {width}, 1, {row(start)});")
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
        v, size = row(start), self._size(step)
        if not step.arcs:
            self._call(number, "backward", v, target=f"NULL, {grad}")
            return
        whole = slice(0, size)
        if len(step.arcs) == 1 and step.arcs[0].cuts == (whole,):
            arc = step.arcs[0]
            pulled = self.rows.take(size)
            self._call(number, "backward", v, target=f"{row(pulled)}, {grad}")
            self._disturb("backward", arc.edge, size, row(pulled))
            self._arrive(arc.source, pulled, size, back)
            return
        pulled = self.rows.take(size)
        self._call(number, "backward", v, target=f"{row(pulled)}, {grad}")
        for arc in step.arcs:
            self._along(arc, pulled, back)
        self.rows.give(pulled, size)

    def _along(self, arc: Arc, pulled: int, back: dict[int, int]) -> None:
        """The parts of an edge's slots together, then what happens there, once."""
        width = arc.cuts[0].stop - arc.cuts[0].start
        total = self.rows.take(width)
        for index, cut in enumerate(arc.cuts):
            name = "add_rows" if index else "copy_rows"
            part = row(pulled + cut.start)
            self._say(f"{name}(lanes, {width}, {part}, {row(total)});")
        self._disturb("backward", arc.edge, width, row(total))
        self._arrive(arc.source, total, width, back)

    def _arrive(self, source: int, start: int, width: int, back: dict[int, int]) -> None:
        """What comes back to an operator is added to what came before."""
        if source not in back:
            back[source] = start
            return
        self._say(f"add_rows(lanes, {width}, {row(start)}, {row(back[source])});")
        self.rows.give(start, width)

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
            self._say(f"copy_rows(lanes, {width}, {self._values[u]}, {row(at)});")
            at += width
        return row(start)

    def _weights_of(self, step: Step) -> str:
        if step.kept is None:
            return f"w + {step.part.start}"
        return f"run->kept + {self.kept.add(step.kept)}" if step.kept.size else "NULL"

    def _call(
        self, number: int, direction: str, last: str, *, target: str, before: str = ""
    ) -> None:
        kernel = self.kernels[number - 1]
        p = f"run->parameters + {self._parameter_starts[number - 1]}"
        y, w = self._inputs[number - 1], self._weights[number - 1]
        rest = f"{target}, {last}" if before else f"{self._saved[number - 1]}, {last}, {target}"
        name = self._function_of(kernel, direction)
        self._say(f"{name}{p}, {y}, {w}, label, {rest});")

    def _function_of(self, kernel: Kernel, direction: str) -> str:
        """The beginning of a call: the kernel itself, or a function that holds it once."""
        sizes = "".join(f", {size}" for size in kernel.sizes)
        if len(self.kernels) <= _INLINED:
            return f"{kernel.name}_{direction}(lanes{sizes}, "
        key = (kernel.name, kernel.sizes, direction)
        if key not in self._functions:
            name = f"{direction}_{len(self._functions)}"
            pointers = _POINTERS[direction]
            arguments = ", ".join(f"{kind} *restrict {pointer}" for kind, pointer in pointers)
            passed = ", ".join(pointer for _, pointer in pointers)
            self._functions[key] = name
            self.function_lines += [
                f"static __attribute__((noinline)) void {name}(const int lanes, {arguments}) {{",
                f"  {kernel.name}_{direction}(lanes{sizes}, {passed});",
                "}",
                "",
            ]
        return f"{self._functions[key]}(lanes, "

    def _size(self, step: Step) -> int:
        return sum(self._width(u) for u in step.reads)

    def _width(self, number: int) -> int:
        return self.program.widths[number - 1] if number else self.features

    def _disturb(self, direction: str, key: int, width: int, value: str) -> None:
        self.lines += self.sites.lines(direction, key, width, value)

    def _say(self, line: str) -> None:
        self.lines.append(line)

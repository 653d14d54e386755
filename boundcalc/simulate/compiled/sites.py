"""What perturbations do at their sites, and when they are drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from boundcalc.simulate.compiled.layout import Numbers, Rows, row
from boundcalc.simulate.compiled.samplers import Draw
from boundcalc.simulate.noise import NoiseSource, shift_key


class Sites:
    """Writes the lines of all perturbations of a program.

    Attributes
    ----------
    laws
        By perturbation its probability and its parameters.
    drawn, shared
        Numbers per replica that are drawn for each sample before a pass, or once a step.
    """

    def __init__(self, noise: NoiseSource, draws: Sequence[Draw], rows: Rows) -> None:
        self._perturbations, self._draws, self._rows = noise.perturbations, draws, rows
        self.laws = Numbers()
        self.shared = self.drawn = 0
        self._lines: list[str] = []
        self._shared_lines: list[str] = []
        self._one_lines: list[str] = []
        self._group_lines: list[str] = []
        self._sites: dict[tuple[str, int], list[int]] = {}
        self._law_starts: list[int] = []
        self._memory = 0
        for position, (perturbation, law) in enumerate(
            zip(self._perturbations, draws, strict=True)
        ):
            key = (perturbation.direction, shift_key(perturbation))
            self._sites.setdefault(key, []).append(position)
            numbers = np.concatenate([[law.probability], law.parameters])
            self._law_starts.append(self.laws.add(numbers))

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

    def lines(self, direction: str, key: int, width: int, value: str) -> list[str]:
        """What acts on the value at one site, in the order of the spec."""
        self._lines = []
        for position in self._sites.get((direction, key), []):
            perturbation, law = self._perturbations[position], self._draws[position]
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
        return self._lines

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
        always = self._draws[position].probability < 0
        return f"run->laws + {start + 1}", "-1.0" if always else f"run->laws[{start}]"

    def _transform(self, position: int, law: Draw, width: int, value: str) -> None:
        """A transform of the value, which it reads from and writes to."""
        laws, probability = self._law(position)
        states = f"streams + {8 * position}, streams + {8 * position + 4}"
        sizes = "".join(f", {size}" for size in law.sizes)
        memory = "NULL"
        self._say(f"  see(lanes, {width}, {value}, run->met + {3 * position});")
        if self._perturbations[position].memory is not None:
            start = self._rows.take(width)
            memory = row(start)
            at = f"run->memory + {self._memory} * run->replicas * run->samples"
            place = f"{at} + (r * run->samples + first) * {width}"
            self._say(f"  gather_rows(lanes, {width}, {place}, {memory});")
        self._say(
            f"  {law.name}_apply(lanes, {width}{sizes}, {laws}, {states}, {probability}, "
            f"run->misfit + {position}, {memory}, {value});"
        )
        if memory != "NULL":
            self._say(f"  scatter_rows(lanes, {width}, {memory}, {place});")
            self._rows.give(start, width)
            self._memory += width

    def _say(self, line: str) -> None:
        self._lines.append(line)


def _function(name: str, arguments: str, body: list[str]) -> list[str]:
    head = f"static void {name}(Run *run, const uint8_t *active, {arguments}) {{"
    return [head, *(f"  {line}" for line in body), "}", ""]

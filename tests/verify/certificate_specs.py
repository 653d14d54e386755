"""Specs for certificates: random ones with rational constants, and small fixed ones."""

import random
from fractions import Fraction

from boundcalc.graph.numbers import GraphConstants, Levels, Run
from boundcalc.perturbations.dependence import Dependence


def _number(rng, high=2):
    return str(Fraction(rng.randrange(0, 6 * high + 1), rng.randrange(1, 7)))


def _constants(rng, reads):
    names = ("jac_input", "hess_mixed", "third_input")
    found = {name: _number(rng) for name in ("jac_weight", "hess_input", "third_mixed")}
    for name in names:
        several = len(reads) > 1 and rng.random() < 0.7
        found[name] = {u: _number(rng) for u in reads} if several else _number(rng)
    if len(reads) > 1 and rng.random() < 0.7:
        found["hess_input"] = {u: {w: _number(rng) for w in reads} for u in reads}
    return _yaml(found)


def _yaml(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_yaml(entry)}" for key, entry in value.items()) + "}"
    return value


def random_spec(seed, *, chain, size=None, run=True):
    """A spec with rational constants, noise at some places, and a run."""
    rng = random.Random(seed)  # noqa: S311 - not for secrets
    size = size or rng.randrange(2, 8)
    lines, unread = [], []
    for v in range(1, size + 1):
        before = [f"f{u}" for u in range(1, v)]
        if chain or len(before) < 2:
            reads = before[-1:]
        else:
            reads = list(dict.fromkeys(rng.choices(before, k=rng.randrange(1, 4))))
        if v == size:
            reads = list(dict.fromkeys([*reads, *unread]))
        unread = [u for u in unread if u not in reads] + [f"f{v}"]
        shared = ", weights: w" if not chain and rng.random() < 0.3 else ""
        inputs = "" if not reads else f", inputs: [{', '.join(reads)}]"
        lines.append(f"    - {{id: f{v}{inputs}{shared}, constants: {_constants(rng, reads)}}}")
    noise = []
    zero = {side: rng.random() < 0.5 for side in ("forward", "backward")}
    schedule = rng.choice(["", "", ", every: 3", ", first: 5", ", last: 2", ", steps: [2, 5]"])
    for v in range(1, size + 1):
        for side in ("forward", "backward"):
            if (v == size and side == "forward") or (v == 1 and side == "backward"):
                continue
            if rng.random() < 0.7:
                rms = Fraction(rng.randrange(1, 9), rng.choice([2, 10, 100]))
                mean = 0 if zero[side] else rms / rng.randrange(1, 5)
                when = schedule if rng.random() < 0.5 else ""
                known = rng.choice(["any", "conditional", "independent", "independent"])
                how = f", dependence: {known}" if side == "forward" else ""
                noise.append(f"  - {{at: f{v}, pass: {side}, rms: {rms}, mean: {mean}{how}{when}}}")
    text = ["version: 1", "name: random", "graph:", "  operators:", *lines]
    text += ["perturbations:", *noise] if noise else []
    if run:
        text.append(
            "loss: {smoothness: 2, pl: 1/3, initial_gap: 3/2, gradient_noise: 1/5, "
            f"batch: {rng.choice([1, 4])}}}"
        )
        text.append(f"training: {{step_size: {rng.choice(['1/2', '1/7'])}, horizon: 11}}")
    return "\n".join(text) + "\n"


#: Slots, shared weights, a kink, a run with one norm, both passes, a schedule, a PL constant.
EVERYTHING = """
version: 1
name: everything
graph:
  merge: linear
  operators:
    - {id: f1, constants: {jac_weight: 1}}
    - {id: d1, type: dense, units: 2, region: {input: 2, weight_change: 1/8},
       initial: {uniform: 1, seed: 1}}
    - {id: d2, type: dense, units: 2, region: {input: 2, weight_change: 1/8},
       initial: {uniform: 1, seed: 2}}
    - {id: r, type: relu, inputs: [d2]}
    - {id: g, inputs: [f1, d2], constants: {jac_input: {f1: 1/2, d2: 1/3}, jac_weight: 1/4,
       hess_input: {f1: {f1: 1/5, d2: 1/6}, d2: {f1: 1/6, d2: 1/7}}, hess_mixed: {f1: 1/8, d2: 1/9},
       third_input: {f1: 1/10, d2: 1/11}, third_mixed: 1/12}, weights: w}
    - {id: loss, inputs: [g, r], constants: {jac_input: 1, jac_weight: 1, hess_input: 1,
       hess_mixed: 1, third_input: 1, third_mixed: 1}, weights: w}
perturbations:
  - {at: f1, pass: forward, rms: 1/10, mean: 1/40}
  - {at: d1, pass: forward, rms: 1/10, mean: 0}
  - {at: [d2, r], pass: backward, rms: 1/10, mean: 0, every: 3}
  - {at: f1->g, pass: backward, rms: 1/10, mean: 0}
loss: {smoothness: 1, pl: 1/3, initial_gap: 1, gradient_noise: 1/5, batch: 2}
training: {step_size: 1/2, horizon: 11}
"""

CHAIN = """
version: 1
name: chain
graph:
  operators:
    - {id: f1, constants: {jac_weight: 1/2}}
    - {id: f2, constants: {jac_input: 3/2, jac_weight: 2/3, hess_input: 1/4, hess_mixed: 1/5,
       third_input: 1/6, third_mixed: 1/7}}
    - {id: f3, constants: {jac_input: 4/3, jac_weight: 3/4, hess_input: 1/3, hess_mixed: 1/6,
       third_input: 1/5, third_mixed: 1/9}}
perturbations:
  - {at: f1, pass: forward, rms: 1/10, mean: MEAN, dependence: DEPENDENCE}
  - {at: f2, pass: forward, rms: 1/7, mean: MEAN, dependence: DEPENDENCE}
  - {at: [f2, f3], pass: backward, rms: 1/8, mean: MEAN}
"""

#: Small noise before large: a change as large as the one of the whole pass.
SUMS = """
version: 1
name: sums
graph:
  uniform: {jac: 4, lip: 1, hess: 1, hess_op: 1, third: 9}
  operators: [{id: f, repeat: 4}]
perturbations:
  - {at: f.1, pass: forward, rms: 1/1000, mean: 0}
  - {at: [f.2, f.3], pass: forward, rms: 1, mean: 0}
"""

TAIL = """
version: 1
name: tail
graph:
  uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
  operators:
    - {id: f1}
    - {id: f2, inputs: [f1]}
    - {id: f3, inputs: [f1, f2]}
    - {id: f4, inputs: [f3]}
    - {id: f5, inputs: [f4]}
perturbations:
  - {at: [f1, f2], pass: forward, rms: 1/100000, mean: 0, dependence: DEPENDENCE}
  - {at: [f3, f4], pass: forward, rms: 1/100, mean: 0, dependence: DEPENDENCE}
"""


def tail(dependence):
    """No chain, but one from the third operator on, so that passes are restarted there."""
    return TAIL.replace("DEPENDENCE", dependence)


def chain(mean="1/40", dependence="any"):
    """Three operators, every kind of step of a chain."""
    return CHAIN.replace("MEAN", mean).replace("DEPENDENCE", dependence)


def fraction(text):
    """A number of a certificate, read by other code than the checker's."""
    head, _, exponent = text.partition("*2^")
    return Fraction(head) * Fraction(2) ** int(exponent or 0)


def optional(text):
    return None if text is None else fraction(text)


def constants_of(document):
    """The engine's constants and levels, made from a certificate's inputs."""
    operators = document["inputs"]["operators"]
    inputs, edges, count = [()], [()], 0
    for operator in operators:
        reads = tuple(operator["reads"]) or (0,)
        known = {u: count + k for k, u in enumerate(dict.fromkeys(reads), 1)}
        count += len(known)
        inputs.append(reads)
        edges.append(tuple(known[u] for u in reads))
    zero = Fraction(0)

    def slots(name, read=optional):
        rows = [tuple(map(read, o[name])) or (zero if name in "alB" else None,) for o in operators]
        return ((), *rows)

    A = [tuple(tuple(map(optional, row)) for row in o["A"]) or ((zero,),) for o in operators]
    g = GraphConstants(
        inputs=tuple(inputs),
        edges=tuple(edges),
        a=slots("a"),
        l=slots("l"),
        A=((), *A),
        J=slots("J"),
        A3=((), *(tuple(map(optional, o["A3"])) or (zero,) for o in operators)),
        b=(zero, *(fraction(o["b"]) for o in operators)),
        B=slots("B"),
        K=(None, *(optional(o["K"]) for o in operators)),
        B3=(zero, *(optional(o["B3"]) for o in operators)),
        groups=(0, *(o["group"] for o in operators)),
        runs=tuple(
            Run(tuple(run["nodes"]), fraction(run["norm"]), run["affine"])
            for run in document["inputs"]["runs"]
        ),
    )
    found = []
    for level in document["inputs"]["levels"]:
        sides = []
        for name in ("eps", "n"):
            row = [zero]
            for operator, values in zip(operators, level[name], strict=True):
                row += map(fraction, values) if operator["reads"] else [zero]
            sides.append(tuple(row))
        found.append(
            Levels(
                e=(zero, *map(fraction, level["e"])),
                m=(zero, *map(fraction, level["m"])),
                q=(None,) * (len(operators) + 1),
                eps=sides[0],
                n=sides[1],
                dependence=tuple(Dependence(x) for x in (2, *level["dependence"])),
            )
        )
    return g, found

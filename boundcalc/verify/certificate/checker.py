"""Checks a boundcalc certificate: one file, Python 3.8 or later, standard library only.

    python checker.py cert.json        exit code 0 accepted, 1 rejected, 2 no certificate

A certificate lists inputs (a graph with its constants, perturbation levels, a loss), steps
and claims.  A step applies a rule at a place to results of EARLIER steps.  The checker knows
what every rule needs and computes every result anew, in rational arithmetic rounded up, so
that nothing can be left out or changed.  The inputs are what the claims assume.  Rules and
theorems: docs/certificates.md and docs/theory.md of boundcalc.
"""

# Python 3.8 has neither zip(strict=…) nor pairwise; every length was checked before.
# ruff: noqa: B905, RUF007, E741 - and l is the letter of the theory

from __future__ import annotations

import hashlib
import json
import sys
from fractions import Fraction
from math import isqrt
from typing import Any

FORMAT, VERSION = "boundcalc certificate", 1
BYTES, OPERATORS, EXPONENT, BITS = 64_000_000, 200_000, 32_768, 128
ZERO, ONE = Fraction(0), Fraction(1)


class Unreadable(Exception):  # noqa: N818 - a verdict, as is the next
    """No certificate of this format."""


class Rejected(Exception):  # noqa: N818
    """A certificate that does not prove what it says."""


def need(condition: object, problem: str) -> None:
    """Reject unless the condition holds."""
    if not condition:
        raise Rejected(problem)


# ------------------------------------------------------------------------------- numbers


def up(x: Fraction, sign: int = -1) -> Fraction:
    """Itself if it has at most 128 bits above and below, else m * 2^e just above (1: below)."""
    top, bottom = x.numerator, x.denominator
    if top.bit_length() <= BITS and bottom.bit_length() <= BITS:
        return x
    shift = BITS - top.bit_length() + bottom.bit_length()
    if shift > EXPONENT:  # below 2^(BITS - EXPONENT)
        return Fraction(int(sign < 0), 1 << (EXPONENT - BITS))
    need(-shift <= EXPONENT, "a number is out of range")
    scaled, unit = (top << shift, bottom) if shift > 0 else (top, bottom << -shift)
    m = sign * (sign * scaled // unit)  # sign -1: the ceiling, 1: the floor
    return Fraction(m << -shift) if shift < 0 else Fraction(m, 1 << shift)


def root(x: Fraction) -> Fraction:
    """The square root if it is rational, else a number of 128 bits just above it."""
    top, bottom = isqrt(x.numerator), isqrt(x.denominator)
    if top * top == x.numerator and bottom * bottom == x.denominator:
        return Fraction(top, bottom)
    k = BITS - (x.numerator.bit_length() - x.denominator.bit_length()) // 2
    return (isqrt(int(x * Fraction(4) ** k)) + 1) / Fraction(2) ** k


def power(q: Fraction, n: int, sign: int) -> Fraction:
    """q^n by squaring, rounded after every product: up for sign -1, down for 1."""
    result = ONE
    for bit in bin(n)[2:]:
        result = up(result * result, sign)
        result = up(result * q, sign) if bit == "1" else result
    return result


def write(x: Fraction) -> str:
    """The one way to write a number: p, p/q, or m*2^e with m odd."""
    top, bottom = x.numerator, x.denominator
    if top.bit_length() <= BITS and bottom.bit_length() <= BITS:
        return str(x)
    shift = (top & -top).bit_length() - bottom.bit_length()
    return f"{top >> max(shift, 0)}*2^{shift}"


def read(text: Any) -> Fraction:
    """A nonnegative number that is written in the one way."""
    need(type(text) is str and text.isascii() and len(text) <= 90, "an input is no number")
    head, _, tail = text.partition("*2^")
    top, _, bottom = head.partition("/")
    need(top.isdigit() and (bottom or "1").isdigit(), "an input is no number")
    need((tail or "0").lstrip("-").isdigit() and len(tail) <= 6, "an input is no number")
    need(tail.rfind("-") <= 0 and int(bottom or "1") > 0, "an input is no number")
    need(abs(int(tail or "0")) <= EXPONENT, "an input is out of range")
    x = Fraction(int(top), int(bottom or "1")) * Fraction(2) ** int(tail or "0")
    need(up(x) == x and write(x) == text, "an input is not written in the one way")
    return x


def shown(x: Fraction) -> str:
    """Six significant digits, rounded up."""
    if x == 0:
        return "0"
    place = (x.numerator.bit_length() - x.denominator.bit_length()) * 30103 // 100000 - 7
    while -(-x // Fraction(10) ** place) >= 10**6:
        place += 1
    digits = str(-(-x // Fraction(10) ** place))
    return f"{digits[0]}.{digits[1:]}e{place + len(digits) - 1:+d}"


# -------------------------------------------------------------------------------- inputs


def fields(value: Any, names: str) -> list[Any]:
    """The values of an object that has these keys and no others."""
    keys = names.split()
    need(type(value) is dict and sorted(value) == sorted(keys), "expected the keys " + names)
    return [value[key] for key in keys]


def listed(value: Any, length: int = -1) -> list[Any]:
    """A list, of this length unless that is -1."""
    found = type(value) is list and length in (-1, len(value))
    need(found, "a list is missing or has another length")
    return list(value)


def whole(value: Any, low: int, high: int) -> int:
    """An integer in a range."""
    need(type(value) is int and low <= value <= high, "an integer is missing or out of range")
    return int(value)


class Inputs:
    """The graph with its constants, levels and loss (docs/theory.md, sections 1, 4.8 and 6).

    A slot of an operator is one operator that it reads; the slot after the last stands for
    the weights.  All lists by operator begin with an unused entry 0.
    """

    def __init__(self, data: Any) -> None:
        operators, runs, levels, loss, measured, replaced = fields(
            data, "operators runs levels loss measured replaced"
        )
        need(type(measured) is bool, "expected true or false")
        for entry in listed(replaced):
            need(all(type(text) is str for text in listed(entry, 2)), "expected two texts")
        self.size, self.measured, self.known = len(listed(operators)), measured, {"0": ZERO}
        need(2 <= self.size <= OPERATORS, "too few operators or too many")
        self.reads: list[list[int]] = [[]]
        self.sources: list[list[int]] = [[]]  # what it reads, each once: its edges
        self.group = [0]
        self.members: dict[int, list[int]] = {}
        nothing: list[Any] = [None]  # entry 0 of lists by operator, then by slot
        self.a, self.l, self.A, self.J, self.A3, self.b = (nothing[:] for _ in range(6))
        for v, operator in enumerate(operators, 1):
            self._operator(v, *fields(operator, "id reads group a l A J A3 b B K B3"))
        self.readers: list[list[tuple[int, int]]] = [[] for _ in self.reads]
        for v, slots in enumerate(self.reads):
            for k, u in enumerate(slots):
                self.readers[u].append((v, k))
        need(all(self.readers[1 : self.size]), "an operator does not reach the loss")
        self.run_from: dict[int, Any] = {}
        self.run_to: dict[int, Any] = {}
        inside: set[int] = set()
        for run in listed(runs):
            self._run(inside, *fields(run, "nodes norm affine"))
        self.levels = [
            self._level(*fields(level, "e m eps n dependence")) for level in listed(levels)
        ]
        #: The first operator from which on the graph is a chain without runs.
        self.tail = self.size + 1
        v = self.size
        while v > 1 and self.reads[v] == [v - 1] and v not in inside:
            self.tail, v = v, v - 1
        self.loss, nothing = loss, []
        self.schedule = nothing
        if loss is not None:
            self._loss(*fields(loss, "smoothness pl gap sigma batch step horizon schedule"))
        used = {0, *(entry[0] for entry in self.schedule)}
        need(used == set(range(len(self.levels))), "a level is missing or without use")

    def numbers(self, texts: Any, *shape: int, none: bool = False) -> Any:
        """Numbers in nested lists of these lengths, or null where that is allowed."""
        if shape:
            return [self.numbers(x, *shape[1:], none=none) for x in listed(texts, shape[0])]
        if texts is None and none:
            return None
        if type(texts) is not str or texts not in self.known:
            self.known[texts] = read(texts)
        return self.known[texts]

    def _operator(self, v: int, name: Any, reads: Any, group: Any, *constants: Any) -> None:
        need(type(name) is str, "an id is no text")
        slots = len(listed(reads))
        self.reads.append([whole(u, 1, v - 1) for u in reads])
        self.sources.append(list(dict.fromkeys(self.reads[v])))
        self.group.append(whole(group, 1, v))
        need(self.group[group] == group, "a group is not named after its first operator")
        self.members.setdefault(group, []).append(v)
        a, l, A, J, A3, b, B, K, B3 = constants
        self.a.append(self.numbers(a, slots))
        self.l.append(self.numbers(l, slots))
        self.b.append(self.numbers(b))
        self.A.append(self.numbers([*listed(A, slots), B], slots + 1, slots, none=True))
        self.J.append(self.numbers([*listed(J, slots), K], slots + 1, none=True))
        self.A3.append(self.numbers([*listed(A3, slots), B3], slots + 1, none=True))
        for row, change in zip(self.A[v], self.J[v]):
            need((change is None) != (None in row), "a change that no missing constant asks for")

    def _run(self, inside: set[int], nodes: Any, norm: Any, affine: Any) -> None:
        product, bound = ONE, self.numbers(norm)
        for v in listed(nodes):
            need(len(self.reads[whole(v, 1, self.size)]) == 1 and v not in inside, "not a run")
            need(not affine or self.A[v][0] == [0], "a run that is called affine and is not")
            inside.add(v)
            product = up(product * self.a[v][0])
        need(type(affine) is bool and len(nodes) >= 2 and bound <= product, "not a run")
        for u, v in zip(nodes, nodes[1:]):
            need(self.reads[v] == [u] and self.readers[u] == [(v, 0)], "not a run")
        self.run_from[nodes[0]] = self.run_to[nodes[-1]] = (nodes, bound, affine)

    def _level(self, e: Any, m: Any, eps: Any, n: Any, dependence: Any) -> Any:
        forward = [[ZERO, *self.numbers(x, self.size)] for x in (e, m)]
        need(forward[0][-1] == forward[1][-1] == 0, "noise after the loss has no effect")
        edges = [len(sources) for sources in self.sources[1:]]
        backward = [
            [[], *(self.numbers(row, k) for row, k in zip(listed(x, self.size), edges))]
            for x in (eps, n)
        ]
        for x in listed(dependence, self.size):
            whole(x, 0, 2)
        known = [2] * (self.size + 1)  # of all forward perturbations from an operator on
        for v in range(self.size - 1, 0, -1):
            known[v] = min(known[v + 1], dependence[v - 1]) if forward[0][v] else known[v + 1]
        zero = not any(forward[1]), not any(map(any, backward[1]))  # all forward, backward means
        return (*forward, *backward, known, [0, *dependence], *zero)

    def _loss(
        self, L: Any, mu: Any, gap: Any, sigma: Any, batch: Any, step: Any, T: Any, s: Any
    ) -> None:
        self.L, self.gap, self.sigma, self.step = self.numbers([L, gap, sigma, step], 4)
        self.mu, self.batch, self.T = self.numbers(mu, none=True), whole(batch, 1, 10**9), T
        need(self.L > 0 and self.step > 0 and self.step * self.L <= 1, "not 0 < step <= 1/L")
        need(mu is None or 0 < self.mu <= self.L, "not 0 < pl <= smoothness")
        for entry in listed(s):
            level, count, steps = listed(entry, 3)
            for part in listed([] if steps is None else steps):
                start, stride, length = listed(part, 3)
                whole(start, 0, 10**15), whole(stride, 1, 10**15), whole(length, 1, 10**15)
                need(start + stride * (length - 1) < whole(T, 1, 10**15), "a step after the end")
            need(steps is None or sum(part[2] for part in steps) == count, "steps not counted")
            level = whole(level, 0, len(self.levels) - 1)
            self.schedule.append((level, whole(count, 1, 10**15), steps))
        total = sum(entry[1] for entry in self.schedule)
        need(total == whole(T, 1, 10**15), "counts that do not add up")


# --------------------------------------------------------------------------------- rules


def known(numbers: Any, *places: int) -> Any:
    """The numbers, of which those at these places must be there."""
    need(all(numbers[place] is not None for place in places), "a constant is missing")
    return numbers


class Proof:
    """What the steps have proved so far; each rule is a method, its formula in the docstring."""

    def __init__(self, inputs: Inputs) -> None:
        self.g = inputs
        self.keys: list[tuple[Any, ...]] = []
        self.values: list[Fraction] = []
        self.used: set[int] = set()
        self.partial = False
        self.operands: list[Any] = []

    def take(self, quantity: str, *place: int) -> Any:
        """The next operand, which must be an earlier step that bounds this quantity."""
        if quantity in AT_LOSS and place[-1] == self.g.size:
            return AT_LOSS[quantity]
        need(self.operands, "a step lacks an operand")
        i = whole(self.operands.pop(0), 0, len(self.keys) - 1)
        need(self.keys[i] == (quantity, *place), "an operand is not what the rule needs")
        self.used.add(i)
        return self.values[i]

    def apply(self, step: Any) -> None:
        """Check one step."""
        rule, place, operands, result = fields(step, "rule at operands result")
        need(type(rule) is str and rule in RULES, "unknown rule")
        quantity, kind, method = RULES[rule]
        need(self.g.schedule or quantity not in OF_RUNS, "a rate without a run")
        self._place(kind, place)
        self.operands = listed(operands)
        value = up(method(self, *place))
        need(not self.operands, "a step has an operand too many")
        need(write(value) == result, "the result is not what the rule gives")
        self.partial = self.partial or rule in PARTIAL
        self.keys.append((quantity, *place))
        self.values.append(value)

    def _place(self, kind: str, place: Any) -> None:
        """Kinds of places: level, operator before the loss, slot, group, part of the schedule."""
        g, ends = self.g, {"L": len(self.g.levels), "u": self.g.size, "v": self.g.size + 1}
        ends["i"] = len(g.schedule)
        listed(place, len(kind))
        for letter, x in zip(kind, place):
            end = len(g.reads[place[1]]) + 1 if letter == "k" else ends.get(letter, g.size + 1)
            whole(x, letter in "uvg", end - 1)
            need(letter != "g" or x in g.members, "no group")

    def pulled(
        self,
        name: str,
        at: Any,
        u: int,
        source: Any = None,
        noise: Any = None,
        affine: bool = False,
    ) -> Any:
        """Sum over slots (v, k) that read u of a X_v + source; a run is taken whole (4.10)."""
        total = ZERO
        for v, k in self.g.readers[u]:
            nodes, norm, is_affine = self.g.run_from.get(v, (None, None, None))
            if nodes is None or (affine and not is_affine):
                total += self.g.a[v][k] * self.take(name, *at, v) + (source(v, k) if source else 0)
                continue
            total, x = total + norm * self.take(name, *at, nodes[-1]), ZERO
            for w in reversed(nodes):
                x = self.g.a[w][0] * x + (source(w, 0) if source else 0)
                x = up(x + noise[w][0]) if noise and w != v else up(x)
            total += x
        return total

    def leaving(self, u: int, table: Any) -> list[Fraction]:
        """What is added along the edges that leave u."""
        readers = dict.fromkeys(v for v, _ in self.g.readers[u])
        return [table[v][self.g.sources[v].index(u)] for v in readers]

    def squares(self, parts: list[tuple[Fraction, Fraction]]) -> Any:
        """(sum of x sqrt(W))^2."""
        if len(parts) == 1:
            return parts[0][0] ** 2 * parts[0][1]
        return sum((x * root(W) for x, W in parts), ZERO) ** 2

    def adjoint(self, u: int) -> Any:
        """V_u = sum a V_v bounds |v_u|."""
        return self.pulled("V", (), u)

    def size(self, L: int, v: int, centred: bool = False) -> Any:
        """s_v = sum l s_u + e_v; centred s_v^2 = (sum l s_u)^2 + e_v^2, if all m are 0."""
        e = self.g.levels[L][0]
        moved = sum((l * self.take("s", L, u) for l, u in zip(self.g.l[v], self.g.reads[v])), ZERO)
        need(centred == self.g.levels[L][6], "the rule is not for these forward means")
        return root(moved**2 + e[v] ** 2) if centred else moved + e[v]

    def size_run(self, L: int, v: int, centred: bool = False) -> Any:
        """norm s_x before the run, and the recurrence from 0 inside it (Lemma 4.10)."""
        e, x = self.g.levels[L][0], ZERO
        need(v in self.g.run_to, "no run ends here")
        need(centred == self.g.levels[L][6], "the rule is not for these forward means")
        nodes, norm, affine = self.g.run_to[v]
        passed = norm * self.take("s", L, self.g.reads[nodes[0]][0])
        for u, w in zip(nodes, nodes[1:]):
            l = self.g.l[w][0]
            x = up(l**2 * (x + e[u] ** 2) if centred else l * (x + e[u]))
        if not centred:
            return passed + x + e[v]
        return root((passed**2 + x if affine else (passed + root(x)) ** 2) + e[v] ** 2)

    def drift(self, L: int, v: int, k: int) -> Any:
        """D = sum A s_u bounds the change of a Jacobian; J where A is missing and inputs move."""
        row, moved = self.g.A[v][k], [self.take("s", L, u) for u in self.g.reads[v]]
        if None in row:
            return self.g.J[v][k] if any(moved) else ZERO
        return sum((A * s for A, s in zip(row, moved)), ZERO)

    def drift_saturated(self, L: int, v: int, k: int) -> Any:
        """2a, or 2b for the weights (Lemma 4.11)."""
        return 2 * (self.g.a[v][k] if k < len(self.g.reads[v]) else self.g.b[v])

    def mean_drift(self, L: int, v: int, k: int) -> Any:
        """M = sum A mu_u + A3/2 sum s_u^2 bounds its mean; D where a constant is missing."""
        row, third, reads = self.g.A[v][k], self.g.A3[v][k], self.g.reads[v]
        if None in row or third is None:
            return self.take("D", L, v, k)
        total = third / 2 * sum((self.take("s", L, u) ** 2 for u in reads), ZERO)
        return total + sum((A * self.take("mu", L, u) for A, u in zip(row, reads)), ZERO)

    def induced(self, L: int, u: int) -> Any:
        """R_u = sum (a R_v + V_v D)."""
        return self.pulled("R", (L,), u, lambda v, k: self.take("V", v) * self.take("D", L, v, k))

    def backward(self, L: int, u: int) -> Any:
        """h_u = sum a h_v + sum eps."""
        eps = self.g.levels[L][2]
        need(not self.g.levels[L][7], "the rule is not for these backward means")
        return self.pulled("h", (L,), u, noise=eps) + sum(self.leaving(u, eps))

    def backward_mean(self, L: int, u: int) -> Any:
        """nu_u = sum a nu_v + sum n."""
        n = self.g.levels[L][3]
        return self.pulled("nu", (L,), u, noise=n) + sum(self.leaving(u, n))

    def backward_squares(self, L: int, u: int) -> Any:
        """W_u = (sum a sqrt(W_v))^2 + sum eps^2, if all n are 0."""
        eps, parts = self.g.levels[L][2], []
        need(self.g.levels[L][7], "the rule is not for these backward means")
        for v, k in self.g.readers[u]:
            nodes, norm, _ = self.g.run_from.get(v, ((), ZERO, False))
            W, x = self.take("W", L, nodes[-1] if nodes else v), ZERO
            for w in reversed(nodes):
                x = up(self.g.a[w][0] ** 2 * x + (eps[w][0] ** 2 if w != v else 0))
            parts.append((ONE, norm**2 * W + x) if nodes else (self.g.a[v][k], W))
        return self.squares(parts) + sum(x**2 for x in self.leaving(u, eps))

    def mean(self, L: int, v: int) -> Any:
        """mu_v = sum a mu_u + sum A s_u s_u' / 2 + m_v; sum l s_u + m_v where some A is missing."""
        g, total = self.g, self.g.levels[L][1][v]
        s = [self.take("s", L, u) for u in g.reads[v]]
        if any(None in row for row in g.A[v][:-1]):
            return total + sum(l * x for l, x in zip(g.l[v], s))
        for k, u in enumerate(g.reads[v]):
            total += g.a[v][k] * self.take("mu", L, u)
            total += s[k] * sum(A * x for A, x in zip(g.A[v][k], s)) / 2
        return total

    def mean_run(self, L: int, v: int) -> Any:
        """norm mu_x before an affine run, and the recurrence from 0 inside it (Lemma 4.10)."""
        need(v in self.g.run_to and self.g.run_to[v][2], "no affine run ends here")
        (nodes, norm, _), m, x = self.g.run_to[v], self.g.levels[L][1], ZERO
        for u, w in zip(nodes, nodes[1:]):
            x = up(self.g.a[w][0] * (x + m[u]))
        return norm * self.take("mu", L, self.g.reads[nodes[0]][0]) + x + m[v]

    def product(self, L: int, v: int, k: int) -> Any:
        """P = D R_v: a beta + P bounds |E[Jacobian (v^_v - v_v)]|, with b for the weights."""
        return self.take("D", L, v, k) * self.take("R", L, v)

    def product_restarted(self, L: int, v: int, k: int, least: int) -> Any:
        """P = D T_v if noise from v on is independent; + D beta_v if conditionally bounded."""
        need(self.g.levels[L][4][v] >= least, "the perturbations may depend on each other")
        D, T = self.take("D", L, v, k), self.take("T", L, v)
        return D * T + (D * self.take("beta", L, v) if least == 1 else 0)

    def slope(self, u: int) -> Any:
        """lambda_u = A V_v + a l lambda_v, v = u + 1, where the rest is a chain."""
        v, g = u + 1, self.g
        need(v >= g.tail and None not in g.A[v][0], "no smooth chain from here on")
        follows = g.a[v][0] * g.l[v][0]
        return g.A[v][0][0] * self.take("V", v) + follows * self.take("lambda", v)

    def operator(self, v: int) -> Any:
        """min(l, a), a, A, A3, b, B, B3 of an operator of a chain without runs; l at a kink."""
        g = self.g
        need(g.tail == 2 <= v, "no chain without runs")
        (A,), (B,) = g.A[v]
        l = g.l[v][0] if A is None else min(g.l[v][0], g.a[v][0])
        return (l, g.a[v][0], A, g.A3[v][0], g.b[v], B, g.A3[v][1])

    def slope_least(self, u: int) -> Any:
        """Lambda_u = A V_v + a l Lambda_v, v = u + 1, l the least of l and a, as from here on."""
        l, a, A, *_ = known(self.operator(u + 1), 2)
        return A * self.take("V", u + 1) + a * l * self.take("Lambda", u + 1)

    def bend(self, u: int) -> Any:
        """M_u = A3 V_v + (2 l + a) A Lambda_v + a l^2 M_v, v = u + 1."""
        l, a, A, A3, *_ = known(self.operator(u + 1), 2, 3)
        V, slope, bend = (self.take(name, u + 1) for name in ("V", "Lambda", "bend"))
        return A3 * V + (2 * l + a) * A * slope + a * l**2 * bend

    def weight_slope(self, v: int) -> Any:
        """Lambda^u_v = B V_v + b l Lambda_v."""
        l, _, _, _, b, B, _ = known(self.operator(v), 5)
        return B * self.take("V", v) + b * l * self.take("Lambda", v)

    def weight_bend(self, v: int) -> Any:
        """kappa_v = B3 V_v + 2 B l Lambda_v + b (l^2 M_v + A Lambda_v)."""
        l, _, A, _, b, B, B3 = known(self.operator(v), 2, 5, 6)
        V, slope, bend = (self.take(name, v) for name in ("V", "Lambda", "bend"))
        return B3 * V + 2 * B * l * slope + b * (l**2 * bend + A * slope)

    def alone(self, L: int, v: int) -> Any:
        """t_v = l^2 t_u + e_v^2 adds up the squared effects of single perturbations."""
        inherited = (self.operator(v)[0] ** 2 * self.take("t", L, u) for u in self.g.reads[v])
        return sum(inherited, self.g.levels[L][0][v] ** 2)

    def alone_mean(self, L: int, v: int) -> Any:
        """mu'_v = l mu'_u + A t_u / 2 + m_v adds up their means."""
        total = self.g.levels[L][1][v]
        for u in self.g.reads[v]:
            t, (l, _, A, *_) = self.take("t", L, u), self.operator(v)
            need(A is not None or t == 0, "a constant is missing")
            total += l * self.take("mu'", L, u) + (A * t / 2 if t else 0)
        return total

    def after(self, L: int, u: int, sized: bool = False) -> Any:
        """Theta_u = a Theta_v + Lambda_u m_u + M_u e_u^2 / 2, v = u + 1; + Lambda_u e_u."""
        e, m = (column[u] for column in self.g.levels[L][:2])
        total = self.operator(u + 1)[1] * self.take("Theta", L, u + 1)
        if sized:
            return total + (self.take("Lambda", u) * e if e else 0)
        return total + self.take("Lambda", u) * m + self.take("bend", u) * e**2 / 2

    def superposed(self, L: int, v: int, mean: str = "", square: str = "") -> Any:
        """G_v = b Theta_v + Lambda^u_v mean + kappa_v square / 2, or Lambda^u_v s, at u = v - 1."""
        need(self.g.tail == 2, "no chain without runs")
        need(v > 1 or not mean, "nothing moves before the first operator")
        total = self.g.b[v] * self.take("Theta", L, v)
        for u in self.g.reads[v]:
            x = self.take(square or "s", L, u)
            if mean:
                x = x**2 if square == "s" else x
                total += self.take("Lambda^u", v) * self.take(mean, L, u)
                total += self.take("kappa", v) * x / 2
            elif x:
                total += self.take("Lambda^u", v) * x
        return total

    def restart(self, L: int, v: int) -> Any:
        """T_v = lambda_v l_v s_{v-1}: what v^_v changes by without the noise before v."""
        need(v >= self.g.tail, "no chain from here on")
        return self.take("lambda", v) * self.g.l[v][0] * self.take("s", L, v - 1)

    def induced_mean(self, L: int, u: int) -> Any:
        """beta_u = sum (a beta_v + P + V_v M)."""

        def source(v: int, k: int) -> Any:
            product = self.take("P", L, v, k)
            return product + self.take("V", v) * self.take("M", L, v, k)

        return self.pulled("beta", (L,), u, source, affine=True)

    def caused(self, L: int, v: int) -> Any:
        """C_v = b R_v + V_v D bounds the part of d_v that forward noise causes."""
        weights = len(self.g.reads[v])
        total = self.g.b[v] * self.take("R", L, v)
        return total + self.take("V", v) * self.take("D", L, v, weights)

    def caused_mean(self, L: int, v: int) -> Any:
        """G_v = b beta_v + P + V_v M bounds the mean of that part."""
        weights = len(self.g.reads[v])
        total = self.g.b[v] * self.take("beta", L, v) + self.take("P", L, v, weights)
        return total + self.take("V", v) * self.take("M", L, v, weights)

    def error(self, L: int, g: int) -> Any:
        """(sum over shared weights of C + b h)^2 bounds E|d_g|^2."""
        nodes, b = self.g.members[g], self.g.b
        need(not self.g.levels[L][7], "the rule is not for these backward means")
        return sum((self.take("C", L, v) + b[v] * self.take("h", L, v) for v in nodes), ZERO) ** 2

    def error_centred(self, L: int, g: int) -> Any:
        """(sum C)^2 + (sum b sqrt(W))^2."""
        need(self.g.levels[L][7], "the rule is not for these backward means")
        caused = [(self.take("C", L, v), self.take("W", L, v)) for v in self.g.members[g]]
        parts = [(self.g.b[v], W) for v, (_, W) in zip(self.g.members[g], caused)]
        return sum((C for C, _ in caused), ZERO) ** 2 + self.squares(parts)

    def bias(self, L: int, g: int) -> Any:
        """(sum G + b nu)^2 bounds |E d_g|^2."""
        nodes, b = self.g.members[g], self.g.b
        return sum((self.take("G", L, v) + b[v] * self.take("nu", L, v) for v in nodes), ZERO) ** 2

    def total(self, name: str, L: int) -> Any:
        """The sum over all groups."""
        return sum((self.take(name, L, g) for g in self.g.members), ZERO)

    def batch(self, L: int) -> Any:
        """((M - 1) bias^2 + error) / M for a batch of M (Lemma 6.4)."""
        M = self.g.batch
        return ((M - 1) * self.take("bias", L) + self.take("error", L)) / M

    def variance(self, L: int) -> Any:
        """(sigma + sqrt(error))^2 (Lemma 6.3 a)."""
        return (self.g.sigma + root(self.take("batch", L))) ** 2

    def variance_unbiased(self, L: int) -> Any:
        """sigma^2 + error, if the bias is 0 (Lemma 6.3 b)."""
        need(self.take("bias", L) == 0, "the bias is not zero")
        return self.g.sigma**2 + self.take("batch", L)

    def nonconvex(self) -> Any:
        """2 gap / (step T) + sum count (bias^2 + L step Var) / T (Theorem 6.1)."""
        g, total = self.g, ZERO
        for level, count, _ in g.schedule:
            bias, variance = self.take("bias", level), self.take("variance", level)
            total += count * (bias + g.L * g.step * variance)
        return (2 * g.gap / g.step + total) / g.T

    def discount(self, i: int) -> Any:
        """sum of (1 - pl step)^(T - 1 - t) over the steps t of a part; of part 0 over all t."""
        need(self.g.mu is not None, "no pl constant")
        q, total, T = 1 - self.g.mu * self.g.step, ZERO, self.g.T
        parts = [[0, 1, T]] if i == 0 else self.g.schedule[i][2]
        need(parts is not None, "a part needs its steps")
        for start, stride, length in parts:
            spread = 1 - power(q, stride, -1)
            need(spread > 0, "the pl constant is too small")
            last = power(q, T - 1 - start - stride * (length - 1), -1)
            total = up(total + last * (1 - power(q, stride * length, 1)) / spread)
        return total

    def pl(self) -> Any:
        """q^T gap + discount_0 c_0 + sum discount_i (c_i - c_0) (Theorem 6.2)."""
        g = self.g
        need(g.mu is not None, "no pl constant")
        parts, total = [], power(1 - g.mu * g.step, g.T, -1) * g.gap
        for i, (level, _, steps) in enumerate(g.schedule):
            bias, variance = self.take("bias", level), self.take("variance", level)
            parts.append(c := g.step / 2 * (bias + g.L * g.step * variance))
            need((steps is None) == (i == 0) and c >= parts[0], "a part needs its steps")
            total += self.take("discount", i) * (c if i == 0 else c - parts[0])
        return total


#: Bounds at the loss, which need no step: v_N = 1 is not perturbed.
AT_LOSS = dict.fromkeys(("R", "h", "W", "beta", "nu", "lambda", "Lambda", "bend", "Theta"), ZERO)
AT_LOSS["V"] = ONE

#: What needs a loss and a run.
OF_RUNS = {"batch", "variance", "nonconvex", "discount", "pl"}

#: Rules that need A3 for passes without some of the perturbations, (A3+) of section 4.11.
PARTIAL = {"restart", "superposed", "superposed.sites", "superposed.rms"}

#: Rule: what it bounds, where (see Proof._place), how, and where that is proved.
RULES: dict[str, tuple[str, str, Any]] = {
    "adjoint": ("V", "u", Proof.adjoint),  # Theorem 4.7, as the rules up to `error`
    "size": ("s", "Lu", Proof.size),
    "size.centred": ("s", "Lu", lambda p, L, v: p.size(L, v, True)),  # 4.9 (a)
    "size.run": ("s", "Lu", Proof.size_run),  # Lemma 4.10 (b)
    "size.run.centred": ("s", "Lu", lambda p, L, v: p.size_run(L, v, True)),
    "drift": ("D", "Lvk", Proof.drift),  # (4f)
    "drift.saturated": ("D", "Lvk", Proof.drift_saturated),
    "induced": ("R", "Lu", Proof.induced),
    "induced.saturated": ("R", "Lu", lambda p, L, u: 2 * p.take("V", u)),  # Lemma 4.11
    "caused": ("C", "Lv", Proof.caused),
    "caused.saturated": ("C", "Lv", lambda p, L, v: 2 * p.g.b[v] * p.take("V", v)),  # 4.11
    "backward": ("h", "Lu", Proof.backward),
    "backward.squares": ("W", "Lu", Proof.backward_squares),  # 4.9 (b)
    "error": ("error", "Lg", Proof.error),
    "error.centred": ("error", "Lg", Proof.error_centred),  # 4.9 (b)
    "error.total": ("error", "L", lambda p, L: p.total("error", L)),
    "mean": ("mu", "Lu", Proof.mean),  # Theorem 4.8, as the rules up to `bias.total`
    "mean.run": ("mu", "Lu", Proof.mean_run),  # Lemma 4.10 (b)
    "mean.rms": ("mu", "Lu", lambda p, L, v: p.take("s", L, v)),  # Lemma 4.4, as `.rms` below
    "mean_drift": ("M", "Lvk", Proof.mean_drift),  # (4e)
    "mean_drift.rms": ("M", "Lvk", lambda p, L, v, k: p.take("D", L, v, k)),
    "slope": ("lambda", "u", Proof.slope),  # section 4.9, as the rules up to `product`
    "restart": ("T", "Lv", Proof.restart),
    "product.conditional": ("P", "Lvk", lambda p, *at: p.product_restarted(*at, 1)),
    "product.independent": ("P", "Lvk", lambda p, *at: p.product_restarted(*at, 2)),
    "product": ("P", "Lvk", Proof.product),
    "induced_mean": ("beta", "Lu", Proof.induced_mean),
    "induced_mean.rms": ("beta", "Lu", lambda p, L, u: p.take("R", L, u)),
    "caused_mean": ("G", "Lv", Proof.caused_mean),
    "caused_mean.rms": ("G", "Lv", lambda p, L, v: p.take("C", L, v)),
    "slope.least": ("Lambda", "u", Proof.slope_least),  # Theorem 4.18, as the rules up to `.rms`
    "bend": ("bend", "u", Proof.bend),
    "weight_slope": ("Lambda^u", "v", Proof.weight_slope),
    "weight_bend": ("kappa", "v", Proof.weight_bend),
    "alone": ("t", "Lu", Proof.alone),
    "alone_mean": ("mu'", "Lu", Proof.alone_mean),
    "after": ("Theta", "Lu", Proof.after),
    "after.size": ("Theta", "Lu", lambda p, L, u: p.after(L, u, True)),
    "after.rms": ("Theta", "Lu", lambda p, L, u: p.take("R", L, u)),
    "superposed": ("G", "Lv", lambda p, L, v: p.superposed(L, v, "mu", "s")),
    "superposed.sites": ("G", "Lv", lambda p, L, v: p.superposed(L, v, "mu'", "t")),
    "superposed.rms": ("G", "Lv", Proof.superposed),
    "backward_mean": ("nu", "Lu", Proof.backward_mean),
    "bias": ("bias", "Lg", Proof.bias),
    "bias.total": ("bias", "L", lambda p, L: p.total("bias", L)),
    "batch": ("batch", "L", Proof.batch),  # Lemma 6.4 (a)
    "batch.minkowski": ("batch", "L", lambda p, L: p.take("error", L)),  # Lemma 6.4 (a)
    "variance": ("variance", "L", Proof.variance),
    "variance.unbiased": ("variance", "L", Proof.variance_unbiased),
    "nonconvex": ("nonconvex", "", Proof.nonconvex),
    "discount": ("discount", "i", Proof.discount),
    "pl": ("pl", "", Proof.pl),
}

#: Claim: the place it is proved at, and what is bounded.
CLAIMS: dict[str, tuple[tuple[int, ...], str]] = {
    "error": ((0,), "E|u~ - u|^2, the mean squared gradient error of one sample in level 0"),
    "bias": ((0,), "|E(u~ - u)|^2, the squared gradient bias of one sample in level 0"),
    "nonconvex": ((), "(1/T) sum of E|grad l(w_t)|^2 over t = 0 .. T-1"),
    "pl": ((), "E l(w_T) - l*"),
}


def ledger(g: Inputs, partial: bool) -> list[list[str]]:
    """The assumptions, from the inputs and the rules used; symbols as in docs/theory.md."""
    found = [
        ["A3", "on convex sets that hold all inputs of f_v, exact and perturbed, for all samples: "
         "|grad_u f_v| <= a and f_v is l-Lipschitz in y_u, grad_u f_v is A-Lipschitz in each "
         "input, |grad_w f_v| <= b, grad_w f_v is B-Lipschitz in y_u, and the derivatives of "
         "both in the inputs are A3- and B3-Lipschitz in all inputs together"],
        ["levels", "given weights and sample: root mean squares of forward and backward "
         "perturbations are at most e and eps, those of their means at most m and n, given the "
         "perturbed outputs before, and the forward pass and the backward perturbations before"],
    ]  # fmt: skip
    if partial:
        found.append(["A3+", "the convex sets hold the inputs, too, in passes without some of the "
                      "forward perturbations"])  # fmt: skip
    for i, (e, _, _, _, _, dependence, *zeros) in enumerate(g.levels):
        for side, zero in zip(("forward", "backward"), zeros):
            if zero:
                found.append(["zero-mean", f"level {i}: {side} conditional means are zero"])
        if any(x and y for x, y in zip(e, dependence)):
            found.append(["dependence", f"level {i}: given weights, sample and all forward "
                          "perturbations before, e and m bound the conditional moments of one "
                          "with dependence 1; one with dependence 2 is independent "
                          "of them"])  # fmt: skip
    if any(None in row for rows in g.A[1:] for row in rows):
        found.append(["kinks", "Jacobians with a null in A or B change by at most J or K"])
    if g.run_to:
        found.append(["runs", "norm bounds every product of Jacobians of the run; its operators "
                      "are affine, or elementwise with slopes that norm allows for"])  # fmt: skip
    if g.loss is not None:
        loss = [write(x) for x in (g.L, g.sigma, g.gap, g.step)]
        found += [
            ["A1", f"grad l is {loss[0]}-Lipschitz"],
            ["A2", f"the exact gradient is unbiased, its standard deviation at most {loss[1]}"],
            ["run", f"l(w_0) - l* <= {loss[2]}; {g.T} steps of size {loss[3]}; the levels act "
             "at as many steps, and at those steps, as the schedule says"],
        ]  # fmt: skip
        if g.batch > 1:
            found.append(["batch", f"a step averages {g.batch} samples; given weights and samples "
                          "their perturbations are independent"])  # fmt: skip
        if g.mu is not None:
            found.append(["A4", f"|grad l|^2 >= 2 {write(g.mu)} (l - l*)"])
    if g.measured:
        found.append(["measured", "some constants were measured on data and are not proved"])
    return found


# ---------------------------------------------------------------------------- the verdict


def digest(*parts: Any) -> str:
    """SHA-256 of JSON with sorted keys and no spaces."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise Unreadable("a key occurs twice")
    return dict(pairs)


def _integer(text: str) -> int:
    if len(text) > 16:
        raise Unreadable("an integer has more than 16 digits")
    return int(text)


def _refused(text: str) -> Any:
    raise Unreadable("numbers are integers or text, not " + text[:20])


def parse(data: bytes) -> Any:
    """The JSON of a certificate, without floats, NaN, repeated keys or huge integers."""
    if len(data) > BYTES:
        raise Unreadable(f"more than {BYTES} bytes")
    try:
        hooks: Any = {"object_pairs_hook": _once, "parse_int": _integer}
        hooks.update(parse_float=_refused, parse_constant=_refused)
        found = json.loads(data.decode("utf-8"), **hooks)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON: {str(error)[:200]}") from None
    if type(found) is not dict or found.get("format") != FORMAT:
        raise Unreadable(f"not in the format {FORMAT!r}")
    if type(found.get("version")) is not int or found["version"] != VERSION:
        raise Unreadable(f"not version {VERSION} of the format")
    return found


def check(data: bytes) -> dict[str, Any]:
    """What a certificate proves and assumes; Unreadable or Rejected if it proves nothing."""
    certificate = parse(data)
    _, _, by, spec, assumptions, inputs, steps, claims, left_out, checksum = fields(
        certificate,
        "format version boundcalc spec assumptions inputs steps claims not_covered digest",
    )
    for text in (by, spec, *listed(left_out)):
        need(type(text) is str, "expected a text")
    body = {key: value for key, value in certificate.items() if key != "digest"}
    need(checksum == digest(body), "the digest does not match: something was changed")
    graph = Inputs(inputs)
    proof, given, proved = Proof(graph), digest(by, spec, assumptions, inputs, left_out), []
    done: set[str] = set()
    for step in listed(steps):
        proof.apply(step)
        name = json.dumps([step["rule"], step["at"]])
        need(name not in done, "a step occurs twice")
        done.add(name)
    need(assumptions == ledger(graph, proof.partial), "the assumptions are not those of the steps")
    order = []
    for claim in listed(claims):
        names = "quantity statement bound step given"
        quantity, statement, bound, step, base = fields(claim, names)
        need(type(quantity) is str and quantity in CLAIMS, "unknown claim")
        place, meaning = CLAIMS[quantity]
        i = whole(step, 0, len(proof.keys) - 1)
        need(proof.keys[i] == (quantity, *place), "a step does not prove its claim")
        said = (write(proof.values[i]), f"{meaning} <= {bound}")
        need((bound, statement) == said, "a claim differs from what is proved")
        need(base == given, "a claim is about other inputs")
        proof.used.add(i)
        order.append(quantity)
        proved.append({"quantity": quantity, "meaning": meaning, "bound": bound,
                       "at_most": shown(proof.values[i])})  # fmt: skip
    need(order and order == [x for x in CLAIMS if x in order], "claims are missing or out of order")
    need(len(proof.used) == len(proof.keys), "a step that nothing uses")
    return {
        "spec": spec, "proved": proved, "assumptions": assumptions, "not_covered": left_out,
        "steps": len(steps), "operators": graph.size, "measured": graph.measured, "given": given,
    }  # fmt: skip


def verdict(path: str) -> tuple[int, dict[str, Any]]:
    """The exit code and what to say about a file."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - one file, few imports
            data = file.read(BYTES + 1)
        return 0, {"verdict": "accepted", **check(data)}
    except Rejected as error:
        return 1, {"verdict": "rejected", "reason": str(error)}
    except (Unreadable, OSError) as error:
        return 2, {"verdict": "not a certificate", "reason": str(error)}


def lines(found: dict[str, Any]) -> list[str]:
    """A verdict in words, in ASCII."""
    if "reason" in found:
        return [f"{found['verdict']}: {json.dumps(found['reason'])[1:-1]}"]
    given = ", given constants that were measured" if found["measured"] else ""
    return [
        f"accepted{given}: {json.dumps(found['spec'])}, {found['operators']} operators, "
        f"{found['steps']} steps",
        "proved, under the assumptions below:",
        *(f"  {x['meaning']} <= {x['at_most']}  (= {x['bound']})" for x in found["proved"]),
        f"assumed, with the numbers in the file's inputs ({found['given'][:16]}):",
        *(f"  {name}: {text}" for name, text in found["assumptions"]),
        *(f"not covered: {json.dumps(text)[1:-1]}" for text in found["not_covered"]),
    ]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python checker.py cert.json")
    code, said = verdict(sys.argv[1])
    print("\n".join(lines(said)))
    sys.exit(code)

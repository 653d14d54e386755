"""A C kernel for an operator type that has none: from its symbolic form.

What extensions get: their ``symbolic`` form is differentiated and written in C, one sample a
lane.  It is the formula as it stands, so that it overflows where the formula does, except
ln(1 + eᵗ) and 1/(1 + eᵗ).  At kinks it takes SymPy's derivative, such as ½ for |t|-like
maxima and 0 for a jump.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from boundcalc.operators.base import Operator, SymbolicForm
from boundcalc.simulate.compiled.expressions import (
    UnknownNodeError,
    condition_in_c,
    in_c,
    stabilised,
)
from boundcalc.simulate.compiled.kernels import Kernel, inputs_of

MOST_NUMBERS = 200  #: inputs, weights and outputs together
MOST_OPERATIONS = 20_000  #: of all outputs together

_OWN = "_boundcalc_"  # how the names of our own symbols begin

_ARGUMENTS = (
    "const real *restrict p, const real *restrict y, const real *restrict w,\n"
    "    const real *restrict label"
)


def symbolic_kernel(operator: Operator) -> Kernel | str:
    """The kernel of an operator that has its shapes, its header in ``text``; or why not.

    Refused: more than ``MOST_NUMBERS`` numbers or ``MOST_OPERATIONS`` operations, and
    functions without a counterpart in C.  Common parts are derived once, backwards, so that
    the kernel has a few times the operations of the form.

    Examples
    --------
    >>> from boundcalc.operators import Square
    >>> kernel = symbolic_kernel(Square().shaped(((2,),)))
    >>> print(next(iter(kernel.text.values())).split("FOR_LANES(b) {")[1].split("}")[0])
    <BLANKLINE>
        const real y0 = AT(y, 0)[b];
        const real y1 = AT(y, 1)[b];
        AT(out, 0)[b] = whole_power(y0, 2);
        AT(out, 1)[b] = whole_power(y1, 2);
    <BLANKLINE>
    """
    n = inputs_of(operator)
    m, k = operator.output_size(n), operator.weight_size(n)
    what = f"the operator type `{operator.type}` has no C kernel"
    if n + m + k > MOST_NUMBERS:
        return f"{what}, and none is made for more than {MOST_NUMBERS} inputs, weights and outputs"
    try:
        return _made(_checked(operator.symbolic(n), n, m, k))
    except UnknownNodeError as error:
        return f"{what}, and its symbolic form has {error}"


def _checked(form: SymbolicForm, n: int, m: int, k: int) -> SymbolicForm:
    """The form with SymPy outputs, if it has these sizes and symbols of its own."""
    import sympy

    known = [*form.inputs, *form.weights, form.label]
    if not all(isinstance(symbol, sympy.Symbol) for symbol in known):
        raise UnknownNodeError("inputs that are no symbols")
    if any(str(symbol).startswith(_OWN) for symbol in known):
        raise UnknownNodeError(f"a symbol whose name begins with {_OWN}")
    sizes = (len(form.inputs), len(form.outputs), len(form.weights), len(set(known)))
    if sizes != (n, m, k, n + k + 1):
        raise UnknownNodeError("other numbers of inputs, weights or outputs than the operator")
    try:
        # Strict: a text is refused, not parsed.
        outputs = [sympy.sympify(output, strict=True) for output in form.outputs]
    except sympy.SympifyError:
        raise UnknownNodeError("an output that is no expression") from None
    if sum(int(sympy.count_ops(output)) for output in outputs) > MOST_OPERATIONS:
        raise UnknownNodeError(f"more than {MOST_OPERATIONS} operations")
    if not set().union(*(output.free_symbols for output in outputs)) <= set(known):
        raise UnknownNodeError("a symbol that is neither an input, a weight nor the label")
    return SymbolicForm(form.inputs, form.weights, form.label, tuple(map(stabilised, outputs)))


@dataclass(frozen=True)
class _Lines:
    """C names of symbols, and the assignments written so far."""

    names: dict[Any, str]
    lines: list[str] = field(default_factory=list)

    def keep(self, symbol: Any, name: str, expression: Any) -> None:
        """A constant for one part of the form, known by its symbol from here on."""
        if _is_condition(expression):
            self.lines.append(f"const int {name} = {condition_in_c(expression, self.names)};")
        else:
            self.lines.append(f"const real {name} = {in_c(expression, self.names)};")
        self.names[symbol] = name

    def text(self) -> str:
        """The lines, as they stand in a loop over samples."""
        return "\n".join(f"    {line}" for line in self.lines)

    def say(self, target: str, expression: Any) -> None:
        """A result."""
        self.lines.append(f"{target} = {in_c(expression, self.names)};")


def _made(form: SymbolicForm) -> Kernel:
    import sympy

    parts, results = sympy.cse(form.outputs, symbols=sympy.numbered_symbols(f"{_OWN}c", real=True))
    names = {form.label: "label_b"}
    for letter, group in (("y", form.inputs), ("w", form.weights)):
        names |= {symbol: f"{letter}{i}" for i, symbol in enumerate(group)}
    used = set().union(*(x.free_symbols for x in form.outputs))
    loads = [_load(name) for symbol, name in names.items() if symbol in used]
    values = _Lines(names, loads)
    for i, (symbol, expression) in enumerate(parts):
        values.keep(symbol, f"c{i}", expression)
    forward, backward = _Lines({**names}, [*values.lines]), _Lines({**names}, [*values.lines])
    for i, expression in enumerate(results):
        forward.say(f"AT(out, {i})[b]", expression)
    _pull(form, parts, results, backward)
    texts = forward.text(), backward.text()
    name = f"symbolic_{hashlib.sha256(repr(texts).encode()).hexdigest()[:16]}"
    text = _header(name, *texts, weights=len(form.weights))
    return Kernel(name, (), text={f"{name}.h": text})


def _pull(
    form: SymbolicForm,
    parts: Sequence[tuple[Any, Any]],
    results: Sequence[Any],
    to: _Lines,
) -> None:
    """∇fᵀv from the results back through the parts, each derived once."""
    import sympy

    slopes: dict[Any, list[Any]] = {}

    def arrive(expression: Any, slope: Any) -> None:
        for x in sorted(expression.free_symbols - {form.label}, key=str):
            slopes.setdefault(x, []).append(slope * _derivative(expression, x))

    for j, expression in enumerate(results):
        v = sympy.Symbol(f"{_OWN}v{j}", real=True)
        to.names[v] = f"AT(v, {j})[b]"
        arrive(expression, v)
    for i, (symbol, expression) in reversed([*enumerate(parts)]):
        total = sympy.Add(*slopes.pop(symbol, []))
        if total != 0 and not _is_condition(expression):
            slope = sympy.Symbol(f"{_OWN}d{i}", real=True)
            to.keep(slope, f"d{i}", total)
            arrive(expression, slope)
    for wanted, target, group in (
        ("back", "AT(back, {})[b]", form.inputs),
        ("grad", "parts[{}][b]", form.weights),
    ):
        for i, x in enumerate(group):
            to.say(f"if ({wanted}) {target.format(i)}", sympy.Add(*slopes.get(x, [])))


def _is_condition(expression: Any) -> bool:
    from sympy.logic.boolalg import Boolean

    return isinstance(expression, Boolean) and not expression.is_Symbol


def _derivative(expression: Any, x: Any) -> Any:
    """The derivative almost everywhere: that of a jump is 0."""
    import sympy

    return expression.diff(x).replace(sympy.DiracDelta, lambda *_: sympy.Integer(0))


def _load(name: str) -> str:
    if name == "label_b":
        return "const real label_b = label[b];"
    letter, number = name[0], name[1:]
    value = f"w[{number}]" if letter == "w" else f"AT({letter}, {number})[b]"
    return f"const real {name} = {value};"


def _header(name: str, forward: str, backward: str, weights: int) -> str:
    unused = "(void)p, (void)y, (void)w, (void)label, (void)saved"
    room = f"  real parts[{max(weights, 1)}][LANES];\n"
    sums = "".join(f"    grad[{i}] += lane_sum(lanes, parts[{i}]);\n" for i in range(weights))
    guard = f"BOUNDCALC_{name.upper()}_H"
    return f"""/* Made from the symbolic form of an operator. */

#ifndef {guard}
#define {guard}
#include "symbolic.h"

KERNEL {name}_forward(const int lanes, {_ARGUMENTS}, real *restrict out,
    real *restrict saved) {{
  {unused};
  if (!out) return;
  FOR_LANES(b) {{
{forward}
  }}
}}

KERNEL {name}_backward(const int lanes, {_ARGUMENTS}, const real *restrict saved,
    const real *restrict v, real *restrict back, real *restrict grad) {{
  {unused}, (void)v, (void)back, (void)grad;
{room}  (void)parts;
  FOR_LANES(b) {{
{backward}
  }}
  if (grad) {{
{sums}  }}
}}

#endif
"""

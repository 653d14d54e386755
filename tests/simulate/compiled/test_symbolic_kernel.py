"""Kernels made from symbolic forms: equal to the NumPy operators, and nothing foreign in C."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from ctypes import CDLL
from typing import Any, ClassVar

import mpmath
import numpy as np
import numpy.typing as npt
import pytest
import sympy
from simulate.compiled.any_size import AnySize, source
from simulate.compiled.harness import library, needs_compiler

from boundcalc.operators import (
    GELU,
    Attention,
    CrossEntropyLoss,
    Dense,
    Embedding,
    GradientStep,
    HuberLoss,
    LayerNorm,
    LogisticLoss,
    Margin,
    MeanPool,
    Operator,
    ReLU,
    Sigmoid,
    SiLU,
    Sine,
    Softmax,
    Softplus,
    Spline,
    SquaredLoss,
    SymbolicForm,
    Tanh,
)
from boundcalc.operators.base import symbols
from boundcalc.simulate.compiled.expressions import UnknownNodeError, in_c, stabilised
from boundcalc.simulate.compiled.kernels import Kernel, inputs_of
from boundcalc.simulate.compiled.kernels_layers import LAYERS
from boundcalc.simulate.compiled.symbolic_kernel import MOST_NUMBERS, symbolic_kernel

Array = npt.NDArray[np.float64]
LANES = 16

CASES: dict[str, tuple[Operator, tuple[tuple[int, ...], ...]]] = {
    "attention": (Attention(heads=2, causal=True), ((2, 2), (2, 2), (2, 4))),
    "cross_entropy": (CrossEntropyLoss(), ((4,),)),
    "dense": (Dense(units=3), ((2, 4),)),
    "embedding": (Embedding(vocabulary=3, width=2), ((2,),)),
    "gelu": (GELU(), ((3,),)),
    "gelu-tanh": (GELU(approximation="tanh"), ((3,),)),
    "gradient_step": (
        GradientStep(objective="logistic", rows=[[1, 2], [-1, "1/3"]], labels=[1, -1], ridge=2),
        ((2,),),
    ),
    "huber": (HuberLoss(delta="1/2"), ((1,),)),
    "layer_norm": (LayerNorm(), ((2, 4),)),
    "logistic": (LogisticLoss(), ((1,),)),
    "margin": (Margin(), ((5,),)),
    "mean_pool": (MeanPool(kernel=2, stride=1, padding=1), ((1, 2, 3),)),
    "relu": (ReLU(bias=True), ((4,),)),
    "sigmoid": (Sigmoid(bias=True), ((4,),)),
    "silu": (SiLU(), ((4,),)),
    "sine": (Sine(), ((4,),)),
    "softmax": (Softmax(temperature="1/3"), ((2, 3),)),
    "softplus": (Softplus(), ((4,),)),
    "spline": (
        Spline(
            knots=[-2, -1, 1, 2],
            second=[0, 1, -1, 0],
            weight_value=1,
            weight_knots=[-1, "1/3", 1],
            weight_first=[0, 2, 0],
        ),
        ((1,),),
    ),
    "squared": (SquaredLoss(), ((1,),)),
    "tanh": (Tanh(), ((4,),)),
}


def made(name: str) -> Operator:
    operator, shapes = CASES[name]
    return operator.shaped(shapes)


def kernel_of(operator: Operator) -> Kernel:
    kernel = symbolic_kernel(operator)
    assert isinstance(kernel, Kernel), kernel
    return kernel


def with_text(kernels: list[Kernel]) -> CDLL:
    """One library: generated headers in place of their names."""
    text = source({kernel.name: len(kernel.sizes) for kernel in kernels}, "double", LANES)
    for kernel in kernels:
        for name, header in kernel.text.items():
            text = text.replace(f'#include "{name}"', header)
    return library(text)


def arrays(operator: Operator, samples: int) -> tuple[Array, Array, Array, Array]:
    rng = np.random.default_rng(3)
    n = inputs_of(operator)
    y, labels = rng.normal(size=(samples, n)), np.where(rng.random(samples) < 0.5, 1.0, -1.0)
    if isinstance(operator, Embedding):
        y = rng.integers(operator.vocabulary, size=(samples, n)).astype(float)
    if isinstance(operator, CrossEntropyLoss):
        labels = rng.integers(n, size=samples).astype(float)
    w = rng.normal(size=operator.weight_size(n))
    return y, w, labels, rng.normal(size=(samples, operator.output_size(n)))


@needs_compiler
def test_generated_kernels_are_their_operators() -> None:
    operators = {name: made(name) for name in CASES}
    kernels = {name: kernel_of(operator) for name, operator in operators.items()}
    together = with_text(list({kernel.name: kernel for kernel in kernels.values()}.values()))
    for name, operator in operators.items():
        y, w, labels, v = arrays(operator, samples=21)  # blocks of 16 and 5
        one = (y[None], w[None], labels[None])
        value = operator.forward(*one)[0]
        back, grads = (part[0] for part in operator.vjp(*one, v[None]))
        runner = AnySize(together, kernels[name], "double", LANES)
        found = runner.forward(y, w, labels, v.shape[1])
        np.testing.assert_allclose(found, value, rtol=1e-12, atol=1e-14, err_msg=name)
        found_back, found_grad = runner.backward(y, w, labels, v, True, True, True)
        np.testing.assert_allclose(found_back, back, rtol=1e-12, atol=1e-13, err_msg=name)
        total = grads.sum(axis=0)
        np.testing.assert_allclose(found_grad, total, rtol=1e-12, atol=1e-12, err_msg=name)
        alone, _ = runner.backward(y, w, labels, v, False, True, False)
        np.testing.assert_array_equal(alone, found_back, err_msg=name)


WRITTEN = ("layer_norm", "attention", "embedding", "gradient_step", "mean_pool")


@needs_compiler
def test_generated_kernels_are_the_written_ones() -> None:
    pairs = {name: (kernel_of(made(name)), LAYERS[name](made(name))) for name in WRITTEN}
    together = with_text([kernel for pair in pairs.values() for kernel in pair])
    for name, (generated, written) in pairs.items():
        operator = made(name)
        y, w, labels, v = arrays(operator, samples=19)
        runs = [AnySize(together, kernel, "double", LANES) for kernel in (generated, written)]
        values = [run.forward(y, w, labels, v.shape[1]) for run in runs]
        np.testing.assert_allclose(*values, rtol=1e-12, atol=1e-14)
        for part, other in zip(
            *(run.backward(y, w, labels, v, False, True, True) for run in runs), strict=True
        ):
            np.testing.assert_allclose(part, other, rtol=1e-12, atol=1e-12)


class Custom(Operator):
    """An extension: whatever a test wants its outputs to be."""

    type: ClassVar[str] = 'custom"; system("true'
    outputs: Any = None

    def output_size(self, inputs: int) -> int:
        return 1

    def weight_size(self, inputs: int) -> int:
        return inputs

    def forward(self, y: Array, w: Array, labels: Array) -> Array:
        raise NotImplementedError

    def vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        raise NotImplementedError

    def symbolic(self, inputs: int) -> SymbolicForm:
        y, w, label = symbols(inputs, inputs)
        return SymbolicForm(y, w, label, (self.outputs(y, w, label),))

    def input_constants(self, region: Any, data: Any) -> Any:
        raise NotImplementedError

    def weight_constant(self, region: Any, features: Any) -> Any:
        raise NotImplementedError


def custom(outputs: Any, inputs: int = 2) -> Kernel | str:
    return symbolic_kernel(Custom(outputs=outputs).shaped(((inputs,),)))


def evaluated(outputs: Any, at: list[float], weights: list[float]) -> tuple[Array, Array, Array]:
    """Value and both products for one sample, v = 1."""
    kernel = custom(outputs, len(at))
    assert isinstance(kernel, Kernel), kernel
    runner = AnySize(with_text([kernel]), kernel, "double", LANES)
    y, w, one = np.array([at]), np.array(weights), np.ones((1, 1))
    value = runner.forward(y, w, np.zeros(1), 1)
    back, grad = runner.backward(y, w, np.zeros(1), one, False, True, True)
    assert back is not None
    assert grad is not None
    return value[0], back[0], grad


@needs_compiler
def test_many_functions_and_conditions() -> None:
    def outputs(y: Any, w: Any, label: Any) -> Any:
        a, b = y
        inside = sympy.And(a > 0, sympy.Or(b < 1, sympy.Ne(label, 0)), sympy.Not(sympy.Eq(a, 3)))
        return (
            sympy.Piecewise((a**3 / w[0], inside), (sympy.sqrt(1 + b**2), a < -5), (b, True))
            + sympy.Max(a, b, w[1]) * sympy.Min(a, 2)
            + sympy.Abs(b) ** sympy.Rational(3, 2)
            + sympy.atan2(a, b)
            + sympy.log(a) * sympy.pi
            + a**b
            + sympy.cosh(w[0]) / b**2
            + sympy.sign(b)
            + sympy.floor(2)
            + sympy.exp(-a) ** 2
            + sympy.asinh(b)
        )

    at, weights = [0.7, -1.3], [1.9, 0.4]
    y, w, label = symbols(2, 2)
    form = sympy.lambdify((*y, *w, label), outputs(y, w, label), "mpmath")
    value, back, grad = evaluated(outputs, at, weights)
    with mpmath.workdps(60):
        point = [mpmath.mpf(x) for x in (*at, *weights, 0.0)]
        assert value[0] == pytest.approx(float(form(*point)), rel=1e-13)
        for i, found in enumerate((*back, *grad)):
            moved = [[x + s * (i == j) for j, x in enumerate(point)] for s in (1e-20, -1e-20)]
            slope = (form(*moved[0]) - form(*moved[1])) / (2 * mpmath.mpf(1e-20))
            assert found == pytest.approx(float(slope), rel=1e-12)


@needs_compiler
def test_softplus_and_sigmoid_do_not_overflow() -> None:
    value, back, _ = evaluated(lambda y, w, _: sympy.log(1 + sympy.exp(y[0])), [800.0], [0.0])
    assert (value[0], back[0]) == (800.0, 1.0)
    value, back, _ = evaluated(lambda y, w, _: y[0] / (1 + sympy.exp(-y[0])), [-800.0], [0.0])
    assert value[0] == pytest.approx(0.0, abs=1e-300)
    assert np.isfinite(back[0])


@needs_compiler
def test_nan_and_infinity_survive() -> None:
    for at in (np.nan, np.inf):
        value, _, _ = evaluated(lambda y, w, _: sympy.Max(y[0], 1) - y[0], [at], [0.0])
        assert np.isnan(value[0])
    value, _, _ = evaluated(lambda y, w, _: sympy.Piecewise((y[0], y[0] > 0)), [-1.0], [0.0])
    assert np.isnan(value[0])  # no condition holds


@needs_compiler
def test_constants_need_no_input() -> None:
    value, back, grad = evaluated(lambda y, w, _: sympy.Rational(1, 3), [1.0], [1.0])
    assert (value[0], back[0], grad[0]) == (1 / 3, 0.0, 0.0)


@pytest.mark.parametrize(
    ("outputs", "reason"),
    [
        (lambda y, w, _: sympy.Function("system")(y[0]), "`system`"),
        (lambda y, w, _: sympy.Function("exp")(y[0]), "`exp`"),
        (lambda y, w, _: sympy.gamma(y[0]), "`gamma`"),
        (lambda y, w, _: sympy.Symbol("abort()") * y[0], "a symbol that is neither"),
        (lambda y, w, _: "__import__('os').system('true')", "no expression"),
        (lambda y, w, _: sympy.Integer(10) ** 400 * y[0], "no float"),
        (lambda y, w, _: sympy.I * y[0], "no float"),
        (lambda y, w, _: sympy.besselj(0, y[0]), "besselj"),
    ],
)
def test_what_has_no_c_is_refused(outputs: Any, reason: str) -> None:
    found = custom(outputs)
    assert isinstance(found, str)
    assert reason in found


def test_sizes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    found = custom(lambda y, w, _: y[0], inputs=MOST_NUMBERS)
    assert isinstance(found, str)
    assert str(MOST_NUMBERS) in found
    # By module: `boundcalc.simulate` is a function as well.
    monkeypatch.setitem(symbolic_kernel.__globals__, "MOST_OPERATIONS", 50)
    found = custom(lambda y, w, _: sympy.Add(*(sympy.exp(i * y[0]) for i in range(51))))
    assert isinstance(found, str)
    assert "more than 50 operations" in found


#: Everything that may stand in a generated loop.
TOKEN = re.compile(
    r"\s+|\b(?:const|int|real|if|back|grad|AT|NO_NUMBER|INFINITE|__builtin_[a-z]+2?|real_exp|"
    r"real_log|larger|smaller|sign_of|size_of|step_of|whole_power|softplus|expit|label_b|label|"
    r"parts|out|[ywcd][0-9]+|[ywvb]|[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?)\b|"
    r"[-+*/()\[\],;=<>!?:&|]"
)


@pytest.mark.parametrize("name", CASES)
def test_generated_text_holds_numbers_and_our_names_only(name: str) -> None:
    (text,) = kernel_of(made(name)).text.values()
    for loop in text.split("FOR_LANES(b) {")[1:]:
        body = loop.split("\n  }")[0]
        assert TOKEN.sub("", body) == ""


def test_names_of_an_extension_stay_out_of_the_text() -> None:
    kernel = custom(lambda y, w, _: y[0] * w[0])
    assert isinstance(kernel, Kernel)
    (text,) = kernel.text.values()
    assert "system" not in text
    assert re.fullmatch(r"symbolic_[0-9a-f]{16}", kernel.name)
    y = sympy.Symbol('y"); abort(); ("', real=True)
    assert "abort" not in in_c(sympy.exp(y), {y: "y0"})
    with pytest.raises(UnknownNodeError):
        in_c(sympy.exp(y), {})


def test_numbers_are_those_of_the_form() -> None:
    values = (0.1, 1e-300, -2.5e300, 1 / 3, 5e-324)
    for value in values:
        text = in_c(sympy.Float(value, 17), {})
        assert float(re.sub(r"[()]|real", "", text)) == value


def test_stabilised_is_the_same_function() -> None:
    t = sympy.Symbol("t", real=True)
    form = sympy.log(1 + sympy.exp(2 * t)) + t / (1 + sympy.exp(-t)) ** 2
    functions = {type(x).__name__ for x in stabilised(form).atoms(sympy.Function)}
    assert functions == {"Softplus", "Expit"}
    assert stabilised(sympy.log(2 + sympy.exp(t))) == sympy.log(2 + sympy.exp(t))


def test_text_does_not_depend_on_the_process() -> None:
    # A name is a hash of the text, and libraries are kept by it.
    code = (
        "from boundcalc.operators import LayerNorm\n"
        "from boundcalc.simulate.compiled.symbolic_kernel import symbolic_kernel\n"
        "print(symbolic_kernel(LayerNorm().shaped(((2, 4),))).name)\n"
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "12345"},
    )
    assert done.stdout.strip() == kernel_of(made("layer_norm")).name

"""Attention: its passes against torch, its constants against an adversary."""

from itertools import pairwise

import numpy as np
import pytest
from adversary import ROUNDING, form_norm, hessians, jacobians, largest, thirds
from visits import number

from boundcalc.arithmetic import RATIONALS
from boundcalc.errors import SpecError
from boundcalc.operators.attention import Attention
from boundcalc.operators.attention_constants import third_bounds
from boundcalc.operators.base import Domain, Region
from boundcalc.spec.expressions import exact
from boundcalc.spec.grammar import parse

SLOTS = "qkv"


def in_balls(*radii):
    return tuple(Domain(parse(radius)) for radius in radii)


def in_boxes(*ends):
    return tuple(Domain(low=-end, high=end) for end in ends)


def slots_of(operator, domains):
    return operator.input_constants(Region(parts=domains), None).slots


def shaped(*shapes, **parameters):
    return Attention(**parameters).shaped(shapes)


def ends_of(operator):
    return np.cumsum([0, *(rows * columns for rows, columns in operator.shapes)])


def bounds_and_finds(operator, domains, orders):
    """(name, bound, the largest that a search finds, its rounding) for every constant."""
    rng = np.random.default_rng(0)
    ends = ends_of(operator)
    blocks = [slice(a, b) for a, b in pairwise(ends)]
    domains = tuple(
        domain.within(int(size)) for domain, size in zip(domains, np.diff(ends), strict=True)
    )
    slots = slots_of(operator, domains)

    def found(form):
        return largest(rng, lambda y: form_norm(rng, form(y)), domains, np.diff(ends))

    for u, slot in enumerate(slots):
        u_block = blocks[u]
        if 1 in orders:
            jac = found(lambda y, b=u_block: jacobians(operator, y)[..., b])
            yield f"a_{SLOTS[u]}", number(slot.jac_input), jac, ROUNDING[0]
        for v in range(u, 3) if 2 in orders else ():
            v_block = blocks[v]
            hess = found(lambda y, b=u_block, c=v_block: hessians(operator, y)[:, :, b][..., c])
            yield f"A_{SLOTS[u]}{SLOTS[v]}", number(slot.hess_input[v]), hess, ROUNDING[1]
            assert slots[v].hess_input[u] == slot.hess_input[v]
        if 3 in orders:
            third = found(lambda y, b=u_block: thirds(operator, y)[..., b])
            yield f"A'_{SLOTS[u]}", number(slot.third_input), third, ROUNDING[2]


def check(operator, domains, attained, orders=(1, 2)):
    """No bound is exceeded, and the share of it that is found is at least as listed."""
    shares = {}
    for name, bound, found, rounding in bounds_and_finds(operator, domains, orders):
        assert found <= bound * (1 + rounding) + rounding, name
        shares[name] = found / bound if bound else 1.0
    assert set(shares) == set(attained)
    assert {name: share for name, share in shares.items() if share < attained[name]} == {}


def test_constants_on_balls_are_nearly_attained():
    attained = {"a_q": 0.99, "a_k": 0.99, "a_v": 0.85, "A_qq": 0.99, "A_qk": 0.6, "A_qv": 0.99}
    attained |= {"A_kk": 0.99, "A_kv": 0.99, "A_vv": 1.0}
    check(shaped((2, 1), (2, 1), (2, 1)), in_balls(1, 1, 1), attained)


def test_constants_of_two_heads_are_nearly_attained():
    attained = {"a_q": 0.99, "a_k": 0.99, "a_v": 0.98}
    check(shaped((2, 2), (2, 2), (2, 2), heads=2), in_balls(2, 2, 2), attained, orders=(1,))


def test_causal_constants_are_nearly_attained():
    attained = {"a_q": 0.99, "a_k": 0.99, "a_v": 0.99, "A_qq": 0.99, "A_qk": 0.2, "A_qv": 0.99}
    attained |= {"A_kk": 0.99, "A_kv": 0.99, "A_vv": 1.0}
    check(shaped((2, 1), (2, 1), (2, 1), causal=True), in_balls(3, 2, 1), attained)


def test_constants_of_wide_tokens_and_long_rows_hold():
    attained = {"a_q": 0.75, "a_k": 0.9, "a_v": 0.85}
    check(shaped((2, 2), (3, 2), (3, 1)), in_balls(2, 2, 1), attained, orders=(1,))
    attained = {"a_q": 0.9, "a_k": 0.8, "a_v": 0.8, "A_qq": 0.65, "A_qk": 0.65, "A_qv": 0.8}
    attained |= {"A_kk": 0.45, "A_kv": 0.8, "A_vv": 1.0}
    check(shaped((1, 1), (4, 1), (4, 1)), in_boxes(1.0, 0.3, 0.5), attained)


def test_the_second_row_of_a_causal_layer_reads_two_keys():
    # So it may lean on one of them, however many rows follow.
    attained = {"a_q": 0.9, "a_k": 0.9, "a_v": 0.8}
    operator = shaped((4, 1), (4, 1), (4, 1), causal=True)
    check(operator, in_balls("1/10", 1, 1), attained, orders=(1,))


def test_third_derivatives_hold():
    attained = {"A'_q": 0.25, "A'_k": 0.5, "A'_v": 0.5}
    check(shaped((1, 1), (2, 1), (2, 1)), in_balls(2, 1, 1), attained, orders=(3,))


@pytest.mark.parametrize(
    ("keys", "queries", "attained"),
    [
        (2, 2, {"qqq": 0.95, "qkk": 0.2, "kkk": 0.95, "qqv": 0.95, "kkv": 0.95}),
        (3, "1/10", {"qqk": 0.5, "qkv": 0.75}),
    ],
)
def test_third_derivatives_hold_for_each_choice_of_inputs(keys, queries, attained):
    rng = np.random.default_rng(0)
    operator = shaped((1, 1), (keys, 1), (keys, 1))
    sizes = (1, keys, keys)
    domains = tuple(
        domain.within(size) for domain, size in zip(in_balls(queries, 2, 1), sizes, strict=True)
    )
    bounds = third_bounds(operator.bounds(domains, [domain.radius for domain in domains]))
    ends = np.cumsum([0, *sizes])
    blocks = {name: np.arange(*ends[i : i + 2]) for i, name in enumerate(SLOTS)}
    shares = {}
    for inputs in attained:
        a, b, c = (blocks[name] for name in inputs)

        def size(y, a=a, b=b, c=c):
            return form_norm(rng, thirds(operator, y)[:, :, a][:, :, :, b][..., c])

        shares[inputs] = largest(rng, size, domains, sizes, 60, 12) / number(bounds[inputs])
    assert all(share <= 1 + ROUNDING[2] for share in shares.values())
    assert {name: share for name, share in shares.items() if share < attained[name]} == {}


HALF = 1 / np.sqrt(2)
SKEW = 0.5 - 1 / np.sqrt(12)  # q(1 − q)(1 − 2q) is largest here


def logit(p):
    return np.log(p / (1 - p))


@pytest.mark.parametrize(
    ("q", "blocks", "constant"),
    [
        (0.0, "q", "jac_input"),
        (0.0, "k", "jac_input"),
        (0.0, "qv", "hess_input"),
        (0.0, "kv", "hess_input"),
        (logit(SKEW) / (2 * 3 * HALF), "qq", "hess_input"),
    ],
)
def test_bounds_on_balls_are_exact(q, blocks, constant):
    # Two keys and two values, opposite and as large as can be; R_k = 3, R_v = 5.
    operator = shaped((1, 1), (2, 1), (2, 1))
    slots = slots_of(operator, in_balls(2, 3, 5))
    parts = {"q": slice(0, 1), "k": slice(1, 3), "v": slice(3, 5)}
    y = np.array([[q, 3 * HALF, -3 * HALF, 5 * HALF, -5 * HALF]])
    if blocks in ("k", "kv"):  # keys may be 0 here, and the query is at its largest
        y[0, :3] = 2.0, 0.0, 0.0
    index = SLOTS.index(blocks[0])
    if constant == "jac_input":
        bound = number(slots[index].jac_input)
        form = jacobians(operator, y)[..., parts[blocks]]
    else:
        bound = number(slots[index].hess_input[SLOTS.index(blocks[1])])
        form = hessians(operator, y)[:, :, parts[blocks[0]]][..., parts[blocks[1]]]
    assert form_norm(np.random.default_rng(0), form)[0] == pytest.approx(bound, rel=1e-6)


def test_constants_are_formulas_where_radii_are():
    operator = shaped((1, 4), (2, 4), (2, 4))
    known = slots_of(operator, in_balls(2, 3, 5))
    assert known[0].jac_input.evaluate(RATIONALS) == parse("15/4").evaluate(RATIONALS)
    symbolic = slots_of(operator, in_balls("Q", "K", "V"))
    assert symbolic[0].jac_input.symbols == {"K", "V"}
    assert symbolic[1].third_input.symbols == {"Q", "K", "V"}
    values = {name: parse(text) for name, text in (("Q", "2"), ("K", "3"), ("V", "5"))}
    for slot, other in zip(symbolic, known, strict=True):
        assert number(slot.jac_input.substitute(values)) >= number(other.jac_input)
        for x, y in zip(slot.hess_input, other.hess_input, strict=True):
            assert number(x.substitute(values)) == pytest.approx(number(y))
        assert number(slot.third_input.substitute(values)) >= number(other.third_input)


def test_long_rows_in_a_box_have_small_constants():
    def constants(keys):
        domains = in_boxes(0.1, 1.0, 1.0)
        slots = slots_of(shaped((4, 1), (keys, 1), (keys, 1)), domains)
        return [number(slots[1].jac_input), number(slots[2].jac_input), number(slots[0].jac_input)]

    short, long = constants(16), constants(1600)
    # The weights of a row are all near 1/S; a query sees the spread of the keys, whatever S.
    assert long[0] == pytest.approx(short[0] / 10, rel=0.1)
    assert long[1] == pytest.approx(short[1] / 10, rel=0.1)
    assert long[2] == pytest.approx(1.0)


def test_one_key_is_read_whatever_the_scores():
    operator = shaped((3, 2), (1, 2), (1, 2))
    slots = slots_of(operator, in_balls(1, 1, 1))
    assert [number(slot.jac_input) for slot in slots] == pytest.approx([0, 0, np.sqrt(3)])
    y = np.random.default_rng(0).standard_normal((4, 10))
    found = jacobians(operator, y)
    np.testing.assert_array_equal(found[..., :8], 0.0)
    assert np.linalg.norm(found[..., 8:], ord=2, axis=(1, 2)) == pytest.approx(np.sqrt(3))


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        (((2, 3), (4, 3)), "three inputs"),
        (((2, 3), (4, 3), (4,)), "three inputs"),
        (((2, 3), (4, 2), (4, 5)), "one width"),
        (((2, 3), (4, 3), (5, 5)), "one number of rows"),
        (((2, 3), (4, 3), (4, 6)), "2 heads divide"),
        (((2, 4), (4, 4), (4, 6)), "as it is causal"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(shapes, expected):
    with pytest.raises(SpecError, match="do not fit") as caught:
        Attention(heads=2, causal=True).shaped(shapes)
    assert expected in (caught.value.expected or "")
    assert str(shapes[0]) in str(caught.value.value)


@pytest.mark.parametrize(("missing", "name"), [(0, "1 (q)"), (1, "2 (k)"), (2, "3 (v)")])
def test_an_unbounded_input_is_named(missing, name):
    domains = [Domain(exact(1))] * 3
    domains[missing] = Domain()
    operator = shaped((1, 1), (2, 1), (2, 1))
    with pytest.raises(SpecError) as caught:
        slots_of(operator, tuple(domains))
    assert caught.value.problem == (
        f"the constant jac_input of a `attention` operator needs a bound on its input {name}"
    )
    # One ball for all of them will do.
    assert operator.input_constants(Region(input=exact(1), parts=tuple(domains)), None).slots


def test_the_output_is_an_average_of_values():
    operator = shaped((4, 1), (100, 1), (100, 1))
    box = Domain(low=-1.0, high=3.0)
    domain = operator.output_domain(Region(parts=(*in_boxes(0.1, 0.1), box)), None)
    assert (domain.low, domain.high) == (-1.0, 3.0)
    # ‖V‖ ≤ 30, and all weights are within e^±0.02 of 1/100.
    assert number(domain.radius) == pytest.approx(30 * np.sqrt(4 / 100), rel=0.02)


@pytest.mark.parametrize(("heads", "causal"), [(1, False), (3, False), (2, True)])
def test_passes_are_those_of_torch(heads, causal):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    rows, keys, width, read = 5, 5 if causal else 7, 6, 12
    operator = shaped((rows, width), (keys, width), (keys, read), heads=heads, causal=causal)
    parts = [rng.standard_normal((3, *shape)) for shape in operator.shapes]
    inputs = [torch.tensor(part, requires_grad=True) for part in parts]
    by_head = [x.reshape(*x.shape[:2], heads, -1).transpose(1, 2) for x in inputs]
    output = torch.nn.functional.scaled_dot_product_attention(*by_head, is_causal=causal)
    output = output.transpose(1, 2).reshape(3, -1)
    y = np.concatenate([part.reshape(3, -1) for part in parts], axis=1)[None]
    v = rng.standard_normal((1, 3, rows * read))
    w, labels = np.zeros((1, 0)), np.zeros((1, 3))
    np.testing.assert_allclose(operator.forward(y, w, labels)[0], output.detach(), rtol=1e-12)
    output.backward(torch.tensor(v[0]))
    wanted = np.concatenate([x.grad.reshape(3, -1) for x in inputs], axis=1)
    np.testing.assert_allclose(operator.vjp(y, w, labels, v)[0][0], wanted, rtol=1e-9, atol=1e-13)

"""What the formats hold, against other libraries and the bits themselves."""

from fractions import Fraction

import numpy as np
import pytest
from pydantic import ValidationError

from boundcalc.errors import SpecError
from boundcalc.perturbations import BitFlip, NumberFormat
from boundcalc.perturbations.formats import FORMATS, FloatFormat, format_named
from boundcalc.perturbations.formats.codes import decoded, encoded, positions

FLOATS = [form for form in FORMATS.values() if isinstance(form, FloatFormat)]
ML_DTYPES = {
    "bf16": "bfloat16",
    "fp8_e5m2": "float8_e5m2",
    "fp8_e4m3": "float8_e4m3fn",
    "fp6_e3m2": "float6_e3m2fn",
    "fp6_e2m3": "float6_e2m3fn",
    "fp4_e2m1": "float4_e2m1fn",
}


@pytest.mark.parametrize("name", ML_DTYPES)
def test_facts_of_ml_dtypes(name):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    form, info = FORMATS[name], ml_dtypes.finfo(getattr(ml_dtypes, ML_DTYPES[name]))
    assert float(form.largest) == float(info.max)
    assert float(form.normal) == float(info.smallest_normal)
    assert float(form.step) == float(info.smallest_subnormal)
    assert (form.bits, form.mantissa) == (info.bits, info.nmant)


@pytest.mark.parametrize(("name", "dtype"), [("fp16", np.float16), ("fp32", np.float32)])
def test_facts_of_numpy(name, dtype):
    form, info = FORMATS[name], np.finfo(dtype)
    assert float(form.largest) == float(info.max)
    assert float(form.normal) == float(info.smallest_normal)
    assert float(form.spacing) == float(info.eps)
    assert form.bits == info.bits


@pytest.mark.parametrize(
    ("name", "bits", "digits", "largest"),
    [
        ("tf32", 19, 10, Fraction(2**128 - 2**117)),
        ("fp8_e4m3", 8, 3, Fraction(448)),
        ("fp8_e5m2", 8, 2, Fraction(57344)),
        ("fp6_e3m2", 6, 2, Fraction(28)),
        ("fp6_e2m3", 6, 3, Fraction(15, 2)),
        ("fp4_e2m1", 4, 1, Fraction(6)),
    ],
)
def test_facts_of_the_specifications(name, bits, digits, largest):
    form = FORMATS[name]
    assert (form.bits, form.mantissa, form.largest) == (bits, digits, largest)


@pytest.mark.parametrize(("name", "top"), [("int4", 7), ("int8", 127), ("int16", 32767)])
def test_integers_are_symmetric(name, top):
    assert FORMATS[name].largest == top


@pytest.mark.parametrize(
    "form",
    [form for form in FLOATS if form.bits <= 16],  # whose codes can all be listed
    ids=lambda form: form.name,
)
def test_step_at_is_the_largest_gap_below(form):
    values = decoded(np.arange(2 ** (form.bits - 1)), form)
    values = values[np.isfinite(values)]
    gaps = np.maximum.accumulate(np.diff(values))
    for at in range(0, len(gaps), max(1, len(gaps) // 500)):
        assert float(form.step_at(Fraction(values[at + 1]))) == gaps[at]


# --- codes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in FORMATS if FORMATS[name].bits <= 19])
def test_every_code_goes_round(name):
    form = FORMATS[name]
    codes = np.arange(2**form.bits)
    values = decoded(codes, form)
    kept = np.isfinite(values)
    assert np.array_equal(encoded(values[kept], form), codes[kept])
    assert np.nanmax(np.where(np.isfinite(values), values, 0.0)) == float(form.largest)


@pytest.mark.parametrize("name", ML_DTYPES)
def test_codes_of_ml_dtypes(name):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    form = FORMATS[name]
    kind = np.uint16 if form.bits == 16 else np.uint8
    codes = np.arange(2**form.bits)
    with np.errstate(invalid="ignore"):  # signalling NaN
        theirs = codes.astype(kind).view(getattr(ml_dtypes, ML_DTYPES[name])).astype(np.float64)
    np.testing.assert_array_equal(decoded(codes, form), theirs)


@pytest.mark.parametrize(
    ("name", "dtype", "kind"), [("fp16", np.float16, np.uint16), ("fp32", np.float32, np.uint32)]
)
def test_codes_of_numpy(name, dtype, kind):
    form, rng = FORMATS[name], np.random.default_rng(0)
    codes = rng.integers(2**form.bits, size=50_000)
    theirs = codes.astype(kind).view(dtype)
    with np.errstate(invalid="ignore"):
        wide = theirs.astype(np.float64)
    np.testing.assert_array_equal(decoded(codes, form), wide)
    kept = np.isfinite(theirs)
    assert np.array_equal(encoded(wide[kept], form), codes[kept])


def test_parts_of_a_code():
    form = FORMATS["bf16"]
    parts = [positions(form, part) for part in ("mantissa", "exponent", "sign")]
    assert parts == [tuple(range(7)), tuple(range(7, 15)), (15,)]
    assert positions(form, "all") == tuple(range(16))
    with pytest.raises(SpecError, match="no exponent bits"):
        positions(FORMATS["int8"], "exponent")


# --- names ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("e4m3", "fp8_e4m3"),
        ("float8_e5m2", "fp8_e5m2"),
        ("FP16", "fp16"),
        ("bfloat16", "bf16"),
        ("int-8", "int8"),
        ("bf15", "bf16"),
        ("fixed", "uniform"),
    ],
)
def test_other_names_are_errors_with_the_right_one(name, near):
    with pytest.raises(SpecError, match=f"write {near}"):
        format_named(name, "uniform")
    with pytest.raises(ValidationError, match="no number format has that name"):
        NumberFormat(format=name)


def test_bit_flip_has_no_uniform_format():
    with pytest.raises(ValidationError, match="no number format"):
        BitFlip(format="uniform", rate=0)
    with pytest.raises(SpecError, match="choose one of these"):
        format_named("zzzzzz")

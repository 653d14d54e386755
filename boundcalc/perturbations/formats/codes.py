"""The bits of numbers: sign, exponent field, stored digits; two's complement for integers.

Bit 0 is the last digit of the significand, bit ``bits − 1`` the sign.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from boundcalc.errors import SpecError
from boundcalc.perturbations.base import Array
from boundcalc.perturbations.formats.table import FloatFormat, Format

Codes: TypeAlias = npt.NDArray[np.int64]

#: Names for sets of bits.
Part: TypeAlias = Literal["all", "sign", "exponent", "mantissa"]


def positions(form: Format, part: Part) -> tuple[int, ...]:
    """The bits of a part.

    Raises
    ------
    SpecError
        The format has no such bits.

    Examples
    --------
    >>> from boundcalc.perturbations.formats.table import FORMATS
    >>> positions(FORMATS["fp8_e4m3"], "exponent")
    (3, 4, 5, 6)
    """
    digits = form.mantissa if isinstance(form, FloatFormat) else form.bits - 1
    found = {
        "all": range(form.bits),
        "sign": range(form.bits - 1, form.bits),
        "exponent": range(digits, form.bits - 1),
        "mantissa": range(digits),
    }[part]
    if not found:
        raise SpecError(
            f"the format {form.name} has no {part} bits",
            expected="bits that the format has",
            fix="choose `bits: all`, `sign` or `mantissa`, or a list of positions",
        )
    return tuple(found)


def encoded(values: Array, form: Format) -> Codes:
    """The code of each value; every value is a finite number of the format.

    >>> from boundcalc.perturbations.formats.table import FORMATS
    >>> encoded(np.array([1.0, -448.0, 2.0**-9]), FORMATS["fp8_e4m3"])
    array([ 56, 254,   1])
    """
    if not isinstance(form, FloatFormat):
        return np.asarray(values.astype(np.int64) & ((1 << form.bits) - 1))
    size = np.abs(values)
    exponent = np.where(size > 0, np.frexp(size)[1] - 1, form.smallest)
    e = np.maximum(exponent, form.smallest)
    digits = np.ldexp(size, form.mantissa - e).astype(np.int64)
    # The leading digit of a normal number adds the 1 by which its exponent field is larger.
    code = ((e.astype(np.int64) - form.smallest) << form.mantissa) + digits
    sign = np.signbit(values).astype(np.int64) << (form.bits - 1)
    return np.asarray(code | sign)


def decoded(codes: Codes, form: Format) -> Array:
    """The number of each code; infinities and NaN where codes mean those.

    >>> from boundcalc.perturbations.formats.table import FORMATS
    >>> decoded(np.array([0x38, 0x7E, 0x7F, 0xB8]), FORMATS["fp8_e4m3"])
    array([  1., 448.,  nan,  -1.])
    """
    sign = codes >> (form.bits - 1)
    if not isinstance(form, FloatFormat):
        return np.asarray((codes - (sign << form.bits)).astype(np.float64))
    field = (codes >> form.mantissa) & ((1 << form.exponent) - 1)
    digits = codes & ((1 << form.mantissa) - 1)
    whole = digits + ((field > 0).astype(np.int64) << form.mantissa)
    size = np.ldexp(whole.astype(np.float64), np.maximum(field, 1) - 1 + _lowest(form))
    highest = field == (1 << form.exponent) - 1
    if form.specials == "ieee":
        size = np.where(highest, np.where(digits == 0, np.inf, np.nan), size)
    elif form.specials == "one nan":
        size = np.where(highest & (digits == (1 << form.mantissa) - 1), np.nan, size)
    return np.asarray(np.where(sign > 0, -size, size))


def _lowest(form: FloatFormat) -> int:
    """The exponent of the distance of neighbours below the smallest normal number."""
    return form.smallest - form.mantissa

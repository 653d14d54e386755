"""From a claim file to a claim; like a spec, a claim file is untrusted input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import ValidationError

from boundcalc.arithmetic import RATIONALS
from boundcalc.errors import ExpressionError, InexactError, SpecError, nearest
from boundcalc.spec.expressions import Expression, smallest
from boundcalc.spec.fields import Frozen
from boundcalc.spec.grammar import RESERVED
from boundcalc.spec.places import Places, Trail
from boundcalc.spec.problems import Problem, as_error, found
from boundcalc.spec.reading import bytes_of, plain_data
from boundcalc.spec.validation import problems_in
from boundcalc.verify.claims.formulas import INDICES, ZERO, written_out
from boundcalc.verify.claims.model import MOMENTS, Box, ChainClaim, Claim, ClaimFile, Formulas

#: Rows of constants by operator.
Rows: TypeAlias = dict[str, tuple[Expression | None, ...]]

_HIGHEST = 10**6  # of an end of an interval


def load_claim(path: str | Path) -> Claim:
    """Read a claim from a YAML or JSON file.

    Raises
    ------
    SpecError
        If the file cannot be read or breaks the format, with file, line and path.

    Examples
    --------
    >>> from boundcalc.resources import folder
    >>> claim = load_claim(folder("specs") / "claims" / "published-error.yaml")
    >>> claim.statement, sorted(claim.chains)
    ('error', [2, 3, 4, 5])
    """
    path = Path(path)
    return loads_claim(bytes_of(path), name=path.name)


def loads_claim(
    text: str | bytes,
    name: str = "<claim>",
    format: Literal["yaml", "json"] | None = None,  # noqa: A002 - the word of the interface
) -> Claim:
    """Read a claim from text; see :func:`load_claim`."""
    raw, places = plain_data(text, name, format)
    if not isinstance(raw, dict):
        raise SpecError(
            "the claim file is empty" if raw is None else "this is not a claim file",
            where=name,
            value=None if raw is None else found(raw),
            expected="`version:`, `claim:`, `statement:`, `operators:` and `coefficients:`",
            fix="begin with the line `version: 1`",
        )
    try:
        file = ClaimFile.model_validate(raw)
    except ValidationError as error:
        raise as_error(problems_in(error, raw, ClaimFile), places) from None
    reader = _Reader(file, places)
    box = reader.box()
    chains = {size: reader.chain(size) for size in reader.sizes()}
    return Claim(
        name=file.claim,
        statement=file.statement,
        zero_mean=file.assumptions.zero_mean,
        box=box,
        chains=chains,
        file=file,
        places=places,
    )


class _Reader:
    """A validated file on its way to a claim."""

    def __init__(self, file: ClaimFile, places: Places) -> None:
        self.file = file
        self.places = places

    def wrong(self, path: Trail, problem: str, value: object, expected: str, fix: str) -> SpecError:
        return as_error([Problem(path, problem, value, expected, fix)], self.places)

    def sizes(self) -> list[int]:
        """The numbers of operators, in order."""
        given = self.file.operators
        sizes = sorted({given} if isinstance(given, int) else set(given))
        chain = self.file.chain
        if chain is not None and sizes != [len(chain)]:
            raise self.wrong(
                ("chain",),
                "the number of operators does not fit",
                found(chain),
                "one entry for each of `operators`",
                f"write operators: {len(chain)}",
            )
        return sizes

    def box(self) -> Box:
        """The interval of every symbol, exact."""
        box: dict[str, tuple[Fraction, Fraction]] = {}
        for name, given in self.file.constants.items():
            path: Trail = ("constants", name)
            if name in RESERVED or name in INDICES or name == "sum":
                words = ", ".join(sorted({*RESERVED, *INDICES, "sum"}))
                raise self.wrong(
                    path,
                    f"{name} cannot be a symbol",
                    name,
                    f"a name without a meaning of its own, as {words} have",
                    f"rename it, to {name}_0 for example",
                )
            ends = given if isinstance(given, list) else [given, given]
            low, high = (self.end(end, path) for end in ends)
            if low > high:
                raise self.wrong(
                    path,
                    "the interval is empty",
                    f"[{low}, {high}]",
                    "the lower end first",
                    f"write [{high}, {low}]",
                )
            box[name] = (low, high)
        return box

    def end(self, value: Expression, path: Trail) -> Fraction:
        """An end of an interval as an exact number."""
        try:
            number = Fraction(value.evaluate(RATIONALS)) if not value.symbols else None
        except InexactError:
            number = None
        except ExpressionError as error:
            raise self.wrong(path, error.problem, value.source, "a number", "write one") from None
        if number is None or not 0 <= number <= _HIGHEST:
            raise self.wrong(
                path,
                "an end of an interval is not a rational number of a size that fits",
                value.source,
                f"a number from 0 to {_HIGHEST}, without symbols and roots",
                "round it outward",
            )
        return number

    def chain(self, size: int) -> ChainClaim:
        """The claim for one length."""
        rows = self.uniform(size) if self.file.uniform is not None else self.listed()
        return ChainClaim(size, rows, self.coefficients(size))

    def uniform(self, size: int) -> Rows:
        """a = b = jac, ℓ = lip, A = hess, B = min(hess, hess_op), A′ = B′ = third."""
        u = self.file.uniform
        assert u is not None  # noqa: S101 - the caller looked
        self.all_known(u, ("uniform",))
        mixed = u.hess if u.hess_op in (None, u.hess) else smallest(u.hess, u.hess_op)
        row = (u.jac, u.jac, u.lip or u.jac, u.hess, mixed, u.third, u.third)
        return {key: (value,) * size for key, value in zip(ROW_KEYS, row, strict=True)}

    def listed(self) -> Rows:
        """The constants of every operator."""
        chain = self.file.chain or []
        for position, section in enumerate(chain):
            self.all_known(section, ("chain", position))
        rows = {
            key: tuple(getattr(section, name) for section in chain)
            for key, name in ROW_KEYS.items()
        }
        rows["l"] = tuple(section.lip_input or section.jac_input for section in chain)
        return rows

    def all_known(self, section: Frozen, path: Trail) -> None:
        """Raise SpecError if a constant of a section has an unknown symbol."""
        for key in type(section).model_fields:
            value = getattr(section, key)
            if value is not None:
                self.known(value, (*path, key))

    def known(self, value: Expression, path: Trail, extra: Sequence[str] = ()) -> None:
        """Raise SpecError if an expression has a symbol that has no interval."""
        unknown = sorted(value.symbols - self.file.constants.keys())
        if unknown:
            name = unknown[0]
            symbols = [*self.file.constants, *extra]
            close = nearest(name, symbols)
            raise self.wrong(
                path,
                f"unknown symbol {name!r}",
                value.source,
                "one of " + ", ".join(symbols) if symbols else "numbers",
                f"did you mean {close!r}?" if close else f"add it: constants: {{{name}: [0, 1]}}",
            )

    def coefficients(self, size: int) -> dict[str, tuple[Expression, ...]]:
        """The coefficients of the statement at every site."""
        section = self.file.coefficients
        moments = MOMENTS[self.file.statement]
        for key in section.model_fields_set - set(moments):
            raise self.wrong(
                ("coefficients", key),
                f"a claim about the {self.file.statement} has no coefficient {key!r}",
                None,
                "one of " + ", ".join(moments),
                "remove it, or change `statement`",
            )
        return {key: tuple(self.column(getattr(section, key), key, size)) for key in moments}

    def column(self, given: Formulas | None, key: str, size: int) -> Iterator[Expression]:
        """One coefficient at the sites i = 1..N−1."""
        path: Trail = ("coefficients", key)
        if isinstance(given, dict):
            if str(size) not in given:
                raise self.wrong(
                    path,
                    f"no coefficients for {size} operators",
                    found(given),
                    "an entry for each of `operators`",
                    f"add {size}: …",
                )
            path, given = (*path, str(size)), given[str(size)]
        if isinstance(given, list) and len(given) != size - 1:
            raise self.wrong(
                path,
                "the number of coefficients does not fit",
                found(given),
                f"{size - 1}: one for each site i = 1..N−1 with N = {size}",
                "give one for each site, or one formula in i",
            )
        for i in range(1, size):
            if given is None:
                yield ZERO
                continue
            at = (*path, i - 1) if isinstance(given, list) else path
            text = given[i - 1] if isinstance(given, list) else given
            yield self.expression(text, at, {"N": size, "i": i})

    def expression(self, text: str, path: Trail, indices: dict[str, int]) -> Expression:
        """A coefficient at one site."""
        try:
            value = written_out(text, indices, self.file.constants)
        except ExpressionError as error:
            raise self.wrong(
                path,
                error.problem,
                error.value,
                error.expected or "an expression",
                error.fix or "see docs/claims.md",
            ) from None
        self.known(value, path, INDICES)
        return value


#: Rows of per-operator constants, by the field names of ``ChainConstants`` → keys of a spec.
ROW_KEYS = {
    "a": "jac_input",
    "b": "jac_weight",
    "l": "lip_input",
    "A": "hess_input",
    "B": "hess_mixed",
    "A3": "third_input",
    "B3": "third_mixed",
}

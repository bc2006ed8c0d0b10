"""Columns that the marts on assets share: estimates with their intervals, and tests."""

from __future__ import annotations

from dataclasses import replace

from liquidity_pipeline.contracts.table import Column, day, moment, number, text

KNOWN_AT = moment("known_at", "When the last record behind the row was public")

AS_OF = day("as_of", "Wednesday up to which data are used")

WINDOW = text(
    "window_name", "Weeks used: the last 156, or all so far", allowed=("trailing_156w", "expanding")
)

PER_DRIVER = "percent per USD bn; percent per bp for sofr_iorb_change"

CORRELATION = "-1 to 1"


def correlation(name: str, meaning: str, *, nullable: bool = True) -> Column:
    """Return a column of correlations, from -1 to 1."""
    return number(name, meaning, nullable=nullable, low=-1, high=1, unit=CORRELATION)


# tanh(1.96 / sqrt(n - 3)), for at least four pairs.
_REACH = "tanh(1.96 / sqrt(greatest(n_obs - 3, 1)))"


def _end_of_band(name: str, meaning: str, sign: str) -> Column:
    """Return a column with one end of Fisher's band, tanh(atanh r -+ 1.96 / sqrt(n - 3)).

    Its formula is the same by the addition theorem: (r -+ t) / (1 -+ r t), with t the tanh of the
    second part. DuckDB computes that faster, and without a CASE faster still. NULL for a
    correlation of exactly one, and where there is none, as with fewer than four pairs.
    """
    inside = "nullif(nullif(correlation, 1), -1)"
    formula = f"({inside} {sign} {_REACH}) / (1 {sign} correlation * {_REACH})"
    return replace(correlation(name, meaning), formula=formula)


# The 95 % band that is published beside a correlation; it follows from `correlation` and `n_obs`.
CORRELATION_BAND = (
    _end_of_band("correlation_low", "Lower end of the 95 % band", "-"),
    _end_of_band("correlation_high", "Upper end of the 95 % band", "+"),
)


def probability(name: str, meaning: str, *, nullable: bool = False) -> Column:
    """Return a column of probabilities, from 0 to 1."""
    return number(name, meaning, nullable=nullable, low=0, high=1, unit="0 to 1")


def corrected_p_values(family: str, method: str, *, nullable: bool = False) -> tuple[Column, ...]:
    """Return the p-value of one row, the one corrected for the family of tests, and its size."""
    return (
        probability("p_value", "Two-sided p-value of this row alone"),
        probability("p_value_adjusted", f"Corrected for n_tests: {method}", nullable=nullable),
        n_tests(family, nullable=nullable),
    )


def n_tests(family: str, *, nullable: bool = False) -> Column:
    """Return the column with the number of tests for which p-values are corrected."""
    return Column(
        "n_tests", "integer", f"Tests corrected for: {family}", nullable, low=1, unit="tests"
    )


def slope(name: str, meaning: str) -> tuple[Column, ...]:
    """Return the columns of a slope per unit of the driver, and of its 95 % interval."""
    return (
        number(name, meaning, nullable=False, unit=PER_DRIVER),
        number(f"{name}_low", "Lower end of the 95 % interval", nullable=False, unit=PER_DRIVER),
        number(f"{name}_high", "Upper end of the 95 % interval", nullable=False, unit=PER_DRIVER),
    )


# Of what is followed, not of what could be observed: an outage makes no result more significant.
MAX_T = (
    "maximum-t test by random signs of blocks within an asset or class, Bonferroni across "
    "all that are followed"
)

BONFERRONI = "Bonferroni over all planned tests"

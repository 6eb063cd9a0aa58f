"""Numbers and their text, both ways, as GitHub's two published implementations agree on them.

The runner reads numbers with .NET's `Double.TryParse` plus `0x`/`0o` for 32-bit integers, and
writes them with format `G15`; the language service uses JavaScript's `Number()` and
`toFixed(15)`. They agree on everything ordinary. Where they do not (`0b1`, `0xFFFFFFFF`,
`1e15` as text) `DisputedValueError` is raised.
"""

from __future__ import annotations

import math
import re

from grind.workflows.expressions.errors import DisputedValueError

# What both JavaScript and .NET trim. U+FEFF is trimmed by the former only, U+0085 by the latter.
WHITESPACE = (
    " \t\n\v\f\r\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
_ONE_SIDED = "\ufeff\u0085"
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\Z")
_PREFIXED = re.compile(r"0(?:[xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)\Z")
_WORD = re.compile(r"[+-]?(?:infinity|nan|∞)\Z", re.IGNORECASE)
_INT32 = 2**31
_PLAIN = 10.0**15


def parse_number(text: str) -> float:
    """Read a number as a comparison with a number does: NaN when it is none, 0 when it is blank.

    Raises DisputedValueError for forms that only one of GitHub's implementations reads.
    """
    trimmed = text.strip(WHITESPACE)
    if not trimmed:
        return 0.0
    if _DECIMAL.match(trimmed):
        return float(trimmed)
    if trimmed in ("Infinity", "+Infinity"):
        return math.inf
    if trimmed == "-Infinity":
        return -math.inf
    if _PREFIXED.match(trimmed):
        return _prefixed(trimmed)
    if trimmed.strip(WHITESPACE + _ONE_SIDED + "\0") != trimmed:
        raise DisputedValueError("white space at the ends of a number")
    if _WORD.match(trimmed) and trimmed.lower().lstrip("+-") != "nan":
        raise DisputedValueError(f"the number '{trimmed}'")
    return math.nan


def _prefixed(text: str) -> float:
    base = {"x": 16, "o": 8}.get(text[1])
    # Conversion of a very long text is quadratic; 32 bits need no more than 11 digits.
    digits = text[2:].lstrip("0") or "0"
    if base is None or len(digits) > 11:
        raise DisputedValueError(f"the number '{text[:40]}'")
    value = int(digits, base)
    if value >= _INT32:
        raise DisputedValueError(f"the number '{text}'")
    return float(value)


def number_text(value: float) -> str:
    """Write a number as string coercion does (`format`, `join`, `==` never need more).

    Raises DisputedValueError where 15 significant digits and 15 decimals are not the same text.
    """
    plain = _plain_text(value)
    if plain is not None:
        return plain
    ours, theirs = _g15(value), _js_text(_fixed15(value))
    if ours != theirs:
        raise DisputedValueError(f"the number {value!r} as text ('{ours}' or '{theirs}')")
    return ours


def number_json(value: float) -> str:
    """Write a number as `toJSON` does; NaN, infinities and 16 digits or more are disputed."""
    plain = _plain_text(value)
    if plain is not None and math.isfinite(value):
        return plain
    ours, theirs = _g15(value), _js_text(value) if math.isfinite(value) else "null"
    if ours != theirs:
        raise DisputedValueError(f"the number {value!r} in toJSON ('{ours}' or '{theirs}')")
    return ours


def _plain_text(value: float) -> str | None:
    """Give the text of an ordinary number, about which there is no doubt; None for others."""
    if -_PLAIN < value < _PLAIN:
        integer = int(value)
        if integer == value:
            return str(integer)
        text = repr(value)
        # At most 15 significant digits and 15 decimals: both ways of writing give the shortest.
        if "e" not in text and len(text) <= 16 and abs(value) >= 1e-4:
            return text
        return None
    if value != value:
        return "NaN"
    if value in (math.inf, -math.inf):
        return "Infinity" if value > 0 else "-Infinity"
    return None


def _digits(value: float, places: int) -> tuple[str, int]:
    """Round to `places` significant digits, half away from zero; trimmed digits and exponent."""
    from decimal import ROUND_HALF_UP, Context, Decimal

    rounded = Context(prec=places, rounding=ROUND_HALF_UP).plus(Decimal(abs(value)))
    _, digits, exponent = rounded.as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits))
    return text.rstrip("0") or "0", exponent + len(text) - 1


def _g15(value: float) -> str:
    """.NET's G15: fixed notation for exponents from -5 to 14, else `d.dddE+XX`."""
    if not math.isfinite(value):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    digits, exponent = _digits(value, 15)
    sign = "-" if value < 0 else ""
    if -5 < exponent < 15:
        return sign + _fixed_notation(digits, exponent)
    mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return f"{sign}{mantissa}E{'+' if exponent >= 0 else '-'}{abs(exponent):02d}"


def _fixed15(value: float) -> float:
    """JavaScript's `+value.toFixed(15)`."""
    from decimal import ROUND_HALF_UP, Context, Decimal

    if abs(value) >= 1e21:
        return value
    exact = Decimal(value)
    return float(exact.quantize(Decimal("1e-15"), context=Context(60, ROUND_HALF_UP)))


def _js_text(value: float) -> str:
    """JavaScript's Number::toString: the shortest digits, fixed notation from 1e-6 to 1e21."""
    if value == 0:
        return "0"
    mantissa, _, power = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    joined = (whole + fraction).lstrip("0")
    leading = len(whole) - 1 if whole != "0" else len(joined) - len(fraction) - 1
    exponent = leading + int(power or 0)
    digits = joined.rstrip("0")
    sign = "-" if value < 0 else ""
    if -7 < exponent < 21:
        return sign + _fixed_notation(digits, exponent)
    shown = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return f"{sign}{shown}e{'+' if exponent >= 0 else '-'}{abs(exponent)}"


def _fixed_notation(digits: str, exponent: int) -> str:
    """Place the decimal point: `digits` are d.ddd × 10^exponent."""
    if exponent < 0:
        return "0." + "0" * (-exponent - 1) + digits
    if len(digits) <= exponent + 1:
        return digits + "0" * (exponent + 1 - len(digits))
    return digits[: exponent + 1] + "." + digits[exponent + 1 :]

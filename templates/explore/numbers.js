// Numbers as text and text as numbers.  Bounds are rounded up, limits down, as in the
// reports; null stands for "no finite number" and is shown as a dash.

const DIGITS = 6;
const NOISE = 1e-14; // relative, of results in floating point
const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

function isNumber(x) {
  return typeof x === "number" && Number.isFinite(x);
}

// 0.00123 → "0.00123", 1.5e-7 → "1.5e-7", 2e31 → "2e+31": as boundcalc prints them.
function plain(text) {
  const x = Number(text);
  if (x === 0) return "0";
  const size = Math.abs(x);
  if (size >= 1e-4 && size < 1e6) {
    const places = Math.max(0, DIGITS - 1 - Math.floor(Math.log10(size)));
    const fixed = x.toFixed(places);
    return fixed.includes(".") ? fixed.replace(/\.?0+$/, "") : fixed;
  }
  const [mantissa, exponent] = text.split("e");
  const short = mantissa.includes(".") ? mantissa.replace(/\.?0+$/, "") : mantissa;
  return `${short}e${exponent}`;
}

// The decimal of `digits` places nearest to x on the wanted side: +1 above, −1 below.  A short
// decimal but for rounding noise stays that decimal.
function sided(x, side, digits) {
  let text = x.toExponential(digits - 1);
  if (side * (Number(text) - x) < 0 && Math.abs(Number(text) - x) > NOISE * Math.abs(x)) {
    const exponent = Number(text.split("e")[1]);
    const moved = Math.round(Number(text) / 10 ** (exponent - digits + 1)) + side;
    const wider = BigInt(moved).toString();
    text = Number(`${wider}e${exponent - digits + 1}`).toExponential(digits - 1);
  }
  return text;
}

function shown(x, side = 0, digits = DIGITS) {
  if (!isNumber(x)) return "–";
  if (x === 0) return "0";
  return plain(side ? sided(x, side, digits) : x.toExponential(digits - 1));
}

function superscript(n) {
  const digits = String(Math.abs(n)).replace(/\d/g, (d) => SUPERSCRIPTS[d]);
  return (n < 0 ? "⁻" : "") + digits;
}

// A tick of a logarithmic axis: 10⁻³, 2·10⁻³; plain where the whole axis stays near 1.
function powerText(x, near) {
  if (near) return plain(x.toExponential(DIGITS - 1));
  const exponent = Math.floor(Math.log10(x) + 1e-9);
  const mantissa = Math.round(x / 10 ** exponent);
  return `${mantissa === 1 ? "" : `${mantissa}·`}10${superscript(exponent)}`;
}

// "0.01", "1e-3", "1/3"; null for anything else.
function parsed(text) {
  const part = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
  const pieces = String(text).trim().replace(/−/g, "-").split("/");
  if (pieces.length > 2 || !pieces.every((piece) => part.test(piece.trim()))) return null;
  const numbers = pieces.map(Number);
  const x = numbers.length === 2 ? numbers[0] / numbers[1] : numbers[0];
  return Number.isFinite(x) ? x : null;
}

// A decimal as [numerator, denominator].
function decimalParts(text) {
  const [, sign, whole, decimals = "", exponent = "0"] = /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i.exec(text.trim());
  const shift = Number(exponent) - decimals.length;
  const digits = BigInt(`${sign === "-" ? "-" : ""}${whole}${decimals}`);
  return shift >= 0 ? [digits * 10n ** BigInt(shift), 1n] : [digits, 10n ** BigInt(-shift)];
}

// The number next below x > 0.
function nextBelow(x) {
  const bits = new BigInt64Array(new Float64Array([x]).buffer);
  bits[0] -= 1n;
  return new Float64Array(bits.buffer)[0];
}

// What a typed fraction is as a decimal that is no larger, so that a step of 1/15 is not above a
// limit of 1/15.  x is the fraction, rounded.
function roundedDown(text, x) {
  const pieces = text.trim().split("/");
  if (pieces.length !== 2 || !(x > 1e-300) || text.length > 400) return x;
  if (pieces.some((piece) => Math.abs(Number(/e(.*)$/i.exec(piece)?.[1] ?? 0)) > 400)) return x;
  const [[a, b], [c, d]] = pieces.map(decimalParts);
  const [top, bottom] = c < 0n ? [-a * d, -b * c] : [a * d, b * c];
  let found = x;
  for (let tries = 0; tries < 4; tries += 1) {
    const [p, q] = decimalParts(String(found));
    if (p * bottom <= top * q) return found;
    found = nextBelow(found);
  }
  return x;
}

// A ratio in words' length: 7.5e3 times → "×7500".
function ratioText(x, reference) {
  if (!isNumber(x) || !isNumber(reference) || reference <= 0) return null;
  const ratio = x / reference;
  return isNumber(ratio) ? `${shown(ratio, 0, 3)}×` : null;
}

// Digits, sign and exponent only, so that nothing in LaTeX reads it as a command.
function latexNumber(text) {
  if (!/^-?[\d.]+(e[+-]?\d+)?$/.test(text)) return "--";
  const [mantissa, exponent] = text.split("e");
  return exponent ? `$${mantissa}\\cdot 10^{${Number(exponent)}}$` : `$${mantissa}$`;
}

/**
 * Figures in words, as app/web/filters.py writes them. Prices come as text with all their digits and
 * are counted in 1e-8 won, so that nothing is lost on the way.
 */

const MINUS = "\u2212";
const UNITS = 100000000n;
const english = () => document.documentElement.lang === "en";
const grouped = (digits) => digits.replace(/\B(?=(\d{3})+$)/g, ",");

/** A decimal text as a count of 1e-8; what is finer is cut. */
export function units(text) {
  const [, sign, whole, rest] = /^(-?)(\d+)(?:\.(\d*))?$/.exec(text) ?? ["", "", "0", ""];
  const count = BigInt(whole) * UNITS + BigInt((rest ?? "").padEnd(8, "0").slice(0, 8));
  return sign ? -count : count;
}

/** A count of 1e-8 won for reading: `146,918,000`, `312.4`, `0.01184`. */
export function won(count) {
  const size = count < 0n ? -count : count;
  const places = size >= 1000n * UNITS ? 0 : size >= 100n * UNITS ? 1 : size >= UNITS ? 2 : 8;
  const step = 10n ** BigInt(8 - places);
  const digits = String((size + step / 2n) / step).padStart(places + 1, "0");
  const whole = grouped(digits.slice(0, digits.length - places));
  const rest = places ? digits.slice(-places).replace(/0+$/, "") : "";
  return (count < 0n ? MINUS : "") + whole + (rest ? `.${rest}` : "");
}

/** The same with a sign before a rise too. */
export const signedWon = (count) => (count > 0n ? `+${won(count)}` : won(count));

/** Hundredths of a percent, cut, in a rate of change: "0.0321" is 321n. */
export function hundredths(rate) {
  return /e/i.test(rate) ? 0n : units(rate) / 10000n;
}

/** A change in hundredths of a percent: `+3.21%`, `−1.36%`, `0.00%`. */
export function percent(change) {
  const digits = String(change < 0n ? -change : change).padStart(3, "0");
  const sign = change > 0n ? "+" : change < 0n ? MINUS : "";
  return `${sign}${grouped(digits.slice(0, -2))}.${digits.slice(-2)}%`;
}

/** Which way a figure points: `up`, `down` or `flat`. */
export const tone = (figure) => (figure > 0n ? "up" : figure < 0n ? "down" : "flat");

/** A turnover, roughly: `4,128억`, in English `₩412.8B`. */
export function turnover(text) {
  if (english()) {
    const [whole, tenth] = (Math.round(Number(text) / 1e8) / 10).toFixed(1).split(".");
    return `₩${grouped(whole)}.${tenth}B`;
  }
  return `${grouped(String(Math.round(Number(text) / 1e8)))}억`;
}

/** A large turnover in two units: `3조 2,418억원`. */
export function wholeTurnover(amount) {
  if (english()) return turnover(amount);
  const [trillions, rest] = [Math.floor(Math.round(amount / 1e8) / 10000), Math.round(amount / 1e8) % 10000];
  const parts = [...(trillions ? [`${grouped(String(trillions))}조`] : []), ...(rest || !trillions ? [`${grouped(String(rest))}억`] : [])];
  return `${parts.join(" ")}원`;
}

/**
 * Keeps prices live. An element with `data-live-codes="all"`, `"top20"` or `"BTC,ETH"` makes the page
 * ask /api/v1/live at most once a second while it is visible; nothing that is unchanged is sent again.
 *
 * Inside `data-coin="BTC"` each `data-live-field` is kept up to date: `price`, `change` (percent),
 * `change-price`, `turnover`, and `range`, an SVG whose `.dot` moves. For charts `wl:tick` is
 * dispatched on `document` with {code, price (text, exact), changeRate, asOf (ISO)} per coin that
 * moved. `data-live-age="{span} ago"` tells how old the prices are ({time}: since when; inside a
 * `data-coin` that the exchange no longer speaks of, how old its own is, and `data-live-still` shows), in
 * `data-live-note` the line whose `data-live-when` applies says what is wrong with them (`polling`,
 * `none`, `old`, `unseen`, `lost`), `data-live-said` speaks to screen readers, `data-live-total` sums up.
 * Where `data-live-reload` stands, the page is drawn anew when a coin comes in that it doesn't show.
 */

import { hundredths, percent, signedWon, tone, turnover, units, wholeTurnover, won } from "./figures.js";

const EVERY = 1000;
const PATIENCE = [5000, 30000];
const OLD_S = 90;
const SPEAK_EVERY = 60000;
const RELOAD_AFTER = 30000;
const FLASH = { up: "wl-tick-up", down: "wl-tick-down" };
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const words = document.body.dataset;

const known = new Map();
const seen = new Map();
let etag = "";
let asked = "";
let board = null;
let failures = 0;
let timer = 0;
let asking = false;
let spokenAt = Date.now();

/** What the page shows: all, the twenty, or the codes that its parts name. */
function selection() {
  const parts = [...document.querySelectorAll("[data-live-codes]")].map((one) => one.dataset.liveCodes);
  const named = new Set(parts.filter(Boolean).flatMap((part) => part.split(",")));
  if (named.has("all") || (named.has("top20") && named.size > 1)) return "/api/v1/live";
  return named.has("top20") ? "/api/v1/live?board=top20" : `/api/v1/live?codes=${[...named].sort()}`;
}

/** Numbers as text: a price may have more digits than a binary number keeps. */
const read = (text) => JSON.parse(text.replace(/([[,])(-?\d[\d.eE+-]*)(?=[,\]])/g, '$1"$2"'));

async function ask() {
  const address = selection();
  if (address !== asked) [asked, etag] = [address, ""];
  const headers = etag ? { "If-None-Match": etag } : {};
  const answer = await fetch(address, { headers, cache: "no-store", credentials: "same-origin" });
  if (answer.status !== 200 && answer.status !== 304) throw new Error(`status ${answer.status}`);
  if (answer.status === 200) {
    const told = read(await answer.text());
    etag = answer.headers.get("ETag") ?? "";
    board = { source: told.source, asOf: told.as_of, codes: told.coins.map(([code]) => code) };
    take(told.coins, told.as_of);
    speak();
  }
  // How old the prices are is the server's to say; a visitor's own clock may be off.
  const agreed = Date.parse(answer.headers.get("Date") ?? "") || Date.now();
  board.ageAt = { agreed, seen: performance.now(), ageMs: board.asOf ? Math.max(0, agreed - Date.parse(board.asOf)) : null };
}

function take(rows, asOf) {
  const coins = new Map(rows.map(coin));
  for (const field of document.querySelectorAll("[data-coin] [data-live-field]")) {
    const found = coins.get(field.closest("[data-coin]").dataset.coin);
    if (found) show(field, found);
  }
  sumUp([...coins.values()]);
  for (const [code, { priceText, rate, price, seenAt }] of coins) {
    seen.set(code, seenAt);
    if (known.get(code) === price) continue;
    known.set(code, price);
    document.dispatchEvent(new CustomEvent("wl:tick", { detail: { code, price: priceText, changeRate: rate && Number(rate), asOf } }));
  }
}

/** The market as a whole, where all of it was asked for. */
function sumUp(coins) {
  const tones = coins.map(({ rate }) => (rate === null ? "flat" : tone(hundredths(rate))));
  const count = (wanted) => words.count.replace("{n}", tones.filter((one) => one === wanted).length);
  const traded = coins.reduce((sum, one) => sum + Number(one.traded ?? 0), 0);
  const told = { up: count("up"), down: count("down"), turnover: wholeTurnover(traded) };
  for (const total of document.querySelectorAll("[data-live-total]")) write(total, told[total.dataset.liveTotal]);
}

/** A board that hangs on a wall for days draws itself anew when another coin belongs to it. */
function reloadIfOthersBelong() {
  if (!document.querySelector("[data-live-reload]") || performance.now() < RELOAD_AFTER) return;
  const isMissing = (code) => !document.querySelector(`[data-coin="${CSS.escape(code)}"]`);
  if (board.codes.some(isMissing)) location.reload();
}

function coin([code, priceText, prevClose, rate, traded, low, high, , seenAt]) {
  const price = units(priceText);
  return [code, { seenAt, priceText, price, rate, traded, moved: prevClose && price - units(prevClose), low: low && units(low), high: high && units(high) }];
}

const SHOW = {
  price(field, { price }) {
    if (write(field, won(price)) && !calm.matches) flash(field, price);
    field.dataset.units = price;
  },
  change(field, { rate }) {
    if (rate === null) return;
    const change = hundredths(rate);
    write(field, percent(change));
    field.className = field.className.replace(/\bwl-(up|down|flat)\b/, `wl-${tone(change)}`);
  },
  "change-price"(field, { moved }) {
    if (moved !== null) write(field, signedWon(moved));
  },
  turnover(field, { traded }) {
    if (traded !== null) write(field, turnover(traded));
  },
  range(field, { price, low, high }) {
    if (low === null || high === null || high <= low) return;
    const place = Number((price - low) * 1000n / (high - low)) / 10;
    const share = Math.min(Math.max(place, 0), 100);
    field.querySelector(".dot").setAttribute("x", `${(0.97 * share).toFixed(1)}%`);
    field.setAttribute("aria-label", `${Math.round(share)}%`);
  },
};

function show(field, found) {
  SHOW[field.dataset.liveField]?.(field, found);
}

/** Whether anything changed; unchanged text is left alone. */
function write(field, text) {
  if (field.textContent === text) return false;
  field.textContent = text;
  return true;
}

function flash(field, price) {
  if (field.dataset.units === undefined) return;
  const before = BigInt(field.dataset.units);
  if (before === price) return;
  field.classList.remove(...Object.values(FLASH));
  void field.offsetWidth; // lets the same animation begin anew
  field.classList.add(FLASH[price > before ? "up" : "down"]);
}

/** Live prices aren't read out; that new ones came is said once a minute at most. */
function speak() {
  const said = document.querySelector("[data-live-said]");
  if (!said || Date.now() - spokenAt < SPEAK_EVERY) return;
  spokenAt = Date.now();
  said.textContent = "";
  requestAnimationFrame(() => { said.textContent = said.dataset.liveSaid; });
}

function ageS() {
  if (!board?.ageAt || board.ageAt.ageMs === null) return null;
  return (board.ageAt.ageMs + performance.now() - board.ageAt.seen) / 1000;
}

/** How long the exchange has said nothing of this coin, where that is too long; else null. */
function stillS(code) {
  if (!seen.get(code) || !board?.ageAt) return null;
  const own = (board.ageAt.agreed - 1000 * Number(seen.get(code)) + performance.now() - board.ageAt.seen) / 1000;
  return own > OLD_S ? own : null;
}

function span(seconds) {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const parts = seconds < 60 ? [[seconds, words.seconds]] : [[hours, words.hours], [minutes, words.minutes]];
  return parts.filter(([n]) => n || seconds < 60).map(([n, text]) => text.replace("{n}", n)).join(" ");
}

/** `14:05:00` on a Korean clock. */
const clock = (iso) => new Date(Date.parse(iso) + 9 * 3600000).toISOString().slice(11, 19);

/** How old the prices are, and in words what is wrong with them. */
function tellAge() {
  const age = ageS();
  const old = age === null ? board !== null : age > OLD_S;
  for (const element of document.querySelectorAll("[data-live-age]")) {
    const still = stillS(element.closest("[data-coin]")?.dataset.coin);
    const told = age === null ? "" : element.dataset.liveAge.replace("{span}", span(Math.floor(still ?? age)));
    if (told) write(element, told.replace("{time}", clock(board.asOf)));
    if (element.classList.contains("wl-fresh")) element.classList.toggle("wl-fresh-stale", old || still !== null);
  }
  for (const element of document.querySelectorAll("[data-live-codes], tr[data-coin]")) {
    const { liveCodes, coin: code } = element.dataset;
    if (liveCodes || seen.has(code)) element.classList.toggle("wl-stale", Boolean(liveCodes && old) || stillS(code) !== null);
  }
  for (const element of document.querySelectorAll("[data-live-still]")) {
    element.hidden = old || stillS(element.closest("[data-coin]").dataset.coin) === null;
  }
  const trouble = failures > 1 ? "lost" : !old ? board?.source : age === null ? "unseen" : "old";
  for (const element of document.querySelectorAll("[data-live-note] [data-live-when]")) {
    element.hidden = element.dataset.liveWhen !== trouble;
  }
}

async function tick() {
  clearTimeout(timer);
  if (document.hidden || asking) return;
  asking = true;
  try {
    await ask();
    failures = 0;
    reloadIfOthersBelong();
  } catch {
    failures += 1;
  }
  asking = false;
  tellAge();
  timer = setTimeout(tick, failures ? PATIENCE[Math.min(failures, PATIENCE.length) - 1] : EVERY);
}

if (document.querySelector("[data-live-codes]")) {
  document.addEventListener("visibilitychange", tick);
  addEventListener("online", tick);
  setInterval(() => document.hidden || (board && tellAge()), 1000);
  tick();
}

/**
 * Keeps figures fresh. `<div data-live-url="/votes/12/live">` is asked for again every ten seconds;
 * the answer is HTML, and each of its `data-live="key"` elements replaces the one of that key here.
 * Nothing is asked while the page is hidden; an unchanged answer (304) changes nothing. While a
 * page has a `data-live-soon`, which stands for something that is on its way, it asks sooner.
 */

const EVERY = 10000;
const SOON = 2000;
const known = new Map();

async function renew(url) {
  const headers = known.has(url) ? { "If-None-Match": known.get(url) } : {};
  const answer = await fetch(url, { headers, cache: "no-store", credentials: "same-origin" });
  if (answer.status !== 200) return;
  known.set(url, answer.headers.get("ETag") ?? "");
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of fresh.querySelectorAll("[data-live]")) replace(part);
}

function replace(part) {
  const old = document.querySelector(`[data-live="${CSS.escape(part.dataset.live)}"]`);
  if (!old || old.contains(document.activeElement) || old.isEqualNode(part)) return;
  old.replaceWith(document.adoptNode(part));
}

async function tick() {
  const urls = new Set([...document.querySelectorAll("[data-live-url]")].map((e) => e.dataset.liveUrl));
  if (!document.hidden) await Promise.allSettled([...urls].map(renew));
  setTimeout(tick, pause());
}

function pause() {
  return document.querySelector("[data-live-soon]") ? SOON : EVERY;
}

if (document.querySelector("[data-live-url]")) setTimeout(tick, pause());

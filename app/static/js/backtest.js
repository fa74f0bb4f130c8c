/**
 * Follows a backtest. `<div data-progress-url="…">` is filled anew each second with the answer of
 * that address; an unchanged one (304) changes nothing. When it is over the page itself is loaded
 * again, which then shows the result.
 */

const EVERY = 1000;
const LONGEST = 15000;
const place = document.querySelector("[data-progress-url]");
let known = "";
let pause = EVERY;

async function renew() {
  const headers = known ? { "If-None-Match": known } : {};
  const answer = await fetch(place.dataset.progressUrl, { headers, cache: "no-store", credentials: "same-origin" });
  if (answer.status === 304) return;
  if (answer.status !== 200 || answer.redirected) throw new Error(`status ${answer.status}`);
  known = answer.headers.get("ETag") ?? "";
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-progress]");
  if (!fresh) throw new Error("no progress");
  if (!fresh.dataset.progress) {
    location.reload();
    return;
  }
  show(fresh);
}

/** The button stays where it is while somebody is on it: only figures change then. */
function show(fresh) {
  const old = place.querySelector("[data-progress]");
  if (!old.contains(document.activeElement)) {
    old.replaceWith(document.adoptNode(fresh));
    return;
  }
  for (const part of ["h2", ".wl-meter", ".wl-meter + p"]) {
    old.querySelector(part)?.replaceWith(document.adoptNode(fresh.querySelector(part)));
  }
}

async function tick() {
  if (!document.hidden) {
    try {
      await renew();
      pause = EVERY;
    } catch {
      pause = Math.min(2 * pause, LONGEST);
    }
  }
  setTimeout(tick, pause);
}

if (place?.querySelector('[data-progress="on"]')) setTimeout(tick, EVERY);

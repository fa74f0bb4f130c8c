/**
 * Keeps true what a price means for a vote while it moves: `data-standing` knows start and target; the
 * change since the start and what is lacking follow each `wl:tick`. Once the target is reached or lost
 * the words are others; those are the server's (live.js).
 */

import { percent, tone, units, won } from "./figures.js";

function follow({ detail: { code, price } }) {
  for (const box of document.querySelectorAll(`[data-standing][data-coin="${CSS.escape(code)}"]`)) {
    const { start, target, rises } = box.dataset;
    const [begun, now] = [units(start), units(price)];
    const change = ((now - begun) * 10000n) / begun;
    const shown = box.querySelector(".wl-chg");
    shown.textContent = percent(change);
    shown.className = `wl-chg wl-${tone(change)}`;
    const lacks = rises === "yes" ? units(target) - now : now - units(target);
    const gap = box.querySelector("[data-gap]");
    if (gap && lacks > 0n) gap.textContent = gap.dataset.gap.replace("{amount}", won(lacks));
  }
}

document.addEventListener("wl:tick", follow);

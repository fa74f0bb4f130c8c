/**
 * Draws charts with TradingView's library: `<div data-chart="candles|line" data-library="…">` holds a
 * figure with the server's drawing, which stays where there is no library. Then the sentence of
 * `data-chart-failed` is shown and the table of `data-chart-table` opens.
 */

import { drawCandles } from "./chart-candles.js";
import { drawLine } from "./chart-line.js";
import { colours } from "./chart-parts.js";

const KINDS = { candles: drawCandles, line: drawLine };

function fail(holder) {
  const figure = holder.querySelector("figure");
  figure.classList.remove("wl-chart-live");
  figure.querySelector(".wl-plot")?.remove();
  for (const part of holder.querySelectorAll("[data-chart-failed]")) part.hidden = false;
  for (const part of holder.querySelectorAll("[data-chart-table]")) part.open = true;
}

async function show(holder) {
  const figure = holder.querySelector("figure");
  try {
    const library = await import(holder.dataset.library);
    const plot = document.createElement("div");
    plot.className = "wl-plot";
    figure.append(plot);
    figure.classList.add("wl-chart-live");
    const chart = KINDS[holder.dataset.chart](library, holder, plot, colours(holder));
    await chart.ready;
    for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) {
      matchMedia(query).addEventListener("change", () => chart.dress(colours(holder)));
    }
    figure.tabIndex = 0;
    figure.addEventListener("keydown", chart.press);
    holder.dataset.chartReady = "";
  } catch (problem) {
    console.info("chart:", problem.message);
    fail(holder);
  }
}

document.querySelectorAll("[data-chart]").forEach(show);

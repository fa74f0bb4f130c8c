/**
 * What all charts share: the page's colours, Korean time on the axis, and what the library has no
 * series for (numbered spots, lines at a moment, shaded stretches).
 */

import { units, won } from "./figures.js";

const COLOURS = {
  up: "--wl-up", down: "--wl-down", line: "--wl-line", caption: "--wl-ink-3", ink: "--wl-ink",
  surface: "--wl-surface", control: "--wl-control", target: "--wl-brand-line", zone: "--wl-brand-soft",
  brand: "--wl-brand", sunken: "--wl-sunken",
};
/** Charts count in UTC; shifted by this, their days and hours are Korea's. */
const KOREA = 9 * 3600;
const english = document.documentElement.lang === "en";
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

export const inKorea = (epoch) => epoch + KOREA;
export const price = (value) => won(units(Number(value).toFixed(8)));

/** The colours of the theme that is shown, as the canvas understands them. */
export function colours(element) {
  const probe = document.createElement("span");
  probe.hidden = true;
  element.append(probe);
  const found = Object.fromEntries(Object.entries(COLOURS).map(([name, token]) => {
    probe.style.color = `var(${token})`;
    return [name, getComputedStyle(probe).color];
  }));
  probe.remove();
  return found;
}

/** A colour of which only a share is left. */
export const faint = (colour, share) => colour.replace(/^rgb\((.*)\)$/, `rgba($1, ${share})`);

function day(at) {
  const [month, date] = [at.getUTCMonth(), at.getUTCDate()];
  return english ? `${date} ${MONTHS[month]}` : `${month + 1}.${String(date).padStart(2, "0")}`;
}

const clock = (at) => at.toISOString().slice(11, 16);

/** A moment for reading, `11.16 14:05`; of days and longer the date alone. */
export function moment(shifted, whole = false) {
  const at = new Date(shifted * 1000);
  return whole ? day(at) : `${day(at)}${english ? "," : ""} ${clock(at)}`;
}

function tick(shifted, kind) {
  const at = new Date(shifted * 1000);
  if (kind === 0) return String(at.getUTCFullYear());
  if (kind === 1) return english ? MONTHS[at.getUTCMonth()] : `${at.getUTCMonth() + 1}월`;
  return kind === 2 ? day(at) : clock(at);
}

/** Options of every chart. A finger that moves up or down, and a wheel, move the page. */
export function options(look, { whole = false, still = false, long = false } = {}) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  return {
    autoSize: true,
    layout: {
      background: { type: "solid", color: "transparent" }, textColor: look.caption, fontSize: 12,
      fontFamily: getComputedStyle(document.body).fontFamily,
      // The library's own mark brings a style element along, which the content policy forbids;
      // the page names the library and links to its makers instead.
      attributionLogo: false,
    },
    grid: { vertLines: { visible: false }, horzLines: { color: look.line } },
    rightPriceScale: { borderVisible: false },
    timeScale: {
      borderVisible: false, timeVisible: !whole, secondsVisible: false, tickMarkFormatter: (shifted, kind) => tick(shifted, long ? Math.min(kind, 2) : kind),
      fixLeftEdge: !still, lockVisibleTimeRangeOnResize: true,
    },
    crosshair: {
      vertLine: { color: look.control, labelBackgroundColor: look.ink },
      horzLine: { color: look.control, labelBackgroundColor: look.ink },
    },
    localization: {
      locale: document.documentElement.lang, priceFormatter: price,
      timeFormatter: (shifted) => moment(shifted, whole),
    },
    handleScroll: still ? false : { mouseWheel: false, vertTouchDrag: false },
    handleScale: still ? false : { mouseWheel: false },
    kineticScroll: { touch: !calm, mouse: false },
  };
}

/** Series draw prices; how many decimals one has is told by its size. */
export const priceFormat = (value) => ({
  type: "custom", formatter: price, minMove: value >= 1000 ? 1 : value >= 100 ? 0.1 : value >= 1 ? 0.01 : 1e-8,
});

/**
 * Draws over a series: `spots` {time, price, label, full}, `lines` {time, label}, and `zones`
 * {from, above, below}. Times are those of the chart's own points; `change` replaces all of it.
 */
export class Overlay {
  #parts = { spots: [], lines: [], zones: [] };
  #look;
  #chart;
  #series;
  #redraw = () => {};

  constructor(look) {
    this.#look = look;
  }

  change(parts, look = this.#look) {
    this.#parts = { ...this.#parts, ...parts };
    this.#look = look;
    this.#redraw();
  }

  attached({ chart, series, requestUpdate }) {
    [this.#chart, this.#series, this.#redraw] = [chart, series, requestUpdate];
  }

  paneViews() {
    const drawn = (draw) => ({ draw: (target) => target.useMediaCoordinateSpace(draw) });
    return [
      { zOrder: () => "bottom", renderer: () => drawn((at) => this.#below(at)) },
      { zOrder: () => "top", renderer: () => drawn((at) => this.#above(at)) },
    ];
  }

  #across(time) {
    return this.#chart.timeScale().timeToCoordinate(time);
  }

  #below({ context, mediaSize: { width, height } }) {
    for (const { from, above, below, colour } of this.#parts.zones) {
      const left = from === undefined ? 0 : this.#across(from);
      if (left === null) continue;
      const edge = this.#series.priceToCoordinate(above ?? below ?? 0);
      context.fillStyle = faint(this.#look[colour], 0.6);
      if (above !== undefined) context.fillRect(left, 0, width - left, edge);
      else if (below !== undefined) context.fillRect(left, edge, width - left, height - edge);
      else context.fillRect(left, 0, width - left, height);
    }
    context.strokeStyle = this.#look.control;
    context.setLineDash([3, 3]);
    for (const { time } of this.#parts.lines) this.#upright(context, this.#across(time), height);
    context.setLineDash([]);
  }

  #upright(context, x, height) {
    if (x === null) return;
    context.beginPath();
    context.moveTo(x, 0);
    context.lineTo(x, height);
    context.stroke();
  }

  #above({ context, mediaSize: { width, height } }) {
    context.font = `600 12px ${getComputedStyle(document.body).fontFamily}`;
    context.textBaseline = "middle";
    for (const { time, label } of this.#parts.lines) {
      const x = this.#across(time);
      if (x === null || !label) continue;
      context.fillStyle = this.#look.caption;
      context.textAlign = x > width / 2 ? "right" : "left";
      context.fillText(label, x + (x > width / 2 ? -4 : 4), height - 10);
    }
    const taken = [];
    for (const spot of this.#parts.spots) this.#spot(context, spot, height, taken);
  }

  /** Spots that would hide one another stand above each other, or below where there is no room. */
  #spot(context, { time, price: value, label, full }, height, taken) {
    const [x, wanted] = [this.#across(time), this.#series.priceToCoordinate(value)];
    if (x === null || wanted === null) return;
    const radius = label ? 9 : 5;
    const hides = (y) => ([otherX, otherY]) => Math.abs(otherX - x) < 2 * radius && Math.abs(otherY - y) < 2 * radius;
    const free = (y, step) => {
      const blocked = taken.find(hides(y));
      return blocked ? free(blocked[1] + step, step) : y;
    };
    const place = Math.min(Math.max(wanted, 10), height - 10);
    const above = free(place, -2 * radius);
    const y = above < radius ? free(place, 2 * radius) : above;
    taken.push([x, y]);
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fillStyle = label ? (full ? this.#look.brand : this.#look.surface) : this.#look.ink;
    context.strokeStyle = label && !full ? this.#look.target : this.#look.surface;
    context.lineWidth = 2;
    context.fill();
    context.stroke();
    if (!label) return;
    context.fillStyle = full ? "#fff" : this.#look.ink;
    context.textAlign = "center";
    context.fillText(label, x, y + 0.5);
  }
}

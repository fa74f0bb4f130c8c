/**
 * Candles of one coin. Finished ones come from `data-url`; the one that forms is hollow, grows with
 * each `wl:tick`, and stays hollow until the server has the finished one.
 */

import { Overlay, faint, inKorea, moment, options, price, priceFormat } from "./chart-parts.js";

/** Candles in sight at first, on a wide chart and on a phone's. */
const SHOWN = [64, 40];
const NARROW = 480;
const SETTLES_S = 20;
const AGAIN_MS = 15000;
/** Weeks begin on Monday; the clock of computers began on a Thursday. */
const MONDAY = 4 * 86400;
const WEEK = 7 * 86400;

export function drawCandles(library, holder, plot, look) {
  const { code, url } = holder.dataset;
  const [length, marks] = [Number(holder.dataset.frame), JSON.parse(holder.dataset.marks)];
  const whole = length >= 86400;
  const narrow = plot.clientWidth < NARROW;
  const readout = holder.querySelector("[data-chart-readout]");
  const gathering = holder.querySelector("[data-chart-gathering]");
  const chart = library.createChart(plot, options(look, { whole }));
  const candles = chart.addSeries(library.CandlestickSeries, { priceLineVisible: false, lastValueVisible: false });
  const volumes = chart.addSeries(library.HistogramSeries, {
    priceScaleId: "", priceLineVisible: false, lastValueVisible: false, priceFormat: { type: "volume" },
  });
  const overlay = new Overlay(look);
  const forming = new Map();
  let [finished, isComplete, tag, targets, etag, at] = [[], false, null, [], "", null];

  const opening = (epoch) => epoch - ((epoch - (length === WEEK ? MONDAY : 0)) % length);
  const newest = () => finished.at(-1)?.[0] ?? 0;
  const all = () => [...finished, ...[...forming.values()].sort((one, other) => one[0] - other[0])];

  function bar([opened, open, high, low, close], hollow) {
    const colour = close >= open ? look.up : look.down;
    return {
      time: inKorea(opened), open, high, low, close, wickColor: colour, borderColor: colour,
      color: hollow ? look.surface : colour,
    };
  }

  function redraw() {
    candles.setData(all().map((one) => bar(one, forming.has(one[0]))));
    volumes.setData(finished.map(([opened, open, , , close, volume]) => ({
      time: inKorea(opened), value: volume, color: faint(close >= open ? look.up : look.down, 0.35),
    })));
    overlay.change({ spots: spots() }, look);
    point();
  }

  function spots() {
    const times = all().map(([opened]) => opened);
    const place = (epoch) => times.findLast((opened) => opened <= epoch);
    return marks.flatMap(({ label, asked, start, due, result }) => [
      { time: place(asked), price: start, label, full: false },
      ...(result === null ? [] : [{ time: place(due), price: result, label, full: true }]),
    ]).filter(({ time }) => time !== undefined).map((spot) => ({ ...spot, time: inKorea(spot.time) }));
  }

  function point() {
    const last = all().at(-1);
    if (!last) return;
    const told = { price: last[4], color: look.control, axisLabelColor: look.ink, axisLabelTextColor: look.surface };
    const line = { lineStyle: library.LineStyle.Dotted, lineWidth: 1, axisLabelVisible: true, title: "", ...told };
    if (tag) tag.applyOptions(told);
    else tag = candles.createPriceLine(line);
  }

  function aim() {
    targets.forEach((line) => candles.removePriceLine(line));
    targets = marks.filter(({ open }) => open).map(({ label, target }) => candles.createPriceLine({
      price: target, color: look.target, lineStyle: library.LineStyle.LargeDashed, lineWidth: 1,
      axisLabelVisible: !narrow, axisLabelColor: look.brand, axisLabelTextColor: "#fff", title: narrow ? "" : label,
    }));
  }

  function dress(fresh) {
    look = fresh;
    chart.applyOptions(options(look, { whole }));
    aim();
    redraw();
  }

  async function load() {
    const answer = await fetch(url, { headers: etag ? { "If-None-Match": etag } : {}, cache: "no-store" });
    if (answer.status === 304) return;
    if (!answer.ok) throw new Error(`${answer.status} for candles`);
    etag = answer.headers.get("ETag") ?? "";
    const told = await answer.json();
    const before = all().length;
    [finished, isComplete] = [told.candles, told.complete];
    for (const opened of [...forming.keys()]) if (opened <= newest()) forming.delete(opened);
    const [present] = [told.forming];
    if (present && present[0] > newest() && !forming.has(present[0])) forming.set(present[0], present);
    if (!all().length) throw new Error("no candles yet");
    redraw();
    if (before < SHOWN[Number(narrow)]) showNewest();
    gathering.hidden = isComplete || all().length > SHOWN[0];
    gathering.textContent = gathering.dataset.chartGathering.replace("{n}", all().length);
  }

  function showNewest() {
    const [count, shown] = [all().length, SHOWN[Number(narrow)]];
    chart.timeScale().setVisibleLogicalRange({ from: Math.max(count - shown, 0), to: Math.max(count, 12) + 1 });
  }

  function follow({ detail }) {
    if (detail.code !== code || !all().length) return;
    const [value, opened] = [Number(detail.price), opening(Date.parse(detail.asOf) / 1000)];
    if (opened <= newest()) return;
    const known = forming.get(opened) ?? [opened, value, value, value, value];
    const grown = [opened, known[1], Math.max(known[2], value), Math.min(known[3], value), value];
    if (opened < Math.max(...forming.keys())) return;
    forming.set(opened, grown);
    candles.update(bar(grown, true));
    point();
    if (at === null) tell(grown);
  }

  /** Asks for candles that are over, once their time to settle is too, and for those still gathered. */
  async function renew() {
    const late = [...forming.keys()].some((opened) => opened + length + SETTLES_S < Date.now() / 1000);
    if ((late || !isComplete) && !document.hidden) await load().catch(() => {});
    setTimeout(renew, AGAIN_MS);
  }

  function tell([opened, open, high, low, close, volume]) {
    const figures = { time: moment(inKorea(opened), whole), open: price(open), high: price(high), low: price(low), close: price(close) };
    const words = forming.has(opened) ? readout.dataset.forming : readout.dataset.words;
    const text = Object.entries(figures).reduce((told, [name, figure]) => told.replace(`{${name}}`, figure), words);
    readout.textContent = text.replace("{volume}", Number(volume ?? 0).toLocaleString(document.documentElement.lang, { maximumSignificantDigits: 4 }));
  }

  function look_at(place, aloud) {
    const one = all()[place];
    readout.setAttribute("aria-live", aloud ? "polite" : "off");
    at = one ? place : null;
    tell(one ?? all().at(-1));
    if (!one) chart.clearCrosshairPosition();
    else if (aloud) chart.setCrosshairPosition(one[4], inKorea(one[0]), candles);
  }

  function press(event) {
    const [last, scale] = [all().length - 1, chart.timeScale()];
    const { from, to } = scale.getVisibleLogicalRange();
    const zoom = (share) => scale.setVisibleLogicalRange({ from: to - (to - from) * share, to });
    const steps = {
      ArrowLeft: () => look_at(Math.max((at ?? last + 1) - 1, 0), true),
      ArrowRight: () => look_at(Math.min((at ?? last) + 1, last), true),
      Home: () => look_at(0, true), End: () => look_at(last, true), Escape: () => look_at(-1, true),
      "+": () => zoom(0.7), "-": () => zoom(1 / 0.7),
    };
    if (!(event.key in steps) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    steps[event.key]();
    if (at !== null && (at < from || at > to)) scale.setVisibleLogicalRange({ from: at - (to - from) / 2, to: at + (to - from) / 2 });
  }

  async function begin() {
    await load();
    candles.applyOptions({ priceFormat: priceFormat(all().at(-1)[4]) });
    candles.priceScale().applyOptions({ scaleMargins: { top: 0.06, bottom: 0.26 } });
    volumes.priceScale().applyOptions({ scaleMargins: { top: 0.8, bottom: 0 } });
    candles.attachPrimitive(overlay);
    aim();
    showNewest();
    chart.subscribeCrosshairMove(({ logical, sourceEvent }) => {
      if (sourceEvent) look_at(logical ?? -1, false);
    });
    readout.hidden = false;
    tell(all().at(-1));
    document.addEventListener("wl:tick", follow);
    setTimeout(renew, AGAIN_MS);
  }

  return { ready: begin(), dress, press };
}

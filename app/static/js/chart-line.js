/**
 * The price of a vote from its first moment to its result: start, target, deadline, and once it is
 * settled the candle that decided. The time that is still to come has its place from the beginning.
 */

import { Overlay, inKorea, options, priceFormat } from "./chart-parts.js";

/** The library knows places, not times: so many at most, each of a round number of minutes. */
const SLOTS = 300;
const MINUTES = [1, 2, 5, 10, 15, 30, 60, 120, 180, 240];

export function drawLine(library, holder, plot, look) {
  const told = JSON.parse(holder.dataset.told);
  const { opened, closes, ends, start, target, rises, decided } = told;
  const step = 60 * MINUTES.find((one, place) => (ends - opened) / 60 / one <= SLOTS || !MINUTES[place + 1]);
  const long = ends - opened > 3 * 86400;
  const first = opened - (opened % step);
  const slots = Array.from({ length: Math.floor((ends - first) / step) + 1 }, (_, place) => first + place * step);
  const slot = (epoch) => slots[Math.min(Math.max(Math.floor((epoch - first) / step), 0), slots.length - 1)];
  const points = new Map(told.points.map(([epoch, value]) => [slot(epoch), value]));
  const chart = library.createChart(plot, options(look, { still: true, long }));
  const line = chart.addSeries(library.LineSeries, {
    lineWidth: 2, priceLineVisible: false, lastValueVisible: false, crosshairMarkerRadius: 4,
    priceFormat: priceFormat(start),
    // The start and the target are in view, however far the price is from them.
    autoscaleInfoProvider: (usual) => {
      const found = usual()?.priceRange ?? { minValue: start, maxValue: start };
      return { priceRange: { minValue: Math.min(found.minValue, start, target), maxValue: Math.max(found.maxValue, start, target) } };
    },
  });
  const overlay = new Overlay(look);
  const lines = [];

  const last = () => [...points].at(-1);

  function levels() {
    lines.splice(0).forEach((one) => line.removePriceLine(one));
    const { LargeDashed, Dotted, Solid } = library.LineStyle;
    const level = (value, color, lineStyle, axisLabelColor, axisLabelTextColor, lineVisible = true) => lines.push(line.createPriceLine({
      price: value, color, lineStyle, lineWidth: 1, lineVisible, axisLabelVisible: true, axisLabelColor, axisLabelTextColor, title: "",
    }));
    level(start, look.control, Dotted, look.line, look.ink);
    level(target, look.target, LargeDashed, look.brand, "#fff");
    level(last()[1], look.ink, Solid, look.ink, look.surface, false);
  }

  function around() {
    const [time, value] = last();
    overlay.change({
      zones: [
        { [rises ? "above" : "below"]: target, colour: "zone" },
        ...(decided ? [] : [{ from: inKorea(time), colour: "sunken" }]),
      ],
      lines: [{ time: inKorea(slot(closes)), label: told.words.closes }, ...(decided ? [{ time: inKorea(slot(decided)), label: told.words.result }] : [])],
      spots: [{ time: inKorea(time), price: value }],
    }, look);
  }

  function dress(fresh) {
    look = fresh;
    chart.applyOptions(options(look, { still: true, long }));
    line.applyOptions({ color: look.ink });
    levels();
    around();
  }

  function follow({ detail }) {
    const at = Date.parse(detail.asOf) / 1000;
    if (decided || detail.code !== holder.dataset.code || !(at >= last()[0]) || at >= ends) return;
    const value = Number(detail.price);
    points.set(slot(at), value);
    line.update({ time: inKorea(slot(at)), value }, true);
    lines[2].applyOptions({ price: value });
    around();
  }

  async function begin() {
    line.setData(slots.map((epoch) => ({ time: inKorea(epoch), ...(points.has(epoch) ? { value: points.get(epoch) } : {}) })));
    line.attachPrimitive(overlay);
    dress(look);
    // A little room at both ends, so that the first and the last spot are whole.
    const room = slots.length * 0.012;
    chart.timeScale().setVisibleLogicalRange({ from: -room, to: slots.length - 1 + room });
    document.addEventListener("wl:tick", follow);
  }

  return { ready: begin(), dress, press: () => {} };
}

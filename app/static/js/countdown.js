/** Counts the time left down in the page's own words. Silent for screen readers. */

const words = document.body.dataset;
const fill = (text, name, value) => text.replace(`{${name}}`, value);

function span(minutes) {
  const [days, hours, rest] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24, minutes % 60];
  const parts = [[days, words.days], [hours, words.hours], [rest, words.minutes]];
  const first = days ? 0 : hours ? 1 : 2;
  return parts.slice(first, first + 2).filter(([n]) => n).map(([n, text]) => fill(text, "n", n)).join(" ");
}

function left(moment) {
  const minutes = Math.floor((moment - Date.now()) / 60000);
  if (moment <= Date.now()) return words.over;
  return minutes < 1 ? words.almost : fill(words.left, "span", span(minutes));
}

function tick() {
  for (const element of document.querySelectorAll("[data-countdown]")) {
    const text = left(Date.parse(element.dataset.countdown));
    if (element.textContent !== text) element.textContent = text;
  }
}

// The server wrote the first text; a visitor's clock that is off must not contradict it at once.
setInterval(() => document.hidden || tick(), 15000);

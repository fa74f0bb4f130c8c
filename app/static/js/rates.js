/**
 * Tells how often it happened while a range is typed: `<input data-rates="#rates" data-rates-url="…">`
 * puts the server's words for its value into #rates. Without scripts the next step says it.
 */

const PAUSE = 250;

function watch(input) {
  const shown = document.querySelector(input.dataset.rates);
  let [timer, newest] = [0, 0];

  async function ask() {
    const mine = ++newest;
    const answer = await fetch(`${input.dataset.ratesUrl}&range=${encodeURIComponent(input.value)}`, { credentials: "same-origin" });
    if (!answer.ok || mine !== newest) return;
    const told = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (mine === newest) shown.replaceChildren(...told.body.childNodes);
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => ask().catch(() => {}), PAUSE);
  });
}

document.querySelectorAll("[data-rates]").forEach(watch);

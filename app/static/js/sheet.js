/** Makes the confirming sheet behave like a dialog: focus inside, Escape and the scrim lead back. */

const sheet = document.querySelector("[data-sheet]");

if (sheet) {
  const back = () => location.assign(sheet.dataset.sheet);
  const stops = [...sheet.querySelectorAll("a[href], button:not([disabled]), input:not([type=hidden])")];
  stops.at(-1)?.focus();
  sheet.parentElement.addEventListener("click", (event) => { if (event.target === sheet.parentElement) back(); });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") back();
    if (event.key !== "Tab" || !stops.length) return;
    const edge = event.shiftKey ? stops[0] : stops.at(-1);
    if (document.activeElement !== edge) return;
    event.preventDefault();
    (event.shiftKey ? stops.at(-1) : stops[0]).focus();
  });
}

/**
 * Shows a button that copies the text of another element, `<button data-copy="#quote" hidden>`, or,
 * where none is named, the address of the page.
 */

const told = ({ copy }) => (copy ? document.querySelector(copy).textContent : location.origin + location.pathname);

for (const button of document.querySelectorAll("[data-copy]")) {
  const label = button.textContent;
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(told(button.dataset));
    button.textContent = button.dataset.copied;
    setTimeout(() => { button.textContent = label; }, 2000);
  });
}

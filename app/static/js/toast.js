/** Lifts notes of success over the page and takes them away after a while, or at a touch. */

const STAYS = 8000;

for (const toast of document.querySelectorAll("[data-toast]")) {
  const close = toast.querySelector("button");
  let timer = setTimeout(() => toast.remove(), STAYS);
  const hold = () => clearTimeout(timer);
  const release = () => { hold(); timer = setTimeout(() => toast.remove(), STAYS); };
  toast.classList.add("wl-toast-floating");
  close.hidden = false;
  close.addEventListener("click", () => toast.remove());
  for (const event of ["pointerenter", "focusin"]) toast.addEventListener(event, hold);
  for (const event of ["pointerleave", "focusout"]) toast.addEventListener(event, release);
}

/**
 * Sends a star without leaving the page. A `.wl-star` button belongs to a form with the page's token;
 * `wanted` says what shall be. Where that fails the form is sent as it would be without scripts.
 */

async function mark(button) {
  const body = new URLSearchParams(new FormData(button.form, button));
  const answer = await fetch(button.formAction, { method: "POST", body, headers: { Accept: "application/json" } });
  const told = await answer.json();
  if (told.sign_in) return location.assign(told.sign_in);
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  button.value = told.favourite ? "0" : "1";
  button.setAttribute("aria-pressed", told.favourite);
}

let plain = false;

document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (plain || !button?.matches("button.wl-star")) return;
  event.preventDefault();
  mark(button).catch(() => {
    plain = true;
    button.click();
  });
});

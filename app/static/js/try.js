/**
 * Sends what a form of the API's page holds and shows what comes back. `<form data-try="POST">` has
 * a path, perhaps a body, and a <pre> for the answer; tokens that arrive are kept for the next try.
 */

const token = document.querySelector("#token");

function request(form) {
  const headers = { Accept: "application/json" };
  if (token.value.trim()) headers.Authorization = `Bearer ${token.value.trim()}`;
  const body = form.elements.body?.value;
  if (body) headers["Content-Type"] = "application/json";
  return fetch(form.elements.path.value, { method: form.dataset.try, headers, body });
}

function keepToken(text) {
  if (!text.startsWith("{")) return;
  const found = JSON.parse(text);
  token.value = found.token?.access_token ?? found.access_token ?? token.value;
}

async function send(event) {
  event.preventDefault();
  const form = event.currentTarget;
  const shown = form.querySelector("pre");
  shown.hidden = false;
  try {
    const response = await request(form);
    const text = await response.text();
    keepToken(text);
    shown.textContent = `${response.status}\n${text}`;
  } catch {
    shown.textContent = form.dataset.failed;
  }
}

document.querySelector("[data-try-token]").hidden = false;
for (const form of document.querySelectorAll("form[data-try]")) {
  form.hidden = false;
  form.addEventListener("submit", send);
}

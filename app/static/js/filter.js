/**
 * Filters a list while typing. `<input data-filter="#coins">` hides what doesn't match among the
 * `data-search` elements inside #coins: part of a code or name, or the first consonants (ㅂㅌ).
 * `data-filter-none` inside the list is shown when nothing is left. Enter still asks the server.
 */

const FIRST = 0xac00;
const INITIALS = [..."ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"];

const plain = (text) => text.normalize("NFC").toLowerCase().replace(/\s+/g, "");
const initials = (text) => [...text].map((c) => INITIALS[Math.floor((c.codePointAt(0) - FIRST) / 588)] ?? c).join("");

function watch(input) {
  const list = document.querySelector(input.dataset.filter);
  const none = list.querySelector("[data-filter-none]");
  const rows = [...list.querySelectorAll("[data-search]")].map((element) => {
    const text = plain(element.dataset.search);
    return { element, text: `${text} ${initials(text)}` };
  });
  input.addEventListener("input", () => {
    const wanted = plain(input.value);
    for (const row of rows) row.element.hidden = !row.text.includes(wanted);
    if (none) none.hidden = rows.some((row) => !row.element.hidden);
  });
}

document.querySelectorAll("[data-filter]").forEach(watch);

// Going through the looks of a release: the slider (and so the arrow keys) shows the page as it was known at
// each look, without loading it as a whole. The slider's form and the links do the same without this script.
let waiting, wanted;

const opened = () => [...document.querySelectorAll("article.check details[open]")].map(named);
const named = (details) => `${details.closest("article").id} ${details.querySelector("summary").firstChild.textContent.trim()}`;

function swap(fresh) {
  // The slider itself stays, or it would lose the focus; all that stands around it is new.
  const now = document.getElementById("release"), then = fresh.getElementById("release");
  const here = now.querySelector(".looks"), there = then.querySelector(".looks");
  const open = new Set(opened());
  while (here.previousSibling) here.previousSibling.remove();
  while (here.nextSibling) here.nextSibling.remove();
  while (then.firstChild !== there) now.insertBefore(then.firstChild, here);
  while (there.nextSibling) now.append(there.nextSibling);
  for (const part of [".strip", ".steps"]) here.querySelector(part).replaceWith(there.querySelector(part));
  const range = here.querySelector("input[type=range]"), told = there.querySelector("input[type=range]");
  range.min = told.min;
  range.max = told.max;
  here.querySelector("output").textContent = range.value;
  for (const details of document.querySelectorAll("article.check details")) if (open.has(named(details))) details.open = true;
  document.title = fresh.title;
  document.dispatchEvent(new CustomEvent("firedamp:shown"));
}

async function show(form) {
  const address = new URL(form.action);
  address.search = new URLSearchParams(new FormData(form));
  wanted?.abort();
  wanted = new AbortController();
  try {
    const answer = await fetch(address, { signal: wanted.signal, credentials: "same-origin" });
    if (!answer.ok) throw new Error(`${answer.status}`);
    swap(new DOMParser().parseFromString(await answer.text(), "text/html"));
    history.replaceState(null, "", address);
  } catch (error) {
    if (error.name !== "AbortError") location.assign(address);
  }
}

const form = document.querySelector("form.scrub");
if (form) {
  form.querySelector("button").hidden = true;
  form.addEventListener("input", () => {
    form.querySelector("output").textContent = form.querySelector("input[type=range]").value;
    clearTimeout(waiting);
    waiting = setTimeout(() => show(form), 120);
  });
}

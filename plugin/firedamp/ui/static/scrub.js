// Going through the looks of a release: the slider (and so the arrow keys) shows the page as it was known at
// each look, without loading it as a whole. The slider's form and the links do the same without this script.
// While the newest look is shown and live.js tells of another one, that takes its place in the same way.
let waiting = 0, wanted = null;

const shown = () => document.getElementById("release");
const named = (details) => `${details.closest("article").id} ${details.querySelector("summary").firstChild.textContent.trim()}`;
const folds = () => [...document.querySelectorAll("article.check details")];

function swap(fresh) {
  // The slider itself stays, or it would lose the focus; all that stands around it is new.
  const now = shown(), then = fresh.getElementById("release");
  const here = now.querySelector(".looks"), there = then.querySelector(".looks");
  const open = new Set(folds().filter((one) => one.open).map(named));
  const focused = document.activeElement;
  const key = focused?.matches("article.check summary") ? named(focused.parentElement) : "";
  const link = now.contains(focused) && !here.contains(focused) ? focused.getAttribute("href") : null;
  while (here.previousSibling) here.previousSibling.remove();
  while (here.nextSibling) here.nextSibling.remove();
  while (then.firstChild !== there) now.insertBefore(then.firstChild, here);
  while (there.nextSibling) now.append(there.nextSibling);
  for (const part of [".strip", ".steps", ".traffic"]) here.querySelector(part).replaceWith(there.querySelector(part));
  now.dataset.state = then.dataset.state;
  const range = here.querySelector("input[type=range]"), told = there.querySelector("input[type=range]");
  range.min = told.min;
  range.max = told.max;
  range.value = told.value;
  here.querySelector("output").textContent = range.value;
  for (const details of folds()) if (open.has(named(details))) details.open = true;
  if (key) folds().find((one) => named(one) === key)?.querySelector("summary").focus();
  if (link) [...now.querySelectorAll("a")].find((one) => one.getAttribute("href") === link)?.focus();
  document.title = fresh.title;
  document.dispatchEvent(new CustomEvent("firedamp:shown"));
}

async function fetched(address, signal) {
  const answer = await fetch(address, { signal, credentials: "same-origin" });
  if (answer.status === 401) document.body.dispatchEvent(new CustomEvent("firedamp-left"));
  if (!answer.ok) throw new Error(`${answer.status}`);
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

async function show(form) {
  const address = new URL(form.action), range = form.querySelector("input[type=range]");
  const asked = new URLSearchParams(new FormData(form));
  if (range.value === range.max) asked.delete("look"); // the newest one is the page itself, which goes on
  address.search = asked;
  wanted?.abort();
  const mine = wanted = new AbortController();
  try {
    swap(await fetched(address, mine.signal));
    history.replaceState(null, "", address);
  } catch (error) {
    if (error.name !== "AbortError") location.assign(address);
  } finally {
    if (wanted === mine) wanted = null;
  }
}

// What somebody is writing must not be swept away, and an earlier look is looked at on purpose.
const busy = () => wanted || waiting || document.activeElement?.closest("form.words") ||
  new URLSearchParams(location.search).has("look") ||
  [...document.querySelectorAll("form.words input[name=note]")].some((one) => one.value !== one.defaultValue);

// One at a time: an answer that is overtaken by another would show an older look in its place.
let renewing = false, missed = false;

async function renew() {
  missed = renewing;
  if (renewing || busy()) return;
  renewing = true;
  try {
    const fresh = await fetched(location.href);
    const changed = fresh.getElementById("release").dataset.state !== shown().dataset.state;
    // Before its first look the page has no slider to keep: then it is loaded as a whole.
    if (changed && !busy()) document.querySelector("form.scrub") ? swap(fresh) : location.reload();
  } catch { /* the next event tries again */ } finally {
    renewing = false;
  }
  if (missed) await renew();
}

const form = document.querySelector("form.scrub");
if (form) {
  form.querySelector("button").hidden = true;
  form.addEventListener("input", () => {
    form.querySelector("output").textContent = form.querySelector("input[type=range]").value;
    clearTimeout(waiting);
    waiting = setTimeout(() => { waiting = 0; show(form); }, 120);
  });
}
document.body.addEventListener("firedamp-look", renew);

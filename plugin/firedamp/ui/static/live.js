// Keeps a page as new as the judge: one look or change of state is one event, and the page asks for itself
// again. Where events do not come through (a proxy, too many listeners), it asks every few seconds instead;
// without this script people load the page again.
//
// A line that breaks is opened again by the browser after a second, for as long as it takes. Only a refusal
// (a proxy without its server, a session that is over) ends that; then this script tries again, soon at first
// and ever more seldom after a minute. Whenever a line opens the page asks once: what happened while nobody
// listened is told by no event.
//
// Where the session is over nothing is asked any more: what stands there stays, and is said to grow old.
const POLL_MS = 5000;               // without events
const SOON_MS = 1500;               // until a line that was refused is tried again
const SELDOM_MS = 30000;            // the longest until then
const SOON_TRIES = 40;              // tried soon: about a minute, in which a server is back from a restart
const GATHER_MS = 250;              // events within it are one question

const region = document.querySelector("[data-live]");
const sign = document.querySelector("[data-live-state]");
let polling = 0, gathered = 0, asked = -GATHER_MS, refusals = 0, source = null, left = false;

const say = (word) => { if (sign) sign.textContent = word; };
const ask = () => {
  gathered = 0;
  asked = performance.now();
  document.body.dispatchEvent(new CustomEvent("firedamp-look"));
};
// The first event is asked about at once; what follows closely is asked about together.
const soon = () => { gathered ||= setTimeout(ask, Math.max(0, asked + GATHER_MS - performance.now())); };

const poll = () => {
  if (polling || left) return;
  say("asking every 5 s");
  polling = setInterval(() => { if (!document.hidden) ask(); }, POLL_MS);
};
const heard = () => {
  clearInterval(polling);
  polling = refusals = 0;
  say("live");
  soon();
};
const pause = () => {
  const growing = SOON_MS * 1.5 ** Math.max(0, refusals++ - SOON_TRIES);
  return Math.min(growing, SELDOM_MS) * (0.75 + Math.random() / 4); // not all pages at the same moment
};

const leave = () => {
  if (left) return;
  left = true;
  source?.close();
  clearInterval(polling);
  say("");
  const told = document.createElement("p"), again = document.createElement("a");
  told.className = "banner";
  told.setAttribute("role", "alert");
  told.textContent = "You are logged out: what stands here is not renewed any more. ";
  again.href = location.pathname + location.search;
  again.textContent = "Log in again";
  told.append(again);
  document.getElementById("main").prepend(told);
};
document.body.addEventListener("firedamp-left", leave);
document.body.addEventListener("htmx:response:error", (event) => {
  if (event.detail.ctx.response.status === 401) leave();
});

// Why a line was refused a browser does not tell; the page's own address does, also while somebody writes on it.
const refused = async () => {
  const answer = await fetch(location.href, { method: "HEAD" }).catch(() => null); // nobody is there
  if (answer?.status === 401) leave();
};

const listen = () => {
  if (left) return;
  source = new EventSource(region.dataset.live);
  source.addEventListener("open", heard);
  source.addEventListener("look", soon);
  source.addEventListener("full", poll); // the server has no room; the browser comes back when it was told to
  source.addEventListener("error", () => {
    poll();
    if (source.readyState !== EventSource.CLOSED) return;
    refused();
    setTimeout(listen, pause());
  });
};

if (region && "EventSource" in window) listen();
else if (region) poll();
addEventListener("pagehide", () => source?.close());

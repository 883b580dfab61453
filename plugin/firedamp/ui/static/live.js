// Keeps a page as new as the judge: one look or change of state is one event, and the page asks for itself
// again. Where events do not come through (a proxy, too many listeners), it asks every few seconds instead;
// without this script people load the page again.
const POLL_MS = 5000;      // without events
const RETRY_MS = 30000;    // until events are tried again
const GATHER_MS = 250;     // many events of one moment are one question

const region = document.querySelector("[data-live]");
const sign = document.querySelector("[data-live-state]");
let polling = 0, gathered = 0, source = null;

const say = (word) => { if (sign) sign.textContent = word; };
const ask = () => document.body.dispatchEvent(new CustomEvent("firedamp-look"));
const soon = () => {
  if (!gathered) gathered = setTimeout(() => { gathered = 0; ask(); }, GATHER_MS);
};

const poll = () => {
  if (polling) return;
  say("asking every 5 s");
  polling = setInterval(() => { if (!document.hidden) ask(); }, POLL_MS);
};
const heard = () => {
  clearInterval(polling);
  polling = 0;
  say("live");
};

const listen = () => {
  source = new EventSource(region.dataset.live);
  source.addEventListener("open", () => { heard(); soon(); }); // what happened while nobody listened
  source.addEventListener("look", soon);
  source.addEventListener("error", () => {
    poll();
    // The browser itself tries again after a broken line, but not after a refusal.
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, RETRY_MS);
  });
};

if (region && "EventSource" in window) listen();
else if (region) poll();
addEventListener("pagehide", () => source?.close());

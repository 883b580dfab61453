// Light or dark: as the system has it, or as somebody chose here. Read in the head before anything is drawn,
// so that a dark page never flashes white; without scripts the system's preference holds.
(() => {
  "use strict";
  const KEY = "firedamp-theme";
  const root = document.documentElement;

  const stored = () => {
    try { return localStorage.getItem(KEY) || "auto"; } catch { return "auto"; } // storage may be forbidden
  };
  const keep = (theme) => {
    try { localStorage.setItem(KEY, theme); } catch { /* holds for this page only */ }
  };
  const apply = (theme) => {
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else delete root.dataset.theme;
    document.dispatchEvent(new CustomEvent("firedamp-theme"));
  };

  apply(stored());
  document.addEventListener("DOMContentLoaded", () => {
    const chooser = document.querySelector("[data-theme-chooser]");
    if (!chooser) return;
    const choice = chooser.querySelector("select");
    choice.value = stored();
    chooser.hidden = false;
    choice.addEventListener("change", () => { keep(choice.value); apply(choice.value); });
  });
  window.addEventListener("storage", (event) => { if (event.key === KEY) apply(stored()); });
})();

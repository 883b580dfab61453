// A button beside each query that copies it; without this script one selects it by hand.
function button(pre) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "copy";
  made.textContent = "Copy";
  made.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(pre.textContent);
      made.textContent = "Copied";
    } catch { // not allowed, or not over HTTPS: then it is selected, ready for the keyboard
      getSelection().selectAllChildren(pre);
      made.textContent = "Selected";
    }
    setTimeout(() => { made.textContent = "Copy"; }, 2000);
  });
  pre.after(made);
}

const all = () => document.querySelectorAll("pre[data-copy]:not([data-ready])").forEach((pre) => {
  pre.dataset.ready = "";
  button(pre);
});
document.addEventListener("firedamp:shown", all);
all();

// The address of what was looked for holds what was filled in, and nothing that was left empty: people send it
// to each other. Without this script the browser writes every field into it, which means the same.
const form = document.querySelector("form[method=get]");
form.addEventListener("submit", (event) => {
  const address = new URL(form.action);
  address.search = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
  event.preventDefault();
  location.assign(address);
});

// A link to a part of a page (#check-errors) leads there over the login too: a browser carries the part along to
// this page, and where the form's address has it, on to the page that the login leads to. Without this script
// one arrives at the top of it.
const form = document.querySelector("form.login");
const address = new URL(form.action);
address.hash = location.hash;
form.action = address;

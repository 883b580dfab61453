// What was just done is said once: the address forgets it, so that the page does not say it again when it is
// loaded again, kept as a bookmark or gone back to. Without this script it does.
const here = new URL(location.href);
for (const name of ["done", "release"]) here.searchParams.delete(name);
history.replaceState(history.state, "", here);

// A report that is being made: its state is asked for every two seconds, until it is ready or failed. The page works
// without this script, by reloading it.
"use strict";

{
  let pause = 2000;
  setTimeout(look, pause);

  async function look() {
    const shown = document.getElementById("report-state");
    try {
      const answer = await fetch(location.pathname, { headers: { "X-Requested-With": "fetch" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = answer.ok && page.getElementById("report-state");
      if (!fresh || !fresh.dataset.underWay) return location.reload();
      shown.replaceWith(document.importNode(fresh, true));
      pause = 2000;
    } catch {
      pause = Math.min(pause * 2, 30000); // the line is away: ask less often
    }
    setTimeout(look, pause);
  }
}

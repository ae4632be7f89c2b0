// A form marked data-once is sent once: a second tap while it is on its way does nothing.
"use strict";

for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    const button = event.submitter;
    if (button) {
      button.setAttribute("aria-disabled", "true");
      if (button.dataset.busy) [button.dataset.label, button.textContent] = [button.textContent, button.dataset.busy];
    }
  });
}

// The kill switch by keyboard: Alt+Shift+H opens its page, where the reason has the focus.
document.addEventListener("keydown", (event) => {
  const button = document.querySelector("[data-halt]");
  if (button && event.altKey && event.shiftKey && event.code === "KeyH") {
    event.preventDefault();
    location.assign(button.href);
  }
});

// The browser's back button brings the page as it was left: the form may be sent again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-once]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[aria-disabled]")) {
      button.removeAttribute("aria-disabled");
      if (button.dataset.label) button.textContent = button.dataset.label;
    }
  }
});

// A part of a page that is still being filled asks for itself, until it is done. Nothing else of the page is touched.
function askAgain(part) {
  setTimeout(async () => {
    try {
      const answer = await fetch(part.dataset.again, { headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = answer.ok ? page.getElementById(part.id) : null;
      if (fresh) {
        part.replaceWith(fresh);
        part = fresh;
      }
    } catch {
      // the network is away for a moment
    }
    if (part.dataset.again) askAgain(part);
  }, 1500);
}
for (const part of document.querySelectorAll("[data-again]")) askAgain(part);

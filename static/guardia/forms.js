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

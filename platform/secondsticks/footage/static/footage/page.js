"use strict";
// Every page: tell when the server cannot be reached, and never swap the sign-in page into a fragment.

(() => {
  const lost = () => document.getElementById("connection-lost");
  const signIn = document.body.dataset.signIn;

  document.addEventListener("htmx:sendError", () => { lost().hidden = false; });
  document.addEventListener("htmx:afterOnLoad", () => { lost().hidden = true; });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const answered = event.detail.xhr.responseURL;
    if (signIn && answered && new URL(answered).pathname === signIn) {
      event.detail.shouldSwap = false;
      window.location.reload();
    }
  });

  // A menu closes on Escape and on a click elsewhere.
  const closeMenus = (except) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (menu === except) continue;
      if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
      menu.open = false;
    }
  };
  document.addEventListener("click", (event) => closeMenus(event.target.closest("details.menu")));
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") closeMenus(null); });
  // Also when the Tab key leaves it, and when what it offers has been asked for.
  document.addEventListener("focusin", (event) => closeMenus(event.target.closest("details.menu")));

  // What says data-key is pressed by that key, unless somebody is typing.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=checkbox]), textarea, select")) return;
    document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`)?.click();
  });

  // A select that says data-submit sends its form when it is changed.
  document.addEventListener("change", (event) => {
    if (event.target.matches("select[data-submit]")) event.target.form.requestSubmit();
  });
  // A form that says data-confirm asks first.
  document.addEventListener("submit", (event) => {
    const question = event.target.dataset.confirm;
    if (question && !window.confirm(question)) event.preventDefault();
    // A form that changes something shows that it is at work until the next page is there.
    else if (event.target.method === "post") event.submitter?.setAttribute("aria-busy", "true");
    if (event.target.closest("details.menu")) closeMenus(null);
  });
  window.addEventListener("pageshow", () => {
    for (const button of document.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
  });
})();

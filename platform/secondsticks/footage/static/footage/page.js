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
      if (menu !== except) menu.open = false;
    }
  };
  document.addEventListener("click", (event) => closeMenus(event.target.closest("details.menu")));
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") closeMenus(null); });

  // A select that says data-submit sends its form when it is changed.
  document.addEventListener("change", (event) => {
    if (event.target.matches("select[data-submit]")) event.target.form.requestSubmit();
  });
  // A form that says data-confirm asks first.
  document.addEventListener("submit", (event) => {
    const question = event.target.dataset.confirm;
    if (question && !window.confirm(question)) event.preventDefault();
  });
})();

"use strict";
// The fields of the slate on the clip page: T goes there, Escape and a kept answer give the keys back to the review.

(() => {
  const part = () => document.getElementById("slate-text");
  const isTyping = (element) => element?.closest?.("input, textarea, select, summary");
  const isTouched = () => [...part().querySelectorAll("input[type=text]")].some((input) => input.value !== input.defaultValue);

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !part()) return;
    if (event.key === "Escape" && part().contains(event.target)) {
      part().querySelector("form").reset();
      event.target.blur();
    }
    if (event.key.toLowerCase() !== "t" || isTyping(event.target) || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    const first = part().querySelector("input[type=text]");
    first.focus();
    first.select();
  });

  // htmx gives the focus back to the field; once it is kept, the keys are the review's again.
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.requestConfig?.verb === "post" && part()?.contains(document.activeElement)) document.activeElement.blur();
  });

  // While the slate is being read, the part comes anew every few seconds: never over what somebody is typing.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const asked = event.detail.requestConfig?.verb === "get";
    if (asked && event.detail.target?.id === "slate-text" && (part().contains(document.activeElement) || isTouched())) {
      event.detail.shouldSwap = false;
    }
  });
})();

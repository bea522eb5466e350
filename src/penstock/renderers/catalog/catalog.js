"use strict";
(() => {
  const box = document.getElementById("search"), count = document.getElementById("count");
  const entries = [...document.querySelectorAll(".entry")];
  const texts = entries.map((entry) => entry.dataset.words.toLowerCase());

  function show() {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    entries.forEach((entry, at) => { entry.hidden = !words.every((word) => texts[at].includes(word)); });
    for (const group of document.querySelectorAll(".group")) {
      group.hidden = !group.querySelector(".entry:not([hidden])");
    }
    const shown = entries.filter((entry) => !entry.hidden).length;
    count.textContent = shown === entries.length ? "" : `${shown} of ${entries.length} flows`;
  }

  const links = () => entries.filter((entry) => !entry.hidden).map((entry) => entry.querySelector("h3 a"));

  function search() {
    const found = /^#q=(.*)$/.exec(location.hash);
    if (!found) return;
    try { box.value = decodeURIComponent(found[1]); } catch { return; }
    show();
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const here = [box, ...links()], at = here.indexOf(document.activeElement);
    let next = null;
    if (event.key === "/" && at !== 0) next = box;
    if (event.key === "Escape" && at >= 0) { box.value = ""; show(); next = box; }
    if (event.key === "ArrowDown" && at >= 0) next = here[at + 1];
    if (event.key === "ArrowUp" && at > 0) next = here[at - 1];
    if (event.key === "Enter" && at === 0) here[1]?.click();
    if (!next) return;
    next.focus();
    event.preventDefault();
  });
  box.addEventListener("input", show);
  addEventListener("pageshow", show);
  addEventListener("hashchange", search);
  box.closest("[hidden]").hidden = false;
  search();
})();

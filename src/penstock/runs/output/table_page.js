// The script of a page with a table beside a picture: a row lights its card, a card its
// rows.
"use strict";
(() => {
  const table = document.querySelector("table");
  const svg = document.querySelector("#picture > svg");
  const rows = () => [...table.querySelectorAll(".row")];
  const rowsOf = Map.groupBy(rows(), (row) => row.dataset.card);
  let lit = [];

  function light(elements) {
    for (const one of lit) one.classList.remove("lit");
    lit = elements.filter(Boolean);
    for (const one of lit) one.classList.add("lit");
  }

  function cardOf(row) {
    return document.getElementById(row.dataset.card);
  }

  function show(element) {
    element?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  // Scroll the picture beside the rows, and nothing else.
  function reveal(card) {
    if (!card) return;
    const pane = svg.parentElement;
    const area = pane.getBoundingClientRect(), box = card.getBoundingClientRect();
    const top = Math.max(area.top, 0), bottom = Math.min(area.bottom, innerHeight);
    if (box.top >= top && box.bottom <= bottom) return;
    pane.scrollBy({ top: (box.top + box.bottom - top - bottom) / 2, behavior: "smooth" });
  }

  // One row is reached with Tab, the others from there with the arrows.
  rows().forEach((row, at) => row.setAttribute("tabindex", at ? "-1" : "0"));
  function move(row, by) {
    const all = rows();
    const next = all[all.indexOf(row) + by];
    if (!next) return;
    row.setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus();
  }

  function watch(area, selector, lights, leadsTo) {
    const at = (event) => event.target.closest(selector);
    for (const kind of ["pointerover", "focusin"]) {
      area.addEventListener(kind, (event) => {
        const one = at(event);
        light(one ? lights(one) : []);
      });
    }
    for (const kind of ["pointerleave", "focusout"]) {
      area.addEventListener(kind, () => light([]));
    }
    area.addEventListener("click", (event) => at(event) && show(leadsTo(at(event))));
    area.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && at(event)) show(leadsTo(at(event)));
    });
  }

  watch(table, ".row", (row) => {
    const card = cardOf(row);
    reveal(card);
    return [row, card];
  }, cardOf);
  table.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const row = event.target.closest(".row");
    if (!by || !row) return;
    event.preventDefault();
    move(row, by);
  });
  if (!svg) return;
  const rowsAbout = (card) => rowsOf.get(card.id) ?? [];
  svg.setAttribute("role", "group");
  for (const card of svg.querySelectorAll(".node")) {
    if (!rowsOf.has(card.id)) continue;
    card.setAttribute("tabindex", "0");
    card.setAttribute("role", "button");
    card.setAttribute("aria-label", card.querySelector("title").textContent);
  }
  watch(svg, ".node", (card) => [card, ...rowsAbout(card)], (card) => rowsAbout(card)[0]);
})();

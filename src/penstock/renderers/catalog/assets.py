"""The style of the pages, and the script of the index."""

from __future__ import annotations

__all__ = ["SCRIPT", "STYLE"]

_LIGHT = (
    "--ink:#1f2933;--soft:#52606d;--line:#cbd2d9;--back:#fff;--card:#f3f6f9;"
    "--link:#0b5cad;--go:#1b5e20;--edge:#5f6b7a"
)
_DARK = (
    "--ink:#e4e7eb;--soft:#a3b0bd;--line:#3e4c59;--back:#14181d;--card:#1f262e;"
    "--link:#7cb8f5;--go:#8fd694;--edge:#9aa5b1"
)

STYLE = f"""
:root {{ color-scheme: light dark; {_LIGHT} }}
@media (prefers-color-scheme: dark) {{ :root {{ {_DARK} }} }}
* {{ box-sizing: border-box }}
body {{ margin: 0 auto; max-width: 76rem; padding: 1.5rem; background: var(--back);
  color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere }}
a {{ color: var(--link) }}
:focus-visible {{ outline: 3px solid var(--link); outline-offset: 2px }}
h1, h2, h3 {{ line-height: 1.2; margin: 1.5rem 0 .5rem }}
nav a {{ margin-right: 1rem }}
dl {{ display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem;
  margin: 0 }}
dt {{ color: var(--soft) }}
dd {{ margin: 0 }}
pre {{ margin: .5rem 0; white-space: pre-wrap; font-size: .875rem }}
section {{ border-top: 1px solid var(--line); padding-bottom: .75rem }}
section:target {{ background: var(--card) }}
.about {{ color: var(--soft) }}
.tag {{ padding: 0 .4rem; border: 1px solid var(--line); border-radius: .6rem;
  font-size: .875rem; white-space: nowrap }}
.go {{ color: var(--go); font-weight: 600 }}
.drawing {{ overflow: auto; max-height: 80vh; padding: .5rem; background: var(--card);
  border: 1px solid var(--line); border-radius: .5rem }}
.table {{ overflow-x: auto }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line);
  text-align: left; vertical-align: top; min-width: 4rem }}
th:first-child, td:first-child {{ min-width: 12rem }}
input {{ width: 100%; max-width: 30rem; padding: .5rem .75rem; font: inherit;
  color: inherit; background: var(--card); border: 1px solid var(--line);
  border-radius: .5rem }}
[hidden] {{ display: none !important }}
svg.penstock {{ display: block }}
.penstock text {{ fill: var(--ink) }}
.penstock .graph > polygon {{ fill: none }}
.penstock .node path {{ stroke: var(--edge); fill: var(--back) }}
.penstock .edge path, .penstock .cluster path {{ stroke: var(--edge) }}
.penstock .edge polygon {{ stroke: var(--edge); fill: var(--edge) }}
.penstock .outside text, .penstock .external text {{ fill: var(--soft) }}
.penstock .entrypoint path {{ stroke: var(--go) }}
.penstock .entrypoint text {{ fill: var(--go) }}
.penstock a:hover path, .penstock a:focus path {{ stroke: var(--link);
  stroke-width: 2 }}
@media print {{
  :root {{ {_LIGHT} }}
  nav, .search {{ display: none }}
  body {{ max-width: none; padding: 0 }}
  a {{ color: inherit; text-decoration: none }}
  .drawing {{ overflow: visible; max-height: none; border: 0; background: none }}
  svg.penstock {{ max-width: 100%; height: auto; max-height: 90vh }}
  section, tr {{ break-inside: avoid }}
}}
"""

SCRIPT = """
(function () {
  "use strict";
  var box = document.getElementById("search");
  var said = document.getElementById("count");
  var rows = Array.from(document.querySelectorAll("tbody tr"));
  var texts = rows.map(function (row) {
    return (row.textContent + " " + row.dataset.steps).toLowerCase();
  });
  function show() {
    var words = box.value.toLowerCase().split(/\\s+/).filter(Boolean);
    var shown = 0;
    rows.forEach(function (row, at) {
      row.hidden = !words.every(function (word) { return texts[at].includes(word); });
      shown += row.hidden ? 0 : 1;
    });
    said.textContent = shown === rows.length
      ? rows.length + (shown === 1 ? " flow" : " flows")
      : shown + " of " + rows.length + " flows";
  }
  function links() {
    return rows.filter(function (row) { return !row.hidden; })
      .map(function (row) { return row.querySelector("a"); });
  }
  function asked() {
    var found = /^#q=(.*)$/.exec(location.hash);
    if (!found) { return; }
    try { box.value = decodeURIComponent(found[1]); } catch (error) { return; }
    show();
  }
  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) { return; }
    var here = [box].concat(links());
    var at = here.indexOf(document.activeElement);
    var next = null;
    if (event.key === "/" && at !== 0) { next = box; }
    if (event.key === "Escape" && at >= 0) { box.value = ""; show(); next = box; }
    if (event.key === "ArrowDown" && at >= 0) { next = here[at + 1]; }
    if (event.key === "ArrowUp" && at > 0) { next = here[at - 1]; }
    if (event.key === "Enter" && at === 0) { if (here[1]) { here[1].click(); } return; }
    if (next) { next.focus(); event.preventDefault(); }
  });
  box.addEventListener("input", show);
  window.addEventListener("pageshow", show);
  window.addEventListener("hashchange", asked);
  box.closest("[hidden]").hidden = false;
  asked();
}());
"""

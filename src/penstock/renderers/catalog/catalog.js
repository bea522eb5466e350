(function () {
  "use strict";
  var box = document.getElementById("search");
  var said = document.getElementById("count");
  var rows = Array.from(document.querySelectorAll("tbody tr"));
  var texts = rows.map(function (row) {
    return (row.textContent + " " + row.dataset.steps).toLowerCase();
  });
  function show() {
    var words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
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

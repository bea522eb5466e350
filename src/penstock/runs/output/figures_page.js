// A click on the name of a column sorts the rows: numbers begin with the highest.
(() => {
  const body = document.querySelector("tbody");
  const heads = [...document.querySelectorAll("th")];
  const keyOf = (row, at) => row.cells[at].dataset.key;

  function compare(at, row, other) {
    const one = keyOf(row, at), two = keyOf(other, at);
    return at ? one - two : one.localeCompare(two);
  }

  function sort(head, at) {
    const was = head.getAttribute("aria-sort");
    const first = at ? "descending" : "ascending";
    const next = at ? "ascending" : "descending";
    for (const one of heads) one.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", was === first ? next : first);
    const sign = head.getAttribute("aria-sort") === "ascending" ? 1 : -1;
    body.append(...[...body.rows].sort((row, other) => sign * compare(at, row, other)));
  }

  heads.forEach((head, at) => {
    const button = document.createElement("button");
    button.textContent = head.textContent;
    button.addEventListener("click", () => sort(head, at));
    head.replaceChildren(button);
  });
})();

// What a page with one drawing can do. Nothing here asks for anything from elsewhere,
// and text of a flow is only ever put into text nodes.
"use strict";
(() => {
  const of = (id) => document.getElementById(id);
  const root = document.documentElement;
  const stage = of("stage"), svg = stage.querySelector("svg"), panel = of("panel");
  const search = of("search");
  const facts = new Map(Object.entries(JSON.parse(of("facts").textContent)));
  const steps = new Map();
  const edges = [];

  // -- what is drawn --------------------------------------------------------

  for (const element of svg.querySelectorAll(".node")) {
    const fact = facts.get(element.id);
    const words = [fact.label, fact.name, fact.doc, ...fact.tags.map((tag) => "#" + tag)];
    const step = { id: element.id, element, fact, before: [], after: [] };
    step.text = words.join("\n").toLowerCase();
    steps.set(element.id, step);
    element.setAttribute("tabindex", "0");
    element.setAttribute("role", "button");
    element.setAttribute("aria-pressed", "false");
    element.setAttribute("aria-label", `${fact.label}, ${kindOf(fact)} of ${fact.flow}`);
  }
  for (const element of svg.querySelectorAll(".edge")) {
    const before = steps.get(element.dataset.before);
    const after = steps.get(element.dataset.after);
    before.after.push(after);
    after.before.push(before);
    edges.push({ element, before, after });
    element.setAttribute("aria-hidden", "true");
  }
  svg.setAttribute("role", "group");
  svg.setAttribute("aria-label", "Drawing");

  function kindOf(fact) {
    return fact.entrypoint ? "entrypoint" : fact.kind === "step" ? "step" : `${fact.kind} step`;
  }

  // -- where we look: a point of the drawing in the middle, and pixels per unit ---

  const { x: left, y: top, width, height } = svg.viewBox.baseVal;
  const whole = { x: left + width / 2, y: top + height / 2 };
  const original = svg.getAttribute("viewBox");
  let view = { ...whole, scale: 1 };
  let waiting = false, isFitted = true;

  function fitting() {
    return Math.min(stage.clientWidth / width, stage.clientHeight / height, 2) || 1;
  }

  function look(to) {
    const least = Math.min(fitting(), 1) / 2;
    view = { ...view, ...to };
    view.scale = Math.min(Math.max(view.scale, least), 8);
    view.x = Math.min(Math.max(view.x, left), left + width);
    view.y = Math.min(Math.max(view.y, top), top + height);
    isFitted = false;
    if (!waiting) requestAnimationFrame(show);
    waiting = true;
  }

  function show() {
    waiting = false;
    const w = stage.clientWidth / view.scale, h = stage.clientHeight / view.scale;
    svg.setAttribute("viewBox", `${view.x - w / 2} ${view.y - h / 2} ${w} ${h}`);
    svg.classList.toggle("far", view.scale < 0.3);
    for (const { sign, name, width: wide } of signs) {
      const most = Math.max(4, Math.floor(wide * view.scale / 8)); // letters of 8 pixels
      sign.setAttribute("font-size", 14 / view.scale);
      sign.textContent = name.length > most ? name.slice(0, most - 1) + "…" : name;
    }
  }

  function fit() {
    look({ ...whole, scale: fitting() });
    isFitted = true;
  }

  // Zoom so that what is under the point (in pixels of the window) stays there.
  function zoom(factor, clientX, clientY) {
    const box = stage.getBoundingClientRect();
    const dx = (clientX ?? box.x + box.width / 2) - box.x - box.width / 2;
    const dy = (clientY ?? box.y + box.height / 2) - box.y - box.height / 2;
    const old = view;
    look({ scale: old.scale * factor });
    look({ x: old.x + dx / old.scale - dx / view.scale, y: old.y + dy / old.scale - dy / view.scale });
  }

  function pan(dx, dy) {
    look({ x: view.x - dx / view.scale, y: view.y - dy / view.scale });
  }

  // Put the middle of a part of the drawing into the middle of the window.
  function centre(element, scaled) {
    if (waiting) show();
    const box = element.getBoundingClientRect(), frame = stage.getBoundingClientRect();
    const x = view.x + (box.x + box.width / 2 - frame.x - frame.width / 2) / view.scale;
    const y = view.y + (box.y + box.height / 2 - frame.y - frame.height / 2) / view.scale;
    look({ x, y, scale: scaled(box) });
  }

  // The same at a size that can be read, unless it is in sight.
  function reveal(element) {
    if (waiting) show();
    const box = element.getBoundingClientRect(), frame = stage.getBoundingClientRect();
    const inside = box.left >= frame.left && box.right <= frame.right
      && box.top >= frame.top && box.bottom <= frame.bottom;
    if (!inside || view.scale < 0.5) centre(element, () => Math.max(view.scale, 0.9));
  }

  // The same as large as it can be.
  function frame(element) {
    const room = (box) => Math.min(stage.clientWidth / box.width, stage.clientHeight / box.height);
    centre(element, (box) => Math.min(view.scale * room(box) * 0.92, 2));
  }

  // -- pointers: one drags, two pinch ---------------------------------------

  const pointers = new Map();
  let moved = 0;

  stage.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    if (!pointers.size) moved = 0;
    pointers.set(event.pointerId, event);
  });
  stage.addEventListener("pointermove", (event) => {
    const last = pointers.get(event.pointerId);
    if (!last) return;
    pointers.set(event.pointerId, event);
    const dx = event.clientX - last.clientX, dy = event.clientY - last.clientY;
    moved += Math.abs(dx) + Math.abs(dy);
    if (moved < 5) return;
    stage.setPointerCapture(event.pointerId);
    stage.classList.add("moving");
    const other = [...pointers.values()].find((one) => one.pointerId !== event.pointerId);
    if (other) {
      const apart = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
      zoom(apart(event) / (apart(last) || 1), other.clientX, other.clientY);
    } else pan(dx, dy);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    stage.addEventListener(name, (event) => {
      pointers.delete(event.pointerId);
      if (!pointers.size) stage.classList.remove("moving");
    });
  }
  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    const lines = event.deltaMode ? 20 : 1;
    const speed = event.ctrlKey ? 0.01 : 0.002; // a pinch on a touchpad comes with Ctrl
    zoom(Math.exp(-event.deltaY * lines * speed), event.clientX, event.clientY);
  }, { passive: false });
  stage.addEventListener("click", (event) => {
    const node = event.target.closest(".node");
    if (moved < 5 && node) choose(steps.get(node.id));
    else if (moved < 5) leave();
  });
  stage.addEventListener("focusin", (event) => {
    if (event.target.matches(":focus-visible")) reveal(event.target);
  });

  // -- one step -------------------------------------------------------------

  let chosen = null;
  const lighting = { before: of("up"), after: of("down") };

  function choose(step) {
    chosen = step;
    for (const button of Object.values(lighting)) button.setAttribute("aria-pressed", "false");
    of("flows").hidden = true;
    of("details").hidden = false;
    fill(step);
    open(true);
    panel.scrollTop = 0;
    light();
    remember("#" + step.id);
  }

  function go(step) {
    choose(step);
    reveal(step.element);
    step.element.focus({ preventScroll: true });
  }

  function fill(step) {
    const fact = step.fact;
    for (const place of panel.querySelectorAll("[data-of]")) {
      const value = fact[place.dataset.of] || "";
      place.textContent = Array.isArray(value) ? value.map((tag) => "#" + tag).join(" ") : value;
      const isEmpty = !place.textContent;
      place.hidden = isEmpty;
      if (place.matches("dd")) place.previousElementSibling.hidden = isEmpty;
    }
    const kind = panel.querySelector("[data-of=kind]");
    kind.textContent = kindOf(fact);
    kind.classList.toggle("entrypoint", fact.entrypoint);
    if (fact.link) {
      const link = document.createElement("a");
      link.href = fact.link;
      link.rel = "noopener noreferrer";
      link.target = "_blank";
      link.textContent = fact.place;
      panel.querySelector("[data-of=place]").replaceChildren(link);
    }
    list(of("before"), step.before, fact.joins);
    list(of("after"), step.after, {});
    for (const [way, button] of Object.entries(lighting)) {
      button.querySelector("b").textContent = reached(step, way).size - 1;
    }
  }

  function list(ul, others, joins) {
    ul.previousElementSibling.hidden = !others.length;
    ul.replaceChildren(...others.map((other) => {
      const item = document.createElement("li"), button = document.createElement("button");
      button.type = "button";
      button.dir = "auto";
      button.textContent = other.fact.label;
      button.addEventListener("click", () => go(other));
      item.append(button);
      if (joins[other.id]) {
        const small = document.createElement("small");
        small.textContent = " " + joins[other.id];
        item.append(small);
      }
      return item;
    }));
  }

  function reached(step, way) {
    const found = new Set([step]);
    for (const one of found) one[way].forEach((other) => found.add(other));
    return found;
  }

  // -- what stands out: all up- or downstream, else what the search finds ----

  let hits = [], place = -1;

  function light() {
    const sets = Object.entries(lighting)
      .filter(([, button]) => chosen && button.getAttribute("aria-pressed") === "true")
      .map(([way]) => reached(chosen, way));
    const lit = new Set(sets.length ? sets.flatMap((set) => [...set]) : hits);
    const isDim = sets.length > 0 || search.value.trim() !== "";
    const found = new Set(hits);
    svg.classList.toggle("dim", isDim);
    for (const step of steps.values()) {
      const is = step.element.classList;
      is.toggle("lit", lit.has(step) || step === chosen);
      is.toggle("hit", found.has(step));
      is.toggle("chosen", step === chosen);
      step.element.setAttribute("aria-pressed", String(step === chosen));
    }
    for (const { element, before, after } of edges) {
      const isLit = sets.length
        ? sets.some((set) => set.has(before) && set.has(after))
        : chosen !== null && (before === chosen || after === chosen);
      element.classList.toggle("lit", isLit);
    }
  }

  function toggle(way) {
    const button = lighting[way];
    if (!chosen) return;
    button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
    light();
  }

  function find() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const all = words.length ? [...steps.values()] : [];
    hits = all.filter((step) => words.every((word) => step.text.includes(word)));
    place = -1;
    tell();
    light();
  }

  function tell() {
    const at = place < 0 ? "" : `${place + 1} of `;
    const word = search.value.trim();
    of("found").textContent = word ? (hits.length ? `${at}${hits.length} found` : "none found") : "";
  }

  function next(by) {
    if (!hits.length) return;
    place = place < 0 ? (by > 0 ? 0 : hits.length - 1) : (place + by + hits.length) % hits.length;
    choose(hits[place]);
    reveal(hits[place].element);
    tell();
  }

  function leave() {
    chosen = null;
    of("flows").hidden = false;
    of("details").hidden = true;
    if (isNarrow()) open(false);
    light();
    remember("");
  }

  function clear() {
    search.value = "";
    find();
    leave();
  }

  // Where there are several flows, each has a button that leads to its frame, and a
  // sign to know it by from far away.
  const signs = [];
  for (const cluster of svg.querySelectorAll(".cluster")) {
    const { x, y, width: wide, height: high } = cluster.getBBox();
    const sign = document.createElementNS(svg.namespaceURI, "text");
    for (const [name, value] of Object.entries({ class: "sign", x: x + wide / 2, y: y + high / 2 })) {
      sign.setAttribute(name, value);
    }
    cluster.parentNode.append(sign);
    signs.push({ sign, name: cluster.dataset.flow, width: wide });
    for (const section of of("flows").children) {
      if (section.dataset.name !== cluster.dataset.flow) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = "Show";
      button.setAttribute("aria-label", `Show ${cluster.dataset.flow}`);
      button.addEventListener("click", () => frame(cluster));
      section.append(button);
    }
  }

  // -- the page around it ---------------------------------------------------

  const isNarrow = () => matchMedia("(max-width: 48rem)").matches;

  function open(isOpen) {
    panel.classList.toggle("open", isOpen);
    of("about").setAttribute("aria-expanded", String(isOpen));
  }

  function remember(hash) {
    try { history.replaceState(null, "", location.pathname + location.search + hash); } catch { /* not needed */ }
  }

  const isDark = () => getComputedStyle(root).colorScheme === "dark"
    || (!root.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);

  function theme(name) {
    if (name) root.dataset.theme = name;
    of("theme").setAttribute("aria-pressed", String(isDark()));
  }

  search.addEventListener("input", find);
  of("closer").addEventListener("click", () => zoom(1.3));
  of("farther").addEventListener("click", () => zoom(1 / 1.3));
  of("fit").addEventListener("click", fit);
  of("close").addEventListener("click", leave);
  of("up").addEventListener("click", () => toggle("before"));
  of("down").addEventListener("click", () => toggle("after"));
  of("about").addEventListener("click", () => open(!panel.classList.contains("open")));
  of("theme").addEventListener("click", () => {
    const name = isDark() ? "light" : "dark";
    theme(name);
    try { localStorage.setItem("penstock-theme", name); } catch { /* a page on disk may not */ }
  });

  const keys = {
    "+": () => zoom(1.3), "=": () => zoom(1.3), "-": () => zoom(1 / 1.3), "0": fit,
    ArrowLeft: () => pan(60, 0), ArrowRight: () => pan(-60, 0),
    ArrowUp: () => pan(0, 60), ArrowDown: () => pan(0, -60),
    "/": () => search.select(), u: () => toggle("before"), d: () => toggle("after"),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { target, key } = event;
    if (key === "Escape") {
      clear();
    } else if (target === search) {
      if (key !== "Enter") return;
      next(event.shiftKey ? -1 : 1);
    } else if ((key === "Enter" || key === " ") && steps.has(target.id)) {
      choose(steps.get(target.id));
    } else if (Object.hasOwn(keys, key) && !(key.startsWith("Arrow") && panel.contains(target))) {
      keys[key]();
    } else return;
    event.preventDefault();
  });

  addEventListener("beforeprint", () => {
    svg.setAttribute("viewBox", original);
    svg.classList.remove("far");
  });
  addEventListener("afterprint", show);
  new ResizeObserver(() => (isFitted ? fit() : look({}))).observe(stage);

  let stored = null;
  try { stored = localStorage.getItem("penstock-theme"); } catch { /* as above */ }
  root.classList.add("script");
  root.classList.toggle("wide", width > height);
  of("controls").hidden = false;
  theme(["light", "dark"].includes(stored) ? stored : "");
  open(!isNarrow());
  fit();
  // A long strip is better read from its beginning.
  const first = svg.querySelector(".entrypoint") || svg.querySelector(".node");
  if (fitting() < 0.3 && first && !signs.length) centre(first, () => 0.8);
  const asked = steps.get(location.hash.slice(1));
  if (asked) requestAnimationFrame(() => go(asked));
})();

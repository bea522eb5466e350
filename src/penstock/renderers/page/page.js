// The script of a page with one drawing. It loads nothing, and puts the text of a flow
// into text nodes only.
"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const root = document.documentElement;
  const stage = byId("stage"), svg = stage.querySelector("svg"), panel = byId("panel");
  const search = byId("search");
  const facts = new Map(Object.entries(JSON.parse(byId("facts").textContent)));
  const steps = new Map();
  const edges = [];

  // -- steps and edges ------------------------------------------------------

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

  // -- the view: the point of the drawing in the middle, and pixels per unit ------

  const { x: left, y: top, width, height } = svg.viewBox.baseVal;
  const whole = { x: left + width / 2, y: top + height / 2 };
  const original = svg.getAttribute("viewBox");
  let view = { ...whole, scale: 1 };
  let waiting = false, isFitted = true;

  function fitting() {
    return Math.min(stage.clientWidth / width, stage.clientHeight / height, 2) || 1;
  }

  function setView(to) {
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
      const most = Math.max(4, Math.floor(wide * view.scale / 8)); // with letters 8 pixels wide
      sign.setAttribute("font-size", 14 / view.scale);
      sign.textContent = name.length > most ? name.slice(0, most - 1) + "…" : name;
    }
  }

  function fit() {
    setView({ ...whole, scale: fitting() });
    isFitted = true;
  }

  // Zoom, and keep what is under the point (in pixels of the window) in its place.
  function zoom(factor, clientX, clientY) {
    const box = stage.getBoundingClientRect();
    const dx = (clientX ?? box.x + box.width / 2) - box.x - box.width / 2;
    const dy = (clientY ?? box.y + box.height / 2) - box.y - box.height / 2;
    const old = view;
    setView({ scale: old.scale * factor });
    setView({ x: old.x + dx / old.scale - dx / view.scale, y: old.y + dy / old.scale - dy / view.scale });
  }

  function pan(dx, dy) {
    setView({ x: view.x - dx / view.scale, y: view.y - dy / view.scale });
  }

  // Move the middle of an element into the middle of the window.
  function centre(element, scaled) {
    if (waiting) show();
    const box = element.getBoundingClientRect(), frame = stage.getBoundingClientRect();
    const x = view.x + (box.x + box.width / 2 - frame.x - frame.width / 2) / view.scale;
    const y = view.y + (box.y + box.height / 2 - frame.y - frame.height / 2) / view.scale;
    setView({ x, y, scale: scaled(box) });
  }

  // Bring an element into view at a readable size, unless it is in view already.
  function reveal(element) {
    if (waiting) show();
    const box = element.getBoundingClientRect(), frame = stage.getBoundingClientRect();
    const inside = box.left >= frame.left && box.right <= frame.right
      && box.top >= frame.top && box.bottom <= frame.bottom;
    if (!inside || view.scale < 0.5) centre(element, () => Math.max(view.scale, 0.9));
  }

  // Zoom in on an element as far as it fits.
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
    const speed = event.ctrlKey ? 0.01 : 0.002; // a pinch on a touchpad is a wheel event with Ctrl
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

  // -- the chosen step ------------------------------------------------------

  let chosen = null;
  const buttons = { before: byId("up"), after: byId("down") };

  function choose(step) {
    chosen = step;
    for (const button of Object.values(buttons)) button.setAttribute("aria-pressed", "false");
    byId("flows").hidden = true;
    byId("details").hidden = false;
    fill(step);
    open(true);
    panel.scrollTop = 0;
    highlight();
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
    list(byId("before"), step.before, fact.joins);
    list(byId("after"), step.after, {});
    for (const [way, button] of Object.entries(buttons)) {
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

  // -- highlights: everything up- or downstream, else what the search finds --

  let hits = [], place = -1;

  function highlight() {
    const sets = Object.entries(buttons)
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
    const button = buttons[way];
    if (!chosen) return;
    button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
    highlight();
  }

  function find() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const all = words.length ? [...steps.values()] : [];
    hits = all.filter((step) => words.every((word) => step.text.includes(word)));
    place = -1;
    showCount();
    highlight();
  }

  function showCount() {
    const at = place < 0 ? "" : `${place + 1} of `;
    const word = search.value.trim();
    byId("found").textContent = word ? (hits.length ? `${at}${hits.length} found` : "none found") : "";
  }

  function next(by) {
    if (!hits.length) return;
    place = place < 0 ? (by > 0 ? 0 : hits.length - 1) : (place + by + hits.length) % hits.length;
    choose(hits[place]);
    reveal(hits[place].element);
    showCount();
  }

  function leave() {
    chosen = null;
    byId("flows").hidden = false;
    byId("details").hidden = true;
    if (isNarrow()) open(false);
    highlight();
    remember("");
  }

  function clear() {
    search.value = "";
    find();
    leave();
  }

  // With several flows, each has a button that zooms in on its frame, and a sign with
  // its name that shows when zoomed out.
  const signs = [];
  for (const cluster of svg.querySelectorAll(".cluster")) {
    const { x, y, width: wide, height: high } = cluster.getBBox();
    const sign = document.createElementNS(svg.namespaceURI, "text");
    for (const [name, value] of Object.entries({ class: "sign", x: x + wide / 2, y: y + high / 2 })) {
      sign.setAttribute(name, value);
    }
    cluster.parentNode.append(sign);
    signs.push({ sign, name: cluster.dataset.flow, width: wide });
    for (const section of byId("flows").children) {
      if (section.dataset.name !== cluster.dataset.flow) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = "Show";
      button.setAttribute("aria-label", `Show ${cluster.dataset.flow}`);
      button.addEventListener("click", () => frame(cluster));
      section.append(button);
    }
  }

  // -- the rest of the page -------------------------------------------------

  const isNarrow = () => matchMedia("(max-width: 48rem)").matches;

  function open(isOpen) {
    panel.classList.toggle("open", isOpen);
    byId("about").setAttribute("aria-expanded", String(isOpen));
  }

  function remember(hash) {
    try { history.replaceState(null, "", location.pathname + location.search + hash); } catch { /* works without */ }
  }

  const isDark = () => getComputedStyle(root).colorScheme === "dark"
    || (!root.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);

  function theme(name) {
    if (name) root.dataset.theme = name;
    byId("theme").setAttribute("aria-pressed", String(isDark()));
  }

  search.addEventListener("input", find);
  byId("closer").addEventListener("click", () => zoom(1.3));
  byId("farther").addEventListener("click", () => zoom(1 / 1.3));
  byId("fit").addEventListener("click", fit);
  byId("close").addEventListener("click", leave);
  byId("up").addEventListener("click", () => toggle("before"));
  byId("down").addEventListener("click", () => toggle("after"));
  byId("about").addEventListener("click", () => open(!panel.classList.contains("open")));
  byId("theme").addEventListener("click", () => {
    const name = isDark() ? "light" : "dark";
    theme(name);
    try { localStorage.setItem("penstock-theme", name); } catch { /* not allowed for a page on disk */ }
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
  new ResizeObserver(() => (isFitted ? fit() : setView({}))).observe(stage);

  let stored = null;
  try { stored = localStorage.getItem("penstock-theme"); } catch { /* as above */ }
  root.classList.add("script");
  root.classList.toggle("wide", width > height);
  byId("controls").hidden = false;
  theme(["light", "dark"].includes(stored) ? stored : "");
  open(!isNarrow());
  fit();
  // Show the beginning of a long strip at a readable size.
  const first = svg.querySelector(".entrypoint") || svg.querySelector(".node");
  if (fitting() < 0.3 && first && !signs.length) centre(first, () => 0.8);
  const asked = steps.get(location.hash.slice(1));
  if (asked) requestAnimationFrame(() => go(asked));
})();

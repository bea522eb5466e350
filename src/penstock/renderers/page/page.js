// The script of a page with one drawing. It loads nothing, and puts the text of a flow
// into text nodes only.
"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const root = document.documentElement;
  const stage = byId("stage"), svg = stage.querySelector("svg"), panel = byId("panel");
  const search = byId("search"), rail = byId("rail"), colour = byId("colour");
  const facts = new Map(Object.entries(JSON.parse(byId("facts").textContent)));
  const modes = [...colour.options].map((option) => option.value);
  const ways = { up: "before", down: "after" };
  const steps = new Map(), flows = new Map(), edges = [];

  // -- flows, steps and edges -------------------------------------------------

  function flowOf(name) {
    if (!flows.has(name)) flows.set(name, { name, steps: [], marks: [], before: [], after: [], hue: "" });
    return flows.get(name);
  }

  for (const section of byId("flows").children) {
    Object.assign(flowOf(section.dataset.name), { section, hue: section.dataset[`${modes[0]}Hue`] });
  }
  for (const element of svg.querySelectorAll(".cluster")) flowOf(element.dataset.flow).element = element;
  for (const element of svg.querySelectorAll(".node")) {
    const fact = facts.get(element.id), isDrawn = ["step", "flow"].includes(fact.kind);
    const flow = flowOf(isDrawn ? element.dataset.flow : element.querySelector("title").textContent);
    const words = [fact.label, fact.name, fact.doc, ...fact.tags.map((tag) => "#" + tag)];
    const step = { element, fact, flow, id: element.id, before: [], after: [] };
    step.name = element.dataset.step ?? "";
    step.text = words.join("\n").toLowerCase();
    steps.set(element.id, step);
    flow.steps.push(step);
    flow.element ??= element;
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
    if (before.flow !== after.flow) {
      before.flow.after.push(after.flow);
      after.flow.before.push(before.flow);
    }
    edges.push({ element, before, after });
    element.setAttribute("aria-hidden", "true");
  }
  const shown = [...flows.values()].filter((flow) => flow.section);
  const isMap = shown.length > 1;
  svg.setAttribute("role", "group");
  svg.setAttribute("aria-label", "Drawing");
  svg.classList.add("drawing");
  svg.classList.toggle("still", steps.size > 500); // fading 6,000 steps takes two seconds

  function kindOf(fact) {
    if (fact.kind === "flow") return "flow";
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
    svg.classList.toggle("small", view.scale < 0.5);
    svg.classList.toggle("far", view.scale < 0.3);
    for (const { sign, name, box } of signs) {
      const most = Math.max(4, Math.floor(box.width * view.scale / 7)); // with letters 7 pixels wide
      sign.setAttribute("y", box.y - 1 / view.scale);
      sign.setAttribute("font-size", 12 / view.scale);
      sign.textContent = name.length > most ? name.slice(0, most - 1) + "…" : name;
    }
    set(here, { x: view.x - w / 2, y: view.y - h / 2, width: w, height: h });
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
    show();
    const box = element.getBoundingClientRect(), frame = stage.getBoundingClientRect();
    const x = view.x + (box.x + box.width / 2 - frame.x - frame.width / 2) / view.scale;
    const y = view.y + (box.y + box.height / 2 - frame.y - frame.height / 2) / view.scale;
    setView({ x, y, scale: scaled(box) });
  }

  // Bring an element into view at a readable size, unless it is in view already.
  function reveal(element) {
    show();
    const box = element.getBoundingClientRect(), frame = stage.getBoundingClientRect();
    const inside = box.left >= frame.left && box.right <= frame.right
      && box.top >= frame.top && box.bottom <= frame.bottom;
    if (!inside || view.scale < 0.5) centre(element, () => Math.max(view.scale, 0.9));
  }

  // Zoom in on an element as far as it fits, with some of what is around it.
  function frame(element) {
    const room = (box) => Math.min(stage.clientWidth / box.width, stage.clientHeight / box.height);
    centre(element, (box) => Math.min(view.scale * room(box) * 0.85, 1));
  }

  // Zoomed out, each flow has a sign with its name. A small map shows where the reader is.
  const make = (name, attributes) => set(document.createElementNS(svg.namespaceURI, name), attributes);
  const here = make("rect", { class: "here" });
  const signs = [];

  function set(element, attributes) {
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  }

  function addMap() {
    const map = make("svg", { class: "penstock minimap", viewBox: original, width, height, "aria-hidden": "true" });
    for (const { element, name, hue, marks } of shown) {
      const { x, y, width, height } = element.querySelector(".frame, .card").getBBox();
      const spot = make("g", {}), sign = make("text", { class: hue, x }), holder = make("g", { class: "sign" });
      spot.append(make("rect", { class: `${hue}-tint ${hue}-line`, x, y, width, height, rx: 12 }));
      map.append(spot);
      marks.push(spot);
      if (!element.matches(".cluster")) continue;
      holder.append(sign);
      svg.querySelector(".graph").append(holder);
      marks.push(holder);
      signs.push({ sign, name, box: { x, y, width } });
    }
    map.append(here);
    map.addEventListener("click", (event) => {
      const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(map.getScreenCTM().inverse());
      setView({ x, y });
    });
    stage.append(map);
  }

  // -- pointers: one drags, two pinch ---------------------------------------

  const pointers = new Map();
  let moved = 0;

  stage.addEventListener("pointerdown", (event) => {
    if (event.button || event.target.closest(".minimap")) return;
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
    if (moved >= 5 || event.target.closest(".minimap")) return;
    const node = event.target.closest(".node"), door = event.target.closest(".door");
    const cluster = event.target.closest(".cluster");
    if (node) choose(steps.get(node.id).flow, steps.get(node.id));
    else if (door) go(flowOf(beyond(door)));
    else if (cluster) choose(flowOf(cluster.dataset.flow));
    else leave();
  });
  stage.addEventListener("focusin", (event) => {
    if (event.target.matches(":focus-visible")) reveal(event.target);
  });

  // -- the choice: a flow, a step of it, or all that is up- or downstream of one ----

  let choice = { flow: null, step: null, way: "" };
  const buttons = { up: byId("up"), down: byId("down") };

  function choose(flow, step = null, way = "") {
    if (!step && !flow.section) step = flow.steps[0];
    choice = { flow, step, way };
    for (const one of shown) one.section.hidden = one !== flow || step !== null;
    byId("details").hidden = !step;
    byId("around").hidden = byId("close").hidden = false;
    byId("open").hidden = !isMap || !flow.section;
    if (step) fill(step.fact);
    fillAround(step ?? flow);
    open(panel, true);
    panel.scrollTop = 0;
    open(rail, false);
    highlight();
    remember();
  }

  function go(flow, step = null) {
    choose(flow, step);
    if (!step) return frame(flow.element);
    reveal(step.element);
    step.element.focus({ preventScroll: true });
  }

  function leave() {
    choice = { flow: null, step: null, way: "" };
    for (const one of shown) one.section.hidden = false;
    for (const id of ["details", "around", "close"]) byId(id).hidden = true;
    open(panel, !isMap && !isNarrow());
    open(rail, false);
    highlight();
    remember();
  }

  // Return what is at the other side of a door.
  function beyond({ dataset }) {
    return dataset.before === dataset.flow ? dataset.after : dataset.before;
  }

  function fill(fact) {
    for (const place of panel.querySelectorAll("[data-of]")) {
      const value = fact[place.dataset.of] || "";
      place.textContent = Array.isArray(value) ? value.map((tag) => "#" + tag).join(" ") : value;
      const isEmpty = !place.textContent;
      place.hidden = isEmpty;
      if (place.matches("dd")) place.previousElementSibling.hidden = isEmpty;
    }
    const kind = panel.querySelector("[data-of=kind]");
    kind.textContent = kindOf(fact);
    kind.className = `kind hue-${choice.flow.hue}`;
    kind.classList.toggle("entrypoint", fact.entrypoint);
    if (fact.link) {
      const link = document.createElement("a");
      link.href = fact.link;
      link.rel = "noopener noreferrer";
      link.target = "_blank";
      link.textContent = fact.place;
      panel.querySelector("[data-of=place]").replaceChildren(link);
    }
  }

  // Fill in what comes before and after a step or a flow.
  function fillAround(subject) {
    for (const [way, name] of Object.entries(ways)) {
      const chips = subject.fact ? subject[name].map((other) => chipOf(other, subject)) : flowChips(subject, name);
      byId(name).replaceChildren(...chips);
      byId(name).hidden = byId(name).previousElementSibling.hidden = !chips.length;
      const count = reached(subject, name).size - 1;
      buttons[way].querySelector("b").textContent = count;
      buttons[way].hidden = !count;
    }
  }

  function chipOf(step, subject) {
    return chip(step.fact.label, subject.fact.joins[step.id], () => go(step.flow, step));
  }

  function flowChips(flow, name) {
    const found = new Map();
    for (const step of flow.steps.flatMap((one) => one[name])) {
      if (step.flow !== flow) found.set(step.flow, (found.get(step.flow) ?? new Set()).add(step.name));
    }
    return [...found].map(([other, names]) => chip(other.name, other.section && [...names].join(", "), () => go(other)));
  }

  function chip(words, note, act) {
    const item = document.createElement("li"), button = document.createElement("button");
    button.type = "button";
    button.dir = "auto";
    button.append(words);
    if (note) {
      const small = document.createElement("small");
      small.textContent = note;
      button.append(" ", small);
    }
    button.addEventListener("click", act);
    item.append(button);
    return item;
  }

  function reached(start, name) {
    const found = new Set([start]);
    for (const one of found) one[name].forEach((other) => found.add(other));
    return found;
  }

  // -- the address: #flow, #flow/step, #flow!down ------------------------------

  function remember() {
    const { flow, step, way } = choice;
    const written = (name) => encodeURIComponent(name).replaceAll("!", "%21");
    const parts = flow ? ["#", written(flow.name), step?.name ? "/" + written(step.name) : "", way && "!" + way] : [];
    try {
      history.replaceState(null, "", location.pathname + location.search + parts.join(""));
    } catch { /* works without */ }
  }

  function visit() {
    const [, ...parts] = /^#([^/!]*)(?:[/]([^!]*))?(?:!(up|down))?$/.exec(location.hash) ?? [];
    let names = [];
    try { names = parts.map((part) => decodeURIComponent(part ?? "")); } catch { /* not one of ours */ }
    const [name, stepName, way] = names, flow = flows.get(name);
    if (!flow) return;
    const step = flow.steps.find((one) => one.name && one.name === stepName) ?? null;
    go(flow, step);
    choose(flow, step, way);
  }

  // -- highlights: the path of the choice, else what the search finds -----------

  let hits = [], place = -1;

  // Return sets of flows or steps; what is between two of the same set is on the path.
  function paths() {
    const { flow, step, way } = choice;
    if (way) return [reached(step ?? flow, ways[way])];
    return flow && !step && isMap ? Object.values(ways).map((name) => reached(flow, name)) : [];
  }

  function highlight() {
    const sets = paths(), found = new Set(hits);
    const kind = (step) => (choice.step ? step : step.flow);
    const joined = (before, after) => sets.some((set) => set.has(before) && set.has(after));
    const isDim = sets.length > 0 || search.value.trim() !== "";
    const litFlows = new Set(), links = new Set();
    svg.classList.toggle("dim", isDim);
    for (const [way, button] of Object.entries(buttons)) button.setAttribute("aria-pressed", String(way === choice.way));
    for (const step of steps.values()) {
      const isLit = sets.length ? sets.some((set) => set.has(kind(step))) : found.has(step);
      const is = step.element.classList;
      is.toggle("lit", isLit || step === choice.step);
      is.toggle("hit", found.has(step));
      is.toggle("chosen", step === choice.step || (!choice.step && step.element === choice.flow?.element));
      step.element.setAttribute("aria-pressed", String(step === choice.step));
      if (isLit) litFlows.add(step.flow.name);
    }
    for (const { element, before, after } of edges) {
      const isLit = sets.length
        ? joined(kind(before), kind(after))
        : choice.step !== null && (before === choice.step || after === choice.step);
      element.classList.toggle("lit", isLit);
      element.classList.toggle("near", isLit && choice.step !== null);
      if (isLit) links.add(`${before.flow.name}\n${after.flow.name}`);
    }
    for (const { dataset, classList } of svg.querySelectorAll(".door")) {
      classList.toggle("lit", links.has(`${dataset.before}\n${dataset.after}`));
    }
    for (const flow of shown) {
      const isChosen = flow === choice.flow;
      if (flow.element.matches(".cluster")) {
        flow.element.classList.toggle("lit", litFlows.has(flow.name));
        flow.element.classList.toggle("chosen", isChosen && !choice.step);
      }
      if (!flow.item) continue;
      if (isChosen) flow.item.setAttribute("aria-current", "true");
      else flow.item.removeAttribute("aria-current");
      const isFound = flow.name.toLowerCase().includes(search.value.trim().toLowerCase());
      flow.item.hidden = !isFound && !flow.steps.some((step) => found.has(step));
    }
  }

  function toggle(way) {
    if (choice.flow) choose(choice.flow, choice.step, choice.way === way ? "" : way);
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
    const flow = shown.find((one) => one.name.toLowerCase() === search.value.trim().toLowerCase());
    if (isMap && flow) return go(flow);
    if (!hits.length) return;
    place = place < 0 ? (by > 0 ? 0 : hits.length - 1) : (place + by + hits.length) % hits.length;
    choose(hits[place].flow, hits[place]);
    reveal(hits[place].element);
    showCount();
  }

  function clear() {
    search.value = "";
    find();
    leave();
  }

  // -- the rail, and the colours ------------------------------------------------

  function fillRail(mode) {
    const groups = new Map();
    for (const flow of shown) {
      const name = flow.section.dataset[mode];
      groups.set(name, [...(groups.get(name) ?? []), flow]);
    }
    const rank = ([name]) => (name === "no name" ? "\uffff" : name); // the last
    const sorted = [...groups].sort((one, other) => (rank(one) < rank(other) ? -1 : 1));
    const lists = sorted.map(([name, members]) => {
      const heading = document.createElement("h2"), list = document.createElement("div");
      heading.className = `hue-${members[0].section.dataset[mode + "Hue"]}`;
      heading.append(...named(name, members.length));
      list.append(...(groups.size > 1 ? [heading] : []), ...members.map(railItem));
      return list;
    });
    rail.replaceChildren(...lists);
  }

  function named(name, count) {
    const words = document.createElement("span"), small = document.createElement("small");
    words.textContent = name;
    small.textContent = count;
    return [words, small];
  }

  function railItem(flow) {
    const item = document.createElement("a");
    item.href = "#" + encodeURIComponent(flow.name);
    item.append(...named(flow.name, flow.section.dataset.steps));
    item.addEventListener("click", (event) => {
      event.preventDefault();
      go(flow);
    });
    flow.item = item;
    return item;
  }

  // Give everything that has the hue of a flow another one.
  function paint(mode) {
    const hues = new Map(shown.map((flow) => [flow.name, flow.section.dataset[mode + "Hue"]]));
    const repaint = (element, name) => {
      const { hue } = flowOf(name);
      if (!hue) return;
      for (const part of element.querySelectorAll("[class]")) {
        const names = part.getAttribute("class").split(" ");
        const changed = names.map((one) => (one === hue || one.startsWith(hue + "-") ? hues.get(name) + one.slice(hue.length) : one));
        part.setAttribute("class", changed.join(" "));
      }
    };
    for (const { name, element, steps, marks } of shown) {
      for (const one of new Set([element, ...marks, ...steps.map((step) => step.element)])) repaint(one, name);
    }
    for (const door of svg.querySelectorAll(".door")) repaint(door, beyond(door));
    for (const { element, before } of edges) {
      if (!element.dataset.evidence) repaint(element, before.flow.name);
    }
    for (const flow of shown) {
      flow.hue = hues.get(flow.name);
      flow.section.className = `flow hue-${flow.hue}`;
    }
    svg.classList.toggle("recoloured", mode !== modes[0]);
    fillRail(mode);
    highlight();
  }

  // -- copies -------------------------------------------------------------------

  function standalone() {
    const copy = svg.cloneNode(true), style = make("style", {}), scheme = isDark() ? "$2" : "$1";
    const css = document.querySelector("style").textContent.split("/* page */")[0];
    style.textContent = css.replace(/light-dark\(([^,]*),([^)]*)\)/g, scheme);
    for (const one of copy.querySelectorAll(".sign")) one.remove();
    set(copy, { viewBox: original, class: "penstock", role: "img" });
    copy.prepend(style);
    return new XMLSerializer().serializeToString(copy);
  }

  async function drawn() {
    const image = new Image(), canvas = document.createElement("canvas");
    image.src = "data:image/svg+xml," + encodeURIComponent(standalone());
    await image.decode();
    const scale = Math.min(2, 16000 / Math.max(width, height)); // browsers draw no larger canvas
    Object.assign(canvas, { width: width * scale, height: height * scale });
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    return new Promise((done) => canvas.toBlob(done));
  }

  // Without a clipboard, as on a page without HTTPS, a copy is a download.
  async function copy(type, suffix, content) {
    const blob = Promise.resolve(content()).then((data) => new Blob([data], { type }));
    byId("found").textContent = "";
    try {
      await navigator.clipboard.write([new ClipboardItem({ [type]: blob })]);
      byId("found").textContent = "copied";
    } catch {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await blob);
      link.download = `${document.title}.${suffix}`;
      link.click();
    }
  }

  // -- the rest of the page -------------------------------------------------

  const isNarrow = () => matchMedia("(max-width: 48rem)").matches;

  function open(part, isOpen) {
    part.classList.toggle("open", isOpen);
    byId("menu").setAttribute("aria-expanded", String(rail.matches(".open")));
  }

  const isDark = () => getComputedStyle(root).colorScheme === "dark"
    || (!root.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);

  function theme(name) {
    if (name) root.dataset.theme = name;
    byId("theme").setAttribute("aria-pressed", String(isDark()));
  }

  // Choose the nearest step in the direction of an arrow, among those that lines lead to.
  function walk(dx, dy) {
    const step = choice.step;
    if (!step) return choice.flow ? go(choice.flow, choice.flow.steps[0]) : pan(-60 * dx, -60 * dy);
    const middle = ({ element }) => {
      const box = element.getBoundingClientRect();
      return [box.x + box.width / 2, box.y + box.height / 2];
    };
    const [x, y] = middle(step);
    const beside = [...step.before.flatMap((one) => one.after), ...step.after.flatMap((one) => one.before)];
    let best = null, least = Infinity;
    for (const other of new Set([...step.before, ...step.after, ...beside])) {
      const [otherX, otherY] = middle(other);
      const along = (otherX - x) * dx + (otherY - y) * dy;
      const across = Math.abs((otherX - x) * dy) + Math.abs((otherY - y) * dx);
      const far = along + 2 * across;
      if (along > 1 && far < least) [best, least] = [other, far];
    }
    if (best) go(best.flow, best);
  }

  function enter() {
    if (choice.flow && choice.flow.section) go(choice.flow);
  }

  search.addEventListener("input", find);
  colour.addEventListener("change", () => paint(colour.value));
  addEventListener("hashchange", visit);
  const clicks = {
    closer: () => zoom(1.3), farther: () => zoom(1 / 1.3), fit, close: leave, open: enter,
    up: () => toggle("up"), down: () => toggle("down"),
    menu: () => open(rail, !rail.matches(".open")),
    help: () => byId("keys").showModal(), "close-keys": () => byId("keys").close(),
    "copy-svg": () => copy("text/plain", "svg", standalone),
    "copy-png": () => copy("image/png", "png", drawn),
    theme: () => {
      const name = isDark() ? "light" : "dark";
      theme(name);
      try { localStorage.setItem("penstock-theme", name); } catch { /* not allowed for a page on disk */ }
    },
  };
  for (const [id, act] of Object.entries(clicks)) byId(id).addEventListener("click", act);

  const keys = {
    "+": () => zoom(1.3), "=": () => zoom(1.3), "-": () => zoom(1 / 1.3), f: fit,
    ArrowLeft: () => walk(-1, 0), ArrowRight: () => walk(1, 0),
    ArrowUp: () => walk(0, -1), ArrowDown: () => walk(0, 1),
    "/": () => search.select(), u: () => toggle("up"), d: () => toggle("down"),
    "?": () => byId("keys").showModal(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || byId("keys").open) return;
    const { target, key } = event, step = steps.get(target.id);
    if (key === "Escape") {
      clear();
    } else if (target === search) {
      if (key !== "Enter") return;
      next(event.shiftKey ? -1 : 1);
    } else if (key === "Enter" && target === document.body) {
      enter();
    } else if ((key === "Enter" || key === " ") && step) {
      if (step === choice.step && isMap) enter();
      else choose(step.flow, step);
    } else if (Object.hasOwn(keys, key) && target !== colour && !(key.startsWith("Arrow") && panel.contains(target))) {
      keys[key]();
    } else return;
    event.preventDefault();
  });

  addEventListener("beforeprint", () => {
    svg.setAttribute("viewBox", original);
    svg.classList.remove("small", "far");
  });
  addEventListener("afterprint", show);
  new ResizeObserver(() => (isFitted ? fit() : setView({}))).observe(stage);

  let stored = null;
  try { stored = localStorage.getItem("penstock-theme"); } catch { /* as above */ }
  root.classList.add("script");
  root.classList.toggle("wide", width > height);
  for (const id of ["controls", "tools"]) byId(id).hidden = false;
  for (const one of [rail, byId("menu")]) one.hidden = !isMap;
  colour.closest("label").hidden = modes.length < 2 || !isMap;
  theme(["light", "dark"].includes(stored) ? stored : "");
  if (isMap) {
    addMap();
    fillRail(modes[0]);
  }
  open(panel, !isMap && !isNarrow());
  fit();
  // Show the beginning of a long strip at a readable size.
  const first = svg.querySelector(".entrypoint") || svg.querySelector(".node");
  if (fitting() < 0.3 && first && !isMap) centre(first, () => 0.8);
  requestAnimationFrame(visit);
})();

// A label, a slider, a field and a reset for every number that can be changed.

const GROUPS = [
  ["depth", "Depth"],
  ["training", "Training"],
  ["levels", "Perturbation levels"],
  ["symbols", "Symbols of the spec"],
  ["objective", "Objective"],
  ["constants", "Constants of the operators"],
  ["sites", "Single sites"],
];
// Groups that are folded away at first, and from how many controls a search box helps.
const FOLDED = new Set(["sites"]);
const SEARCH_FROM = 12;
const FEW = 8;
const SHOWN_AT_MOST = 60;
const POSITIONS = 1000;
const ROUNDED_DOWN = new Set(["step_size", "smoothness"]);
const ARROWS = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 };
// Below the largest value by this factor a logarithmic slider that allows 0 jumps to 0.
const SPAN_ABOVE_ZERO = 1e-6;

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

// Spec text is isolated: a right-to-left mark in it moves nothing around it.
function isolated(text) {
  return element("bdi", {}, text);
}

function lowest(control) {
  return control.min > 0 ? control.min : control.max * SPAN_ABOVE_ZERO;
}

// Few whole numbers have a place each; many share a logarithmic slider.
function isStepped(control) {
  return control.scale === "integer" && control.max - control.min <= POSITIONS;
}

function isLogarithmic(control) {
  return control.scale === "log" || (control.scale === "integer" && !isStepped(control));
}

// Slider position → value, rounded to what a slider can mean: three digits.
function valueAt(control, position) {
  const t = position / POSITIONS;
  if (position <= 0) return control.min;
  if (position >= POSITIONS) return control.max;
  if (!isLogarithmic(control)) {
    const x = control.min + t * (control.max - control.min);
    const step = 10 ** (Math.floor(Math.log10(control.max - control.min)) - 3);
    return Number((Math.round(x / step) * step).toPrecision(12));
  }
  const low = lowest(control);
  const x = Number((low * (control.max / low) ** t).toPrecision(3));
  const whole = control.scale === "integer" ? Math.round(x) : x;
  return Math.min(control.max, Math.max(control.min, whole));
}

function positionOf(control, value) {
  if (value <= control.min) return 0;
  if (value >= control.max) return POSITIONS;
  if (!isLogarithmic(control)) {
    return Math.round((POSITIONS * (value - control.min)) / (control.max - control.min));
  }
  const low = lowest(control);
  const t = Math.log(value / low) / Math.log(control.max / low);
  return Math.max(control.min > 0 ? 0 : 1, Math.round(POSITIONS * t));
}

// Where an arrow key leads: the next place of the slider, or the next whole number if that place
// stands for the same one.
function neighbour(control, slide, value, by) {
  const place = slide.value(Math.min(POSITIONS, Math.max(0, slide.position(value) + by)));
  const next = by * (place - value) > 0 ? place : value + by;
  return Math.min(control.max, Math.max(control.min, next));
}

function mathOf(control) {
  const template = control.math ? document.getElementById(control.math) : null;
  return template ? template.content.cloneNode(true) : null;
}

// A slider's ends, and what its positions stand for: choices and few whole numbers have a
// position each.
function slideOf(control) {
  if (control.scale === "choice") {
    const { choices } = control;
    return {
      low: 0,
      high: choices.length - 1,
      value: (position) => choices[position],
      position: (value) => choices.indexOf(value),
    };
  }
  if (isStepped(control)) {
    return { low: control.min, high: control.max, value: Number, position: (value) => value };
  }
  return {
    low: 0,
    high: POSITIONS,
    value: (position) => valueAt(control, position),
    position: (value) => positionOf(control, value),
  };
}

// What a field refuses, in words; null for what it takes.
function objection(control, value) {
  if (value === null) return "Not a number";
  if (control.scale === "choice") {
    return control.choices.includes(value) ? null : `One of ${control.choices.join(", ")}`;
  }
  const whole = control.scale === "integer";
  const inside = value >= control.min && value <= control.max && !(whole && !Number.isInteger(value));
  return inside ? null : `${whole ? "A whole number from" : "From"} ${shown(control.min)} to ${shown(control.max)}`;
}

// One control's row.  `update` shows the state's value, whoever changed it.
function makeControl(control, state, index) {
  const id = `control-${index}`;
  const label = element("label", { for: id, id: `${id}-label` }, isolated(control.label));
  const symbol = mathOf(control);
  if (symbol) label.append(" ", symbol);
  const note = control.note ? element("p", { class: "note", id: `${id}-note` }, isolated(control.note)) : null;
  const slide = slideOf(control);
  const slider = element("input", {
    type: "range",
    id,
    min: slide.low,
    max: slide.high,
    step: 1,
    "aria-describedby": note ? note.id : null,
  });
  slider.addEventListener("input", () => state.set(control.key, slide.value(Number(slider.value))));
  slider.addEventListener("keydown", (event) => {
    const by = event.ctrlKey || event.altKey || event.metaKey ? undefined : ARROWS[event.key];
    if (by === undefined || control.scale !== "integer" || isStepped(control)) return;
    event.preventDefault();
    state.set(control.key, neighbour(control, slide, state.settings[control.key], by));
  });
  const reset = element("button", { type: "button", class: "reset", hidden: true }, "↺");
  reset.append(element("span", { class: "sr-only" }, "Reset ", isolated(control.label)));
  reset.addEventListener("click", () => {
    state.set(control.key, state.defaults[control.key]);
    slider.focus();
  });
  const field = makeField(control, state, id);
  const row = element("div", { class: "control", "data-key": control.key });
  row.append(element("div", { class: "control-head" }, label, reset));
  row.append(element("div", { class: "control-body" }, slider, field.input, field.problem));
  if (note) row.append(note);

  let last = null;
  function update() {
    const value = state.settings[control.key];
    if (Object.is(value, last)) return;
    last = value;
    slider.value = String(slide.position(value));
    slider.setAttribute("aria-valuetext", shown(value));
    field.show(value);
    reset.hidden = state.isDefault(control.key);
  }
  return { row, update };
}

// A step at a theorem's limit is covered, so that the two that decide it are rounded down where
// they are typed as fractions.
function fractionOf(control, text, value) {
  if (!ROUNDED_DOWN.has(control.key) || value === control.value) return value;
  return Math.max(control.min, roundedDown(text, value));
}

// The number itself: what a slider cannot hit can be typed, a fraction too.
function makeField(control, state, id) {
  const input = element("input", {
    type: "text",
    class: "field",
    inputmode: "decimal",
    autocomplete: "off",
    spellcheck: "false",
    "aria-labelledby": `${id}-label`,
    "aria-describedby": `${id}-problem`,
  });
  const problem = element("span", { class: "problem", id: `${id}-problem`, hidden: true });
  let showing = "";

  function complain(text) {
    problem.textContent = text;
    problem.hidden = false;
    input.setAttribute("aria-invalid", "true");
    page.announce(text);
  }

  function show(value) {
    showing = control.scale === "integer" ? String(value) : shown(value);
    input.value = showing;
    problem.hidden = true;
    input.removeAttribute("aria-invalid");
  }

  input.addEventListener("change", () => {
    if (input.value === showing) return show(state.settings[control.key]);
    const value = parsed(input.value);
    const words = objection(control, value);
    if (words !== null) return complain(words);
    const taken = fractionOf(control, input.value, value);
    state.set(control.key, taken);
    return show(taken);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") show(state.settings[control.key]);
  });
  return { input, problem, show };
}

// A group as a fieldset; rows are made when they are first shown, as a group may hold thousands.
function makeGroup(title, controls, state, start, folded) {
  const rows = new Map();
  const list = element("div", { class: "control-list" });
  const more = element("p", { class: "note more", hidden: true });
  const fieldset = element("fieldset", {}, element("legend", {}, title));
  let inner = fieldset;
  if (folded) {
    const fold = element("details", { class: "fold" }, element("summary", {}, `${controls.length} controls`));
    fieldset.append(fold);
    inner = fold;
  }

  function rowOf(index) {
    if (!rows.has(index)) rows.set(index, makeControl(controls[index], state, start + index));
    const made = rows.get(index);
    made.update();
    return made.row;
  }

  function show(query) {
    const words = query.trim().toLowerCase();
    const found = [];
    let count = 0;
    controls.forEach((control, index) => {
      if (words && !control.label.toLowerCase().includes(words)) return;
      count += 1;
      if (found.length < SHOWN_AT_MOST) found.push(index);
    });
    list.replaceChildren(...found.map(rowOf));
    more.hidden = count <= found.length && count > 0;
    more.textContent = count
      ? `${count - found.length} more: search for their names.`
      : "No control has this in its name.";
  }

  if (controls.length >= SEARCH_FROM) {
    const search = element("input", { type: "search", placeholder: "Search", "aria-label": `Search: ${title}` });
    search.addEventListener("input", () => show(search.value));
    inner.append(search);
  }
  inner.append(list, more);
  show("");
  return { fieldset, update: () => rows.forEach((row) => row.update()) };
}

function makeControls(host, model, state, groups = GROUPS) {
  const made = [];
  let start = 0;
  for (const [group, title] of groups) {
    const controls = model.controls.filter((control) => control.group === group);
    if (!controls.length) continue;
    const folded = controls.length > FEW || (FOLDED.has(group) && controls.length > 1);
    const set = makeGroup(title, controls, state, start, folded);
    start += controls.length;
    host.append(set.fieldset);
    made.push(set);
  }
  const update = () => made.forEach((set) => set.update());
  return { update };
}

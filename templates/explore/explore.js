// The page: state, headline, controls and charts put together.

const ANNOUNCE_MS = 900;
const EMBEDDED_GROUPS = ["depth", "training", "levels"];
const CHANGES_NAMED = 8;

function readModel() {
  return JSON.parse(document.getElementById("model").textContent);
}

// The target on the map: what was typed, or ten percent above the bound without perturbations.
function targetOf(state, result, regime, family) {
  const typed = parsed(state.view.target);
  if (typed !== null && typed > 0) return { value: typed, text: `your target, ${shown(typed)}` };
  const terms = result[regime]?.[family]?.terms;
  const least = terms ? terms.optimisation + terms.sampling : null;
  if (!drawable(least)) return { value: null, text: "no target" };
  return { value: 1.1 * least, text: `ten percent above the bound without perturbations, ${shown(1.1 * least, 0, 4)}` };
}

function makeBudgetMap(host, context, regime) {
  const { engine, state, families, stem } = context;
  const chart = makeMap(host, {
    id: "map",
    title: "Budget map",
    hint: "The bound when all forward and all backward levels are multiplied. The cross is the present setting; below and to the left of the line the target is met.",
    name: `${stem}-map`,
  });
  const select = element("select");
  for (const family of families) select.append(element("option", { value: family }, family));
  select.addEventListener("change", () => state.choose("map", select.value));
  const target = element("input", {
    type: "text",
    class: "field",
    inputmode: "decimal",
    autocomplete: "off",
    placeholder: "automatic",
    "aria-describedby": "map-target",
  });
  target.addEventListener("change", () => {
    const typed = target.value.trim();
    const valid = typed === "" || (parsed(typed) ?? 0) > 0;
    target.toggleAttribute("aria-invalid", !valid);
    if (valid) state.choose("target", typed);
    else page.announce("A target is a positive number");
  });
  const said = element("p", { class: "formula", id: "map-target" });
  chart.tools.append(
    element("label", {}, "Family ", select),
    element("label", {}, "Target ", target),
    said,
  );
  const rows = [];
  let result = null;
  const family = () => state.view.map;

  const job = makeSlowJob(
    MULTIPLES.length,
    () => chart.stale(true),
    (k) => {
      rows[k] = engine.map(state.settings, MULTIPLES, [MULTIPLES[k]], regime(), family())[0];
    },
    () => {
      const goal = targetOf(state, result, regime(), family());
      put(said, `Line: ${goal.text}`);
      if (select.value !== family()) select.value = family();
      if (document.activeElement !== target) target.value = state.view.target;
      chart.update({
        rows: rows.map((row) => row.slice()),
        target: goal.value,
        describe: (low, high, count) =>
          count
            ? `Bound of family ${family()} on ${REGIMES[regime()]} over multiples of the levels, from ${shown(low, 0, 3)} to ${shown(high, 0, 3)}. Line: ${goal.text}.`
            : "No finite bound at any multiple of the levels.",
      });
      chart.stale(false);
    },
  );
  return {
    ...job,
    start(found, then) {
      result = found;
      job.start(then);
    },
  };
}

function addNetwork(host, context, add) {
  const { model, stem } = context;
  const isDrawn = (one) => one.edges !== null && one.size <= LARGEST_DRAWN;
  if (!model.variants.some(isDrawn) || !context.families.includes("sharp")) return;
  const chart = makeNetwork(host, {
    id: "network",
    title: "The graph",
    hint: "Edges are as wide as the sharp coefficient of a forward perturbation at the operator they leave, on a logarithmic scale; dashed where it is zero or not defined.",
    name: `${stem}-graph`,
    weight: "sharp coefficient of E‖δ‖²",
  });
  chart.figure.classList.add("wide");
  add(chart, (result) => {
    const variant = model.variants[result.depth];
    chart.figure.hidden = !isDrawn(variant);
    if (chart.figure.hidden) return;
    const weights = result.families.sharp?.profile?.error_forward ?? [];
    chart.update({
      operators: variant.operators,
      edges: variant.edges,
      weights: variant.operators.map((_, k) => weights[k] ?? null),
      describe: () => `${variant.operators.length} operators, ${variant.edges.length} edges; the table lists the coefficients.`,
    });
  });
}

function viewOf(families, hasPl) {
  const values = {
    regime: "nonconvex",
    families: families.join(","),
    coefficient: "error_forward",
    map: families[families.length - 1] ?? "sharp",
    target: "",
  };
  const allows = (key, value) => {
    if (key === "regime") return value === "nonconvex" || (value === "pl" && hasPl);
    if (key === "families") return value.split(",").every((family) => families.includes(family));
    if (key === "coefficient") return Object.hasOwn(PROFILES, value);
    if (key === "map") return families.includes(value);
    return key === "target" && (parsed(value) ?? 0) > 0;
  };
  return { values, allows };
}

// Radio buttons for the regime and boxes for the families.
function makeChoices(host, context, hasPl) {
  const { state, families } = context;
  const radios = [];
  if (hasPl) {
    const group = element("fieldset", { class: "choices" }, element("legend", {}, "Regime"));
    for (const [key, text] of [["nonconvex", "nonconvex"], ["pl", "Polyak–Łojasiewicz"]]) {
      const radio = element("input", { type: "radio", name: "regime", value: key });
      radio.addEventListener("change", () => radio.checked && state.choose("regime", key));
      radios.push(radio);
      group.append(element("label", {}, radio, " ", text));
    }
    host.append(group);
  }
  const group = element("fieldset", { class: "choices" }, element("legend", {}, "Families in the charts"));
  const boxes = families.map((family) => {
    const box = element("input", { type: "checkbox", value: family });
    box.addEventListener("change", () => {
      const chosen = boxes.filter((one) => one.checked).map((one) => one.value);
      if (chosen.length) state.choose("families", chosen.join(","));
      else box.checked = true;
    });
    group.append(element("label", { class: `family-${family}` }, box, " ", family));
    return box;
  });
  host.append(group);
  return () => {
    for (const radio of radios) radio.checked = radio.value === state.view.regime;
    const chosen = state.view.families.split(",");
    for (const box of boxes) box.checked = chosen.includes(box.value);
  };
}

function listInto(host, title, rows) {
  if (!rows.length) return;
  const fold = element("details", { class: "fold" }, element("summary", {}, title));
  fold.append(element("ul", {}, ...rows));
  host.append(fold);
}

function fixedRow(one) {
  const value = one.value === null || one.value === undefined ? "" : ` = ${one.value}`;
  return element("li", {}, isolated(one.label), isolated(value), ": ", isolated(one.reason));
}

// What was changed, in words: paper has no controls.
function showSetting(host, model, state) {
  const changed = model.controls.filter((control) => !state.isDefault(control.key));
  host.hidden = changed.length === 0;
  const parts = changed.slice(0, CHANGES_NAMED).map((control, k) => {
    const value = ` = ${shown(state.settings[control.key])}`;
    return element("span", {}, k ? "; " : "", isolated(control.label), value);
  });
  const more = changed.length - CHANGES_NAMED;
  host.replaceChildren("Changed: ", ...parts, more > 0 ? ` and ${more} more` : "");
}

function start() {
  const model = readModel();
  const engine = boundcalcEngine(model, boundcalcPrograms);
  const embedded = document.documentElement.dataset.embedded !== undefined;
  const families = FAMILY_NAMES.filter((family) => model.families.includes(family));
  const hasPl = engine.evaluate(engine.defaults()).pl !== null;
  const state = makeState(engine, model, viewOf(families, hasPl));
  const stem = fileStem(model.name);
  const context = { model, engine, state, families, stem, only: embedded ? ["profile", "horizon"] : null };
  const get = (id) => document.getElementById(id);

  const headline = makeHeadline(get("numbers"), model, families, hasPl);
  const showChoices = makeChoices(get("choices"), context, hasPl);
  const groups = embedded ? GROUPS.filter(([group]) => EMBEDDED_GROUPS.includes(group)) : GROUPS;
  const controls = makeControls(get("controls-list"), model, state, groups);
  const { panels, add, regime } = makePanels(get("charts-list"), context);
  let slow = { start: (_, then) => then(), stop() {}, finish() {} };
  if (!embedded) {
    if (hasLevels(model)) slow = makeBudgetMap(get("charts-list"), context, regime);
    addNetwork(get("charts-list"), context, add);
    listInto(get("about"), "Fixed, and why", (model.fixed ?? []).map(fixedRow));
    listInto(get("about"), "Notes", (model.notes ?? []).map((note) => element("li", {}, isolated(note))));
  }

  const status = get("status");
  // Where the spec has no objective the page begins with one, and says so.
  const own = model.notes.some((note) => note.includes("the page begins with")) ? "assumed" : "own";
  const readout = families.map((family) => element("span", { class: `family-${family}` }));
  readout.forEach((one, k) => get("readout").append(k ? " · " : "", one));
  let spoken = 0;
  let last = null;

  function speak() {
    clearTimeout(spoken);
    spoken = setTimeout(() => {
      const value = valueOf(last, regime(), "sharp");
      const text = isNumber(value) ? `Sharp bound ${shown(value, +1, 3)}` : "Sharp bound: no finite number";
      page.announce(text);
    }, ANNOUNCE_MS);
  }

  function first() {
    last = engine.evaluate(state.settings);
    const untouched = state.allDefault();
    headline.update(last, regime(), untouched);
    readout.forEach((one, k) => {
      put(one, `${families[k]} ${shown(valueOf(last, regime(), families[k]), +1, 3)}`);
    });
    showSetting(get("setting"), model, state);
    put(status, status.dataset[untouched ? own : "changed"]);
    status.classList.toggle("changed", !untouched);
    return last;
  }

  const schedule = makeSchedule(get("charts-list"), panels, first, slow);
  state.onChange((reason) => {
    controls.update();
    showChoices();
    for (const button of document.querySelectorAll("[data-needs-change]")) button.disabled = state.fragment() === "";
    schedule.touch();
    if (reason !== "restore" || last) speak();
  });

  function open(hash) {
    const dropped = state.restore(hash);
    const notice = get("notice");
    notice.hidden = dropped.length === 0;
    if (dropped.length) {
      get("notice-text").replaceChildren(
        "The link held parts that mean nothing here, or lie outside a control's range; the rest of it is shown: ",
        isolated(listed(dropped)),
      );
    }
  }

  wireButtons(get, { model, engine, state, headline, stem, open });
  addEventListener("hashchange", () => {
    if (!state.isOwn(location.hash)) open(location.hash);
  });
  addEventListener("beforeprint", () => schedule.finish());
  open(location.hash);
  document.documentElement.dataset.ready = "true";
}

function wireButtons(get, { model, engine, state, headline, stem, open }) {
  const on = (id, work) => get(id)?.addEventListener("click", work);
  on("notice-close", () => {
    get("notice").hidden = true;
  });
  on("reset-all", () => {
    state.reset();
    get("notice").hidden = true;
    page.announce("All controls are back at the spec's own setting");
  });
  on("copy-link", () => page.copyText(state.link(), "Link"));
  on("copy-latex", () => {
    const changed = Object.keys(state.defaults)
      .filter((key) => !state.isDefault(key))
      .map((key) => `${key} = ${state.settings[key]}`);
    const lines = [
      `boundcalc ${model.boundcalc}, explorer; ${state.allDefault() ? "the spec's own setting" : "computed"}`,
      ...changed,
    ];
    page.copyText(headline.latex(lines), "LaTeX");
  });
  on("download-spec", () => {
    const text = engine.exported(state.settings);
    download(new Blob([text], { type: "application/json" }), `${stem}.json`);
  });
}

// A page that cannot run says so; what went wrong is in the console.
function begin() {
  try {
    start();
  } catch (error) {
    document.getElementById("status").textContent =
      "The controls of this page cannot run in this browser. `boundcalc rate` prints the numbers without them.";
    throw error;
  }
}

if (document.readyState === "loading") addEventListener("DOMContentLoaded", begin);
else begin();

// The charts: what each asks the engine, and how it is worded.

const FAMILY_NAMES = ["published", "corrected", "sharp"];
const PROFILES = {
  error_forward: ["error, forward", "factor of E‖δᵢ‖² in the bound on E‖ũ − u‖²"],
  error_backward: ["error, backward", "factor of E‖εᵢ‖² in the bound on E‖ũ − u‖²"],
  bias_forward_mean: ["bias, forward mean", "factor of ‖mean δᵢ‖² in the bound on ‖E[ũ − u]‖²"],
  bias_forward_fourth: ["bias, forward fourth moment", "factor of E‖δᵢ‖⁴ in the bound on ‖E[ũ − u]‖²"],
  bias_backward_mean: ["bias, backward mean", "factor of ‖mean εᵢ‖² in the bound on ‖E[ũ − u]‖²"],
};
const REGIMES = { nonconvex: "(1/T) Σ E‖∇ℓ‖²", pl: "E[ℓ(w) − ℓ*]" };
const HORIZON_POINTS = 49;
const STEP_POINTS = 61;
const MOST_BITS = 20;
const MARKED_UP_TO = 60;

function logGrid(low, high, count) {
  return Array.from({ length: count }, (_, k) => low * (high / low) ** (k / (count - 1)));
}

function familyLegend(families, marked = false) {
  return families.map((family) => ({ family, text: family, marked }));
}

function lastFinite(values) {
  for (let k = values.length - 1; k >= 0; k -= 1) if (isNumber(values[k])) return k;
  return -1;
}

// The places of a profile: operators by number; of large graphs, runs of them by their first.
function placesOf(variant) {
  const names = variant.operators;
  const whole = names.length === variant.size;
  return {
    names,
    xs: names.map((_, k) => (whole ? k + 1 : variant.places[k])),
    word: whole ? "operator" : "operators, the largest coefficient of each run",
  };
}

// "sharp from 3.1 to 0.02": the ends of a line, for those who do not see it.
function endsInWords(series, xs, name) {
  const words = series.map((one) => {
    const first = one.values.findIndex(isNumber);
    const last = lastFinite(one.values);
    if (first < 0) return `${one.name}: no finite number`;
    return (
      `${one.name}: ${shown(one.values[first], +1, 3)} at ${name} ${shown(xs[first], 0, 3)}, ` +
      `${shown(one.values[last], +1, 3)} at ${shown(xs[last], 0, 3)}`
    );
  });
  return `${words.join("; ")}.`;
}

// One chart: what is asked of the engine, and how it is worded.  `draw` gets the numbers of the
// present setting.
function addProfile({ host, stem, state, model, add, byFamily, shownFamilies }) {
  const chart = new LineChart(host, {
    id: "profile",
    title: "What each operator's perturbation costs",
    hint: "The factor by which a perturbation at one operator enters the bound. Left: near the data; right: near the loss.",
    name: `${stem}-profile`,
    xKind: "integer",
    xLabel: "operator",
  });
  chart.figure.classList.add("wide");
  const select = element("select");
  for (const [key, [short]] of Object.entries(PROFILES)) select.append(element("option", { value: key }, short));
  select.addEventListener("change", () => state.choose("coefficient", select.value));
  const said = element("p", { class: "formula" });
  chart.tools.append(element("label", {}, "Coefficient ", select), said);
  add(chart, (result) => {
    const key = state.view.coefficient;
    const variant = model.variants[result.depth];
    const { names, xs, word } = placesOf(variant);
    if (select.value !== key) select.value = key;
    put(said, PROFILES[key][1]);
    const marked = names.length <= MARKED_UP_TO;
    const series = byFamily(result.families, (found) => found.profile?.[key] ?? [], { marked });
    chart.update({
      xs,
      names,
      xLabel: word,
      domain: [0.5, Math.max(variant.size, xs[xs.length - 1] ?? 1) + 0.5],
      series,
      rules: [],
      legend: familyLegend(shownFamilies(), marked),
      nothing: series.some((one) => one.values.length)
        ? "All of these coefficients are zero or not defined"
        : "Coefficients by operator are left out of a page on a graph of this size",
      describe: () => `${PROFILES[key][1]}, by operator. ${endsInWords(series, xs, "operator")}`,
    });
  });
}

function addHorizon({ host, stem, state, model, engine, add, byFamily, shownFamilies, regime }) {
  const control = model.controls.find((one) => one.key === "horizon");
  const grid = logGrid(Math.max(1, control.min), control.max, HORIZON_POINTS);
  const xs = [...new Set(grid.map(Math.round))];
  const chart = new LineChart(host, {
    id: "horizon",
    title: "Bound against horizon",
    hint: "At the present step size. Where a line becomes flat, more steps bring nothing: what is left is its floor.",
    name: `${stem}-horizon`,
    xKind: "log",
    xLabel: "horizon T",
    xShort: "T",
  });
  add(chart, () => {
    const series = byFamily(engine.horizon(state.settings, xs)[regime()], (values) => values);
    chart.update({
      xs,
      domain: [xs[0], xs[xs.length - 1]],
      series,
      rules: [{ x: state.settings.horizon, text: "T now" }],
      legend: familyLegend(shownFamilies()),
      nothing: "No finite bound at this step size",
      describe: () => `Bound on ${REGIMES[regime()]} over the horizon. ${endsInWords(series, xs, "T")}`,
    });
  });
}

function addSteps({ host, stem, state, engine, add, byFamily, shownFamilies, regime }) {
  const chart = new LineChart(host, {
    id: "steps",
    title: "Bound and plateau against step size",
    hint: "Thick: the bound at the present horizon. Thin: the plateau, which more steps do not go below. A line ends at its family's step-size limit.",
    name: `${stem}-steps`,
    top: 56,
    xKind: "log",
    xLabel: "step size γ",
    xShort: "γ",
  });
  add(chart, (result) => {
    const limits = shownFamilies()
      .map((family) => ({ family, x: result[regime()]?.[family]?.limit, text: `limit: ${family}` }))
      .filter((rule) => drawable(rule.x));
    const { domain, xs } = stepGrid(result.step, limits);
    const found = engine.steps(state.settings, xs)[regime()];
    const bounds = byFamily(found, (curves) => curves.bound);
    const plateaus = byFamily(found, (curves) => curves.plateau).map((one) => {
      return { ...one, key: `${one.family} plateau`, kind: "thin", name: `${one.family}, plateau` };
    });
    const series = [...bounds, ...plateaus];
    chart.update({
      xs,
      domain,
      series,
      rules: [{ x: result.step, text: "γ now" }, ...merged(limits)],
      legend: familyLegend(shownFamilies()),
      nothing: "No finite bound at any step size",
      describe: () => `Bound on ${REGIMES[regime()]} over the step size. ${endsInWords(series, xs, "step size")}`,
    });
  });
}

// Whole decades, so that the axis rests while a limit moves; and the limits themselves, where
// lines end.
function stepGrid(now, limits) {
  const longest = Math.max(...limits.map((rule) => rule.x), drawable(now) ? now : 0, 1e-12);
  const domain = [10 ** (Math.floor(Math.log10(longest)) - 4), 10 ** Math.ceil(Math.log10(longest * 1.2))];
  const grid = [...logGrid(domain[0], domain[1], STEP_POINTS), ...limits.map((rule) => rule.x)];
  return { domain, xs: [...new Set(grid)].sort((a, b) => a - b) };
}

function addBits({ host, stem, state, engine, add, byFamily, shownFamilies, regime }) {
  const xs = Array.from({ length: MOST_BITS + 1 }, (_, k) => k);
  const chart = new LineChart(host, {
    id: "bits",
    title: "Bound against bits",
    hint: "Every level divided by 2 for each bit added. The flat end is the bound without perturbations.",
    name: `${stem}-bits`,
    xKind: "integer",
    xLabel: "bits added at every site",
    xShort: "bits",
  });
  add(chart, () => {
    const series = byFamily(engine.bits(state.settings, xs)[regime()], (values) => values, { marked: true });
    chart.update({
      xs,
      domain: [0, MOST_BITS],
      series,
      rules: [],
      legend: familyLegend(shownFamilies(), true),
      nothing: "No finite bound at this step size",
      describe: () => `Bound on ${REGIMES[regime()]} with more bits. ${endsInWords(series, xs, "bits")}`,
    });
  });
}

// Without levels that move, what multiplies them has nothing to show.
function hasLevels(model) {
  return model.controls.some((control) => control.group === "levels");
}

const CHARTS = { profile: addProfile, horizon: addHorizon, steps: addSteps, bits: addBits };

function makePanels(host, context) {
  const { state, families, only } = context;
  const panels = [];
  const shownFamilies = () => families.filter((family) => state.view.families.split(",").includes(family));
  const tools = {
    ...context,
    host,
    shownFamilies,
    regime: () => state.view.regime,
    add: (chart, draw) => panels.push({ chart, draw, dirty: true, visible: true }),
    byFamily: (found, pick, extra = {}) =>
      shownFamilies()
        .filter((family) => found?.[family])
        .map((family) => ({ key: family, family, name: family, values: pick(found[family]), ...extra })),
  };
  for (const name of only ?? Object.keys(CHARTS)) {
    if (name !== "bits" || hasLevels(context.model)) CHARTS[name](tools);
  }
  return { panels, ...tools };
}

// Limits that coincide are one line with both names.
function merged(limits) {
  const made = [];
  for (const rule of limits) {
    const same = made.find((other) => Math.abs(Math.log(other.x / rule.x)) < 1e-6);
    if (same) {
      same.text += `, ${rule.family}`;
      same.family = "both";
    } else made.push({ ...rule });
  }
  return made;
}

/* The engine: from settings to numbers.  No page, no input or output; it runs anywhere.

   The bounds of one gradient come from the recorded programs, which are the recurrences of
   docs/theory.md; the statements of section 6 are written out here, as boundcalc.rates has them.
   A number is a finite float64 or null.  Work: one run of a family's program for its levels,
   O(instructions), and O(sets of perturbations) for every point of a curve. */
function boundcalcEngine(model, programs) {
  "use strict";
  const SMALLEST = 2.2250738585072014e-308; // below it float64 loses digits
  const MOST_PIECES = 20000; // arithmetic progressions of a run's schedule
  const controls = new Map(model.controls.map((control) => [control.key, control]));
  const own = (object, key) => Object.prototype.hasOwnProperty.call(object, key);

  /* --- settings -------------------------------------------------------------------- */

  function defaults() {
    const found = {};
    for (const control of model.controls) found[control.key] = control.value;
    return found;
  }

  function clamped(control, x) {
    if (control.choices) {
      return control.choices.reduce((a, b) => (Math.abs(b - x) < Math.abs(a - x) ? b : a));
    }
    const inside = Math.min(Math.max(x, control.min), control.max);
    return control.scale === "integer" ? Math.round(inside) : inside;
  }

  /** Settings that are known, finite and in range; and the keys of what was not. */
  function checked(wanted) {
    const settings = defaults();
    const dropped = [];
    const given = wanted !== null && typeof wanted === "object" ? wanted : {};
    for (const key of Object.keys(given)) {
      const control = controls.get(key);
      const x = given[key];
      if (!control || typeof x !== "number" || !Number.isFinite(x)) {
        dropped.push(key);
        continue;
      }
      settings[key] = clamped(control, x);
      if (settings[key] !== x) dropped.push(key);
    }
    return { settings, dropped };
  }

  /* --- programs -------------------------------------------------------------------- */

  const memory = new Map();

  /** Runs a program on values of symbols; its results are there until it runs again.

      A program with no name of its own, as of a family all of whose numbers are known, runs not. */
  function run(name, symbols) {
    const program = own(programs, name) ? programs[name] : null;
    if (program === null) return (entry) => entry;
    let v = memory.get(name);
    let changed = v === undefined;
    if (changed) memory.set(name, (v = new Float64Array(program.size)));
    for (let slot = 0; slot < program.inputs.length; slot += 1) {
      const value = symbols[program.inputs[slot]];
      if (v[slot] !== value) [v[slot], changed] = [value, true];
    }
    if (changed) for (const part of program.parts) part(v);
    return (entry) => (typeof entry === "number" || entry === null ? entry : v[program.outputs[entry[0]]]);
  }

  const finite = (x) => (x !== null && Number.isFinite(x) ? x : null);

  /** A size that is not 0: what underflowed is as far out of range as what overflowed. */
  const sized = (x) => (x !== null && Number.isFinite(x) && Math.abs(x) >= SMALLEST ? x : null);

  /** A program's result; a number that stands in the model is what it is, 0 included. */
  const result = (read, entry) => (typeof entry === "number" ? entry : sized(read(entry)));

  function depthOf(settings) {
    const control = controls.get("depth");
    return control ? control.choices.indexOf(clamped(control, settings.depth)) : 0;
  }

  function symbolsOf(settings, forward = 1, backward = 1) {
    const symbols = {};
    for (const key of Object.keys(model.symbolKeys)) {
      const symbol = model.symbolKeys[key];
      if (typeof symbol !== "string") continue;
      const factor = key === "forward" ? forward : key === "backward" ? backward : 1;
      symbols[symbol] = settings[key] * factor;
    }
    return symbols;
  }

  /* --- schedules ------------------------------------------------------------------- */

  const gcd = (a, b) => (b ? gcd(b, a % b) : a);

  /** The steps of one schedule below T as progressions [start, stride, length]. */
  function progressions(schedule, T) {
    if (own(schedule, "every")) return [[0, schedule.every, Math.ceil(T / schedule.every)]];
    if (own(schedule, "first")) return [[0, 1, Math.min(schedule.first, T)]];
    if (own(schedule, "last")) return [[T - Math.min(schedule.last, T), 1, Math.min(schedule.last, T)]];
    return schedule.steps.filter((step) => step < T).map((step) => [step, 1, 1]);
  }

  function acts(schedule, t, T) {
    if (own(schedule, "every")) return t % schedule.every === 0;
    if (own(schedule, "first")) return t < schedule.first;
    if (own(schedule, "last")) return t >= T - schedule.last;
    return schedule.steps.includes(t);
  }

  /** Steps at which nothing but the `every` schedules may change between t and the next one. */
  function breaks(schedules, T) {
    const found = new Set([0, T]);
    for (const schedule of schedules) {
      if (own(schedule, "first")) found.add(Math.min(schedule.first, T));
      if (own(schedule, "last")) found.add(Math.max(T - schedule.last, 0));
      for (const step of schedule.steps ?? []) {
        if (step < T) found.add(step).add(step + 1);
      }
    }
    return [...found].sort((a, b) => a - b);
  }

  /** By pattern, the progressions of its steps; null where there are too many pieces. */
  function pieces(schedules, T) {
    const patterns = 2 ** schedules.length;
    if (schedules.length === 0) return [[[0, 1, T]]];
    const found = Array.from({ length: patterns }, () => []);
    let period = 1;
    for (const s of schedules) if (own(s, "every")) period = (period / gcd(period, s.every)) * s.every;
    const ends = breaks(schedules, T);
    let count = 0;
    for (let k = 0; k + 1 < ends.length; k += 1) {
      const [from, to] = [ends[k], ends[k + 1]];
      const residues = Math.min(period, to - from);
      count += residues;
      if (count > MOST_PIECES) return null;
      for (let t = from; t < from + residues; t += 1) {
        let pattern = 0;
        for (const schedule of schedules) pattern = 2 * pattern + (acts(schedule, t, T) ? 1 : 0);
        found[pattern].push([t, period, Math.ceil((to - t) / period)]);
      }
    }
    return found;
  }

  const power = (drop, exponent) =>
    drop < 1 ? Math.exp(exponent * Math.log1p(-drop)) : exponent === 0 ? 1 : 0;

  /** The sum of q^(top − t) over a progression of steps t ≤ top, q = 1 − drop. */
  function geometric(drop, [start, stride, length], top) {
    if (length === 0) return 0;
    const last = start + (length - 1) * stride;
    const span = stride * length;
    if (drop < 0.5) {
      const log = Math.log1p(-drop);
      return (Math.exp((top - last) * log) * Math.expm1(span * log)) / Math.expm1(stride * log);
    }
    return (power(drop, top - last) * (1 - power(drop, span))) / (1 - power(drop, stride));
  }

  const total = (numbers) => numbers.reduce((sum, x) => sum + x, 0);
  const timelines = new Map();

  /** How often each pattern acts in T steps, and how their discounted sums are made. */
  function timeline(schedules, T) {
    const known = timelines.get(T);
    if (known && known.schedules === schedules) return known;
    let counts;
    let parts = null;
    if (schedules.length === 1) {
      parts = progressions(schedules[0], T);
      const acting = total(parts.map((part) => part[2]));
      counts = [T - acting, acting];
    } else {
      parts = pieces(schedules, T);
      counts = parts && parts.map((some) => total(some.map((part) => part[2])));
    }
    const made = { schedules, T, counts, parts };
    if (timelines.size > 200) timelines.clear();
    timelines.set(T, made);
    return made;
  }

  function discounts(line, drop, lag) {
    const top = line.T - lag;
    const sum = (parts) => total(parts.map((part) => geometric(drop, part, top)));
    if (line.schedules.length !== 1) return line.parts.map(sum);
    const acting = sum(line.parts);
    return [Math.max(0, geometric(drop, [0, 1, line.T], top) - acting), acting];
  }

  /** Shares of the patterns in a run without end. */
  function shares(schedules) {
    if (schedules.length === 0) return [1];
    let period = 1;
    for (const s of schedules) if (own(s, "every")) period = (period / gcd(period, s.every)) * s.every;
    if (period > MOST_PIECES) return null;
    const found = new Array(2 ** schedules.length).fill(0);
    for (let t = 0; t < period; t += 1) {
      let pattern = 0;
      for (const s of schedules) pattern = 2 * pattern + (own(s, "every") && t % s.every === 0 ? 1 : 0);
      found[pattern] += 1 / period;
    }
    return found;
  }

  /** Discounted sums in a run without end: all of them that it keeps coming back to. */
  function lastingDiscounts(schedules, drop, lag) {
    const first = lag === 0 ? 1 - drop : 1; // q^(1 − lag)
    if (schedules.length === 0) return [[first / drop]];
    if (schedules.length > 1) return null;
    const [schedule] = schedules;
    const log = Math.log1p(-drop);
    const kept = (n) => (drop < 1 ? -Math.expm1(n * log) : n === 0 ? 0 : 1); // 1 − q^n
    const whole = first / drop;
    let acting = [0];
    if (own(schedule, "last")) acting = [whole * kept(schedule.last)];
    if (own(schedule, "every")) {
      const most = first / kept(schedule.every);
      acting = [most, most * power(drop, schedule.every - 1)];
    }
    return acting.map((on) => [Math.max(0, whole - on), on]);
  }

  /* --- levels and statements ------------------------------------------------------- */

  /** 2√(xy). */
  const twiceRoot = (x, y) => 2 * Math.sqrt(x) * Math.sqrt(y);

  /** What the errors of a batch's samples have in common (docs/theory.md, Lemma 6.7). */
  function common(read, level, error, bias) {
    const shared = level.shared;
    if (shared === null) return bias;
    if (shared.all) return error;
    const forward = shared.forward ? read(shared.forward[0]) : 0;
    const backward = shared.backward ? read(shared.backward[0]) : 0;
    let theta = 0;
    if (shared.backward) theta = shared.correlated ? backward : read(shared.backward[1]);
    const mean = read(shared.own);
    const moved = forward + mean + twiceRoot(forward, mean);
    return moved + twiceRoot(moved, theta) + backward;
  }

  /** A family's levels by pattern: of one sample, and averaged over the batch. */
  function levels(layout, family, symbols, batch) {
    const read = run(`${layout.name}_${family}`, symbols);
    return layout.families[family].levels.map((level) => {
      const error = result(read, level.error);
      const bias = result(read, level.bias);
      let averaged = null;
      if (error !== null && bias !== null) {
        const shared = common(read, level, error, bias);
        averaged = Math.min(error, (shared * (batch - 1) + error) / batch);
      }
      return { error, bias, averaged: finite(averaged), unbiased: level.unbiased, fourth: level.bias !== null };
    });
  }

  /** Whether a level is one for which constants were not derived; then nothing is known. */
  const leaves = (settings, forward) =>
    model.capped && settings.forward * forward > controls.get("forward").max;

  /** The objective, the step, and why there is no number: of anything, or of rates. */
  function problem(layout, symbols, settings, forward) {
    const read = run(`${layout.name}_problem`, symbols);
    const p = {};
    for (const key of Object.keys(layout.problem)) p[key] = read(layout.problem[key]);
    const broken = layout.guards.find((guard) => !(read(guard.at) >= 0));
    p.invalid = broken ? broken.message : null;
    if (leaves(settings, forward)) p.invalid = "forward levels above the spec's own leave its regions";
    p.unrated = layout.unrated ?? p.invalid ?? contradiction(p, settings);
    return p;
  }

  /** Why an objective and a step are none, as every rate refuses them. */
  function contradiction(p, settings) {
    const names = { step: "step size", L: "smoothness", mu: "PL constant" };
    const wrong = Object.keys(names).find((key) => p[key] !== null && !(p[key] > 0 && p[key] < Infinity));
    if (wrong) return `the ${names[wrong]} is not a positive number`;
    if (p.mu === null || p.mu < p.L) return null;
    let larger = p.mu > p.L;
    if (!larger && model.exactSteps && controls.has("pl") && !controls.get("pl").label.includes("times")) {
      const [a, b] = exact(textOf(settings, "pl"));
      const [c, d] = exact(textOf(settings, "smoothness"));
      larger = a * d > c * b;
    }
    return larger ? "the PL constant is larger than the smoothness" : null;
  }

  const added = (level, sigma) =>
    level.unbiased || sigma === 0 ? level.averaged : level.averaged + 2 * sigma * Math.sqrt(level.averaged);

  function weighted(some, weights, value) {
    let sum = 0;
    for (let k = 0; k < some.length; k += 1) if (weights[k] > 0) sum += weights[k] * value(some[k]);
    return sum;
  }

  /** Terms of the nonconvex bound; T is Infinity for the plateau. */
  function nonconvexTerms(d, p, T, some, weights) {
    const extra = d.splits_variance ? (level) => added(level, p.sigma) : (level) => level.averaged;
    return {
      optimisation: T === Infinity ? 0 : (d.gap * p.gap) / (p.step * T),
      sampling: d.noise * p.L * p.step * p.sigma ** 2,
      perturbation_error: d.error * p.L * p.step * weighted(some, weights, extra),
      perturbation_bias: d.bias * weighted(some, weights, (level) => level.bias),
    };
  }

  const dropOf = (d, p) => Math.min(1, (d.contraction[0] / d.contraction[1]) * p.mu * p.step);

  function plTerms(d, p, T, some, sums) {
    const error = (d.pl_error[0] / d.pl_error[1]) * p.L * p.step ** 2;
    const bias = (d.pl_bias[0] / d.pl_bias[1]) * p.step;
    const noise = d.pl_noise === null;
    const extra = noise ? (level) => added(level, p.sigma) : (level) => level.averaged;
    return {
      optimisation: T === Infinity ? 0 : power(dropOf(d, p), T) * p.gap,
      sampling: noise
        ? error * p.sigma ** 2 * total(sums)
        : (d.pl_noise * p.L * p.step * p.sigma ** 2) / p.mu,
      perturbation_error: error * weighted(some, sums, extra),
      perturbation_bias: bias * weighted(some, sums, (level) => level.bias),
    };
  }

  /** Which terms are 0 by what they are made of, and not by underflow. */
  function absent(p, some, weights, T) {
    let [error, bias] = [true, true];
    for (let k = 0; k < some.length; k += 1) {
      if (!(weights[k] > 0)) continue;
      error = error && some[k].averaged === 0;
      bias = bias && some[k].bias === 0;
    }
    return {
      optimisation: p.gap === 0 || T === Infinity,
      sampling: p.sigma === 0,
      perturbation_error: error,
      perturbation_bias: bias,
    };
  }

  const NAMES = ["optimisation", "sampling", "perturbation_error", "perturbation_bias"];

  function sum(terms, zero) {
    const value = terms.optimisation + terms.sampling + terms.perturbation_error + terms.perturbation_bias;
    const none = zero.optimisation && zero.sampling && zero.perturbation_error && zero.perturbation_bias;
    return none ? finite(value) : sized(value);
  }

  /** Everything that a setting fixes besides step size and horizon. */
  function state(settings, forward = 1, backward = 1) {
    const depth = depthOf(settings);
    const layout = model.variants[depth].layout;
    const symbols = symbolsOf(settings, forward, backward);
    const p = problem(layout, symbols, settings, forward);
    const found = { settings, depth, layout, symbols, p, T: settings.horizon, levels: {}, standing: {} };
    for (const family of model.families) {
      if (own(layout.families, family)) {
        found.levels[family] = levels(layout, family, symbols, settings.batch);
      }
    }
    return found;
  }

  /* --- step sizes ------------------------------------------------------------------ */

  /** A decimal or a fraction as [numerator, denominator], exactly. */
  function exact(text) {
    const [top, bottom] = text.split("/");
    if (bottom !== undefined) return [BigInt(top), BigInt(bottom)];
    const [, sign, whole, decimals = "", exponent = "0"] = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/.exec(top);
    const shift = Number(exponent) - decimals.length;
    const digits = BigInt(sign + whole + decimals);
    return shift >= 0 ? [digits * 10n ** BigInt(shift), 1n] : [digits, 10n ** BigInt(-shift)];
  }

  function textOf(settings, key) {
    const control = controls.get(key);
    return control.text && settings[key] === control.value ? control.text : String(settings[key]);
  }

  /** Whether γ · kL > 1, as exact arithmetic decides it where both are numbers of their own. */
  function above(s, k, step = null) {
    const product = (step ?? s.p.step) * k * s.p.L;
    if (Math.abs(product - 1) > 1e-9 || step !== null || !model.exactSteps) return product > 1;
    const [a, b] = exact(textOf(s.settings, "step_size"));
    const [c, d] = exact(textOf(s.settings, "smoothness"));
    return a * c * BigInt(k) > b * d;
  }

  /** Two numbers with as many digits as tell the larger from the smaller; null where none do. */
  function apart(large, small) {
    for (let digits = 6; digits <= 17; digits += 1) {
      const [x, y] = [large, small].map((z) => Number(z.toPrecision(digits)));
      if (x > y && y <= small) return [x, y].map(String);
    }
    return null;
  }

  /** Why no horizon has a bound at the settings' step size; decided once. */
  function standing(s, family) {
    if (s.standing[family] === undefined) s.standing[family] = reason(s, family);
    return s.standing[family];
  }

  function reason(s, family) {
    if (s.p.unrated !== null) return s.p.unrated;
    const k = model.descents[family].limit;
    if (!above(s, k)) return null;
    const name = k === 1 ? "1/L" : `1/(${k}L)`;
    const said = apart(s.p.step, 1 / (k * s.p.L));
    if (said === null) return `step size ${s.p.step} is above the limit ${name} of the theorem, in its last digit`;
    return `step size ${said[0]} is above the limit ${name} = ${said[1]} of the theorem`;
  }

  function refusal(s, family, weights) {
    const found = standing(s, family);
    if (found !== null) return found;
    if (weights === null) return "the schedules together have too many pieces for this page";
    return missing(s, family, weights);
  }

  /** Why there is no bias bound, or no number, while some pattern acts. */
  function missing(s, family, weights) {
    const some = s.levels[family];
    let found = null;
    for (let k = 0; k < some.length; k += 1) {
      if (!(weights[k] > 0)) continue;
      if (!some[k].fourth) {
        return "the bias bound needs (E‖δ‖⁴)^(1/4) of every forward perturbation; `fourth` is not given";
      }
      if (some[k].averaged === null || some[k].bias === null) found = "outside float64's range";
    }
    return found;
  }

  /** The bound of a family in a regime at a step and horizon; the settings' own by default. */
  function bound(s, regime, family, step = s.p.step, T = s.T) {
    const d = model.descents[family];
    const p = step === s.p.step ? s.p : { ...s.p, step };
    const line = timeline(s.layout.schedules, T);
    const some = s.levels[family];
    if (regime === "nonconvex") {
      const weights = line.counts.map((count) => count / T);
      const terms = nonconvexTerms(d, p, T, some, weights);
      const zero = absent(p, some, weights, T);
      return { terms, zero, bound: sum(terms, zero) };
    }
    const sums = discounts(line, dropOf(d, p), d.lag);
    const terms = plTerms(d, p, T, some, sums);
    const zero = absent(p, some, line.counts, T);
    return { terms, zero, bound: sum(terms, zero) };
  }

  /** The step of docs/theory.md, Lemma 6.6. */
  function bestNonconvex(s, family, weights) {
    const d = model.descents[family];
    const limit = 1 / (d.limit * s.p.L);
    const some = s.levels[family];
    let slope;
    if (d.splits_variance) {
      slope = s.p.L * weighted(some, weights, (level) => s.p.sigma ** 2 + added(level, s.p.sigma));
    } else {
      slope = s.p.L * (d.noise * s.p.sigma ** 2 + d.error * weighted(some, weights, (level) => level.averaged));
    }
    return slope === 0 ? limit : Math.min(limit, Math.sqrt((d.gap * s.p.gap) / (s.T * slope)));
  }

  /** The best PL step: a grid over thirty decades, then golden sections around its minimum. */
  function bestPl(s, family) {
    if (s.layout.schedules.length > 1 && s.T > 2000) return null;
    const limit = 1 / (model.descents[family].limit * s.p.L);
    const points = 120;
    const high = Math.log(limit);
    const low = high - 30 * Math.log(10);
    const at = (x) => bound(s, "pl", family, Math.min(limit, Math.exp(x))).bound ?? Infinity;
    const place = (k) => low + ((high - low) * k) / (points - 1);
    let best = 0;
    let least = Infinity;
    for (let k = 0; k < points; k += 1) {
      const value = at(place(k));
      if (value < least) [best, least] = [k, value];
    }
    if (best === 0) return null;
    const ratio = (Math.sqrt(5) - 1) / 2;
    let [a, b] = [place(best - 1), place(Math.min(best + 1, points - 1))];
    let [c, d] = [b - ratio * (b - a), a + ratio * (b - a)];
    let [f, g] = [at(c), at(d)];
    while (b - a > 1e-8) {
      if (f <= g) {
        [b, d, g] = [d, c, f];
        c = b - ratio * (b - a);
        f = at(c);
      } else {
        [a, c, f] = [c, d, g];
        d = a + ratio * (b - a);
        g = at(d);
      }
    }
    const found = Math.min(limit, Math.exp((a + b) / 2));
    return at(high) <= at(Math.log(found)) ? limit : found;
  }

  /* --- what a page asks ------------------------------------------------------------ */

  function regimes(s) {
    return s.p.mu === null ? ["nonconvex"] : ["nonconvex", "pl"];
  }

  function rate(s, regime, family) {
    const d = model.descents[family];
    const line = timeline(s.layout.schedules, s.T);
    const refused = refusal(s, family, line.counts);
    const found = { bound: null, terms: {}, limit: null, best_step: null, best_bound: null, refused };
    if (s.p.unrated === null) found.limit = finite(1 / (d.limit * s.p.L));
    if (refused === null) {
      const at = bound(s, regime, family);
      for (const name of NAMES) found.terms[name] = at.zero[name] ? finite(at.terms[name]) : sized(at.terms[name]);
      found.bound = at.bound;
      if (at.bound === null) found.refused = "outside float64's range";
    }
    const known = s.p.unrated === null && line.counts !== null && missing(s, family, line.counts) === null;
    if (known) {
      const weights = line.counts.map((count) => count / s.T);
      const step = regime === "nonconvex" ? bestNonconvex(s, family, weights) : bestPl(s, family);
      if (step !== null && Number.isFinite(step) && step > 0) {
        found.best_step = step;
        found.best_bound = bound(s, regime, family, step).bound;
      }
    }
    return found;
  }

  function profile(s, family) {
    const columns = s.layout.families[family].columns;
    if (columns === null) return null;
    const name = `${s.layout.name}_${family}_profile`;
    const read = run(name, s.symbols);
    const found = {};
    for (const key of Object.keys(columns)) found[key] = columns[key].map((entry) => result(read, entry));
    return found;
  }

  function evaluate(settings) {
    const s = state(settings);
    const found = { depth: s.depth, step: s.p.step, families: {}, nonconvex: {}, pl: s.p.mu === null ? null : {} };
    for (const family of Object.keys(s.levels)) {
      const all = s.levels[family][s.levels[family].length - 1];
      const invalid = s.p.invalid !== null;
      found.families[family] = {
        error: invalid ? null : all.error,
        bias: invalid ? null : all.bias,
        profile: invalid ? null : profile(s, family),
      };
      for (const regime of regimes(s)) found[regime][family] = rate(s, regime, family);
    }
    return found;
  }

  /** Curves: for every regime and family what `at` makes of the state. */
  function curves(s, at) {
    const found = { nonconvex: {}, pl: s.p.mu === null ? null : {} };
    for (const regime of regimes(s)) {
      for (const family of Object.keys(s.levels)) found[regime][family] = at(regime, family);
    }
    return found;
  }

  function boundAt(s, regime, family, T = s.T) {
    const line = timeline(s.layout.schedules, T);
    return refusal(s, family, line.counts) === null ? bound(s, regime, family, s.p.step, T).bound : null;
  }

  function horizon(settings, Ts) {
    const s = state(settings);
    return curves(s, (regime, family) => Ts.map((T) => boundAt(s, regime, family, Math.max(1, Math.round(T)))));
  }

  function plateau(s, regime, family, step) {
    const d = model.descents[family];
    const p = { ...s.p, step };
    const some = s.levels[family];
    const weights = shares(s.layout.schedules);
    if (weights === null || missing(s, family, weights.map(() => 1)) !== null) return null;
    if (regime === "nonconvex") {
      return sum(nonconvexTerms(d, p, Infinity, some, weights), absent(p, some, weights, Infinity));
    }
    const lasting = lastingDiscounts(s.layout.schedules, dropOf(d, p), d.lag);
    if (lasting === null) return null;
    const all = lasting.map((sums) => sum(plTerms(d, p, Infinity, some, sums), absent(p, some, sums, Infinity)));
    return all.some((x) => x === null) ? null : Math.max(...all);
  }

  function steps(settings, gammas) {
    const s = state(settings);
    const line = timeline(s.layout.schedules, s.T);
    return curves(s, (regime, family) => {
      const made = { bound: [], plateau: [] };
      const k = model.descents[family].limit;
      const never =
        s.p.unrated !== null || line.counts === null || missing(s, family, line.counts) !== null;
      for (const step of gammas) {
        const refused = never || !(step > 0) || step * k * s.p.L > 1 + 1e-12;
        made.bound.push(refused ? null : bound(s, regime, family, step).bound);
        made.plateau.push(refused ? null : plateau(s, regime, family, step));
      }
      return made;
    });
  }

  function bits(settings, ks) {
    const all = ks.map((k) => state(settings, 2 ** -k, 2 ** -k));
    const s = all[0] ?? state(settings);
    return curves(s, (regime, family) => all.map((one) => boundAt(one, regime, family)));
  }

  /** Rows by multiple of the backward levels, columns by multiple of the forward ones. */
  function map(settings, forward, backward, regime, family) {
    return backward.map((b) =>
      forward.map((f) => {
        const s = single(settings, f, b, family);
        return regime === "pl" && s.p.mu === null ? null : boundAt(s, regime, family);
      }),
    );
  }

  /** As `state`, of one family. */
  function single(settings, forward, backward, family) {
    const depth = depthOf(settings);
    const layout = model.variants[depth].layout;
    const symbols = symbolsOf(settings, forward, backward);
    const some = own(layout.families, family) ? levels(layout, family, symbols, settings.batch) : null;
    const p = problem(layout, symbols, settings, forward);
    return { settings, depth, layout, symbols, p, T: settings.horizon, levels: { [family]: some }, standing: {} };
  }

  const within = (spec, path) => path.reduce((part, name) => (part ?? {})[name], spec);

  /** The spec at these settings: every control's value as it is now, at every depth.

      A template of another depth has that depth's values for what the spec computes from its
      number of repeats; a control at its start has the spec's own value and text. */
  function exported(settings) {
    const variant = model.variants[depthOf(settings)];
    const spec = JSON.parse(JSON.stringify(variant.template ?? model.template));
    for (const key of Object.keys(model.symbolKeys)) {
      const symbol = model.symbolKeys[key];
      if (symbol === null) continue;
      const path = typeof symbol === "string" ? ["symbols", symbol] : symbol;
      if (within(spec, path) === undefined) continue;
      const still = settings[key] === controls.get(key).value;
      const value = still ? (within(model.template, path) ?? settings[key]) : settings[key];
      within(spec, path.slice(0, -1))[path[path.length - 1]] = value;
    }
    return JSON.stringify(spec, null, 2);
  }

  return { defaults, checked, evaluate, horizon, steps, bits, map, exported };
}

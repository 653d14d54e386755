// A chart of lines over one axis.
//
// options: id, title, hint, name, xKind ("log", "linear", "integer"), xLabel, xShort, top.
// data: xs, names of them, domain, series [{key, family, kind, name, values, marked}], rules
// [{x, family, text}], legend [{family, text, marked}], nothing (said where no line is), xLabel,
// and describe(), which puts it in words.

class LineChart {
  constructor(host, options) {
    this.options = options;
    this.top = options.top ?? MARGIN.top;
    Object.assign(this, makeFigure(host, options));
    this.parts = {
      grid: svgElement("g", { class: "grid" }),
      axisX: svgElement("g", { class: "axis" }),
      axisY: svgElement("g", { class: "axis" }),
      rules: svgElement("g", { class: "rules" }),
      lines: svgElement("g", { class: "lines" }),
      legend: svgElement("g", { class: "legend" }),
      labelX: svgElement("text", { class: "axis-label", "text-anchor": "middle" }),
      empty: svgElement("text", { class: "empty", "text-anchor": "middle" }),
      hair: svgElement("line", { class: "hair", visibility: "hidden" }),
    };
    this.svg.append(...Object.values(this.parts));
    this.paths = new Map();
    this.drawn = { x: "", y: "", legend: "", keys: "" };
    this.data = null;
    this.width = watchWidth(this.figure, () => this.data && this.draw());
    this.svg.addEventListener("pointermove", (event) => this.point(event));
    this.svg.addEventListener("pointerleave", () => this.leave());
    this.fold.addEventListener("toggle", () => this.fold.open && this.fillTable());
  }

  update(data) {
    this.data = data;
    this.draw();
  }

  draw() {
    this.drawAxes();
    this.drawRules();
    this.drawLines();
    this.drawLegend();
    this.desc.textContent = this.data.describe();
    if (this.fold.open) this.fillTable();
  }

  drawAxes() {
    const { data, options } = this;
    const width = this.width();
    const right = width - MARGIN.right;
    const bottom = HEIGHT - MARGIN.bottom;
    const ys = data.series.flatMap((series) => series.values.filter(drawable));
    const range = ys.length ? decades(d3.min(ys), d3.max(ys)) : [0.1, 1];
    const x = options.xKind === "log" ? d3.scaleLog() : d3.scaleLinear();
    x.domain(data.domain).range([MARGIN.left, right]);
    const y = d3.scaleLog().domain(range).range([bottom, this.top]);
    this.scales = { x, y, right, bottom };
    const keyX = `${width} ${data.domain} ${data.xLabel}`;
    if (keyX !== this.drawn.x) {
      Object.assign(this.drawn, { x: keyX, y: "", legend: "" });
      this.drawAxisX(x, width);
    }
    if (`${range}` !== this.drawn.y) {
      this.drawn.y = `${range}`;
      this.drawAxisY(y);
    }
    this.parts.empty.textContent = ys.length ? "" : data.nothing;
  }

  drawAxisX(x, width) {
    const { right, bottom } = this.scales;
    const { xKind } = this.options;
    setAll(this.svg, { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT });
    const ticks = ticksOf(x, xKind, Math.max(3, Math.min(TICKS, Math.floor(width / 75))));
    const axis = d3.axisBottom(x).tickValues(ticks).tickFormat(tickText(xKind, x.domain()));
    this.parts.axisX.setAttribute("transform", `translate(0,${bottom})`);
    d3.select(this.parts.axisX).call(axis.tickSizeOuter(0));
    const middle = (MARGIN.left + right) / 2;
    setAll(this.parts.labelX, { x: middle, y: HEIGHT - 6 });
    this.parts.labelX.textContent = this.data.xLabel ?? this.options.xLabel;
    setAll(this.parts.empty, { x: middle, y: (this.top + bottom) / 2 });
  }

  drawAxisY(y) {
    const { right } = this.scales;
    const ticks = logTicks(y.domain());
    const axis = d3.axisLeft(y).tickValues(ticks).tickFormat(tickText("log", y.domain()));
    this.parts.axisY.setAttribute("transform", `translate(${MARGIN.left},0)`);
    d3.select(this.parts.axisY).call(axis.tickSizeOuter(0));
    this.parts.grid.replaceChildren(
      ...ticks.map((tick) => {
        return svgElement("line", { x1: MARGIN.left, x2: right, y1: y(tick), y2: y(tick) });
      }),
    );
  }

  pathsOf(series) {
    if (!this.paths.has(series.key)) {
      const kind = `${series.family} ${series.kind ?? ""}`;
      const path = svgElement("path", { class: `line ${kind}`, fill: "none" });
      const dots = svgElement("path", { class: `dots ${series.family}` });
      this.paths.set(series.key, { path, dots });
    }
    return this.paths.get(series.key);
  }

  // Families lie above one another in the same order, whichever was chosen last.
  arrangePaths() {
    const keys = this.data.series.map((series) => series.key);
    if (`${keys}` === this.drawn.keys) return;
    this.drawn.keys = `${keys}`;
    for (const key of this.paths.keys()) if (!keys.includes(key)) this.paths.delete(key);
    const wanted = this.data.series.map((series) => this.pathsOf(series));
    this.parts.lines.replaceChildren(...wanted.flatMap(({ path, dots }) => [path, dots]));
  }

  // Lines end where a number is missing or is no size.
  drawLines() {
    const { x, y } = this.scales;
    const { xs } = this.data;
    this.arrangePaths();
    for (const series of this.data.series) {
      const { path, dots } = this.pathsOf(series);
      const shape = d3.line().defined(drawable).x((_, k) => x(xs[k])).y(y);
      path.setAttribute("d", shape(series.values) ?? "");
      let marks = "";
      series.values.forEach((value, k) => {
        if (series.marked && drawable(value)) marks += MARKERS[series.family](x(xs[k]), y(value));
      });
      dots.setAttribute("d", marks);
    }
  }

  // Vertical rules: where the setting is, and where a step is too long.
  drawRules() {
    const [low, high] = this.data.domain;
    const host = this.parts.rules;
    const rules = this.data.rules.filter((rule) => isNumber(rule.x) && rule.x >= low && rule.x <= high);
    while (host.childNodes.length > 2 * rules.length) host.lastChild.remove();
    while (host.childNodes.length < 2 * rules.length) host.append(svgElement("line"), svgElement("text"));
    let limits = 0;
    rules.forEach((rule, k) => {
      const place = rule.family ? limits : null;
      if (rule.family) limits += 1;
      this.drawRule(rule, place, host.childNodes[2 * k], host.childNodes[2 * k + 1]);
    });
  }

  // Limits are named above the drawing, one below the other, the present setting in it.
  drawRule(rule, place, line, text) {
    const { x, right, bottom } = this.scales;
    const at = x(rule.x);
    const above = place === null ? null : this.top - 18 + 13 * place;
    const fits = at + 6 + LETTER * rule.text.length < right;
    const kind = rule.family ?? "now";
    setAll(line, { class: `rule ${kind}`, x1: at, x2: at, y1: above === null ? this.top : above - 8, y2: bottom });
    setAll(text, {
      class: `rule-text ${kind}`,
      x: fits ? at + 4 : at - 4,
      y: above ?? bottom - 6,
      "text-anchor": fits ? "start" : "end",
    });
    text.textContent = rule.text;
  }

  drawLegend() {
    const entries = this.data.legend;
    const key = `${this.width()} ${entries.map((entry) => entry.text)}`;
    if (key === this.drawn.legend) return;
    this.drawn.legend = key;
    const made = [];
    let at = MARGIN.left;
    for (const { family, text, marked } of entries) {
      made.push(svgElement("path", { class: `line ${family}`, d: `M${at},12h26`, fill: "none" }));
      if (marked) made.push(svgElement("path", { class: `dots ${family}`, d: MARKERS[family](at + 13, 12) }));
      const label = svgElement("text", { class: "legend-text", x: at + 31, y: 16 });
      label.textContent = text;
      made.push(label);
      at += 45 + LETTER * text.length;
    }
    this.parts.legend.replaceChildren(...made);
  }

  fillTable() {
    const { data, options } = this;
    if (!data) return;
    const columns = [data.xLabel ?? options.xLabel, ...data.series.map((series) => series.name)];
    const rows = data.xs.map((x, k) => [
      data.names ? data.names[k] : shown(x),
      ...data.series.map((series) => series.values[k]),
    ]);
    this.box.replaceChildren(dataTable(options.title, columns, rows));
  }

  // What is under the pointer, as text below the drawing.
  point(event) {
    const { data, scales } = this;
    if (!data || !data.xs.length) return;
    const box = this.svg.getBoundingClientRect();
    const at = ((event.clientX - box.left) * this.width()) / box.width;
    const distance = (k) => Math.abs(scales.x(data.xs[k]) - at);
    let best = 0;
    for (let k = 1; k < data.xs.length; k += 1) if (distance(k) < distance(best)) best = k;
    const place = scales.x(data.xs[best]);
    setAll(this.parts.hair, { x1: place, x2: place, y1: this.top, y2: scales.bottom, visibility: "visible" });
    const numbers = data.series.map((series) => `${series.name} ${shown(series.values[best], +1, 4)}`);
    const name = data.names ? data.names[best] : `${this.options.xShort} = ${shown(data.xs[best])}`;
    this.reading.replaceChildren(isolated(name), `: ${numbers.join(", ")}`);
  }

  leave() {
    this.parts.hair.setAttribute("visibility", "hidden");
    this.reading.replaceChildren();
  }
}

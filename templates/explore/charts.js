// What the charts share: figures, axes, tables.  Charts are SVG; one is made once, and an
// update moves the paths that are there and redraws an axis only when its range has changed.

const SVG = "http://www.w3.org/2000/svg";
const MARGIN = { top: 30, right: 16, bottom: 44, left: 58 };
const HEIGHT = 290;
const NARROWEST = 260;
const TICKS = 6;
const DECADES = [1, 2, 3, 5, 10, 20, 30, 50, 100, 200];
const LETTER = 6.2; // pixels, about

function setAll(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
}

function svgElement(tag, attributes = {}) {
  const made = document.createElementNS(SVG, tag);
  setAll(made, attributes);
  return made;
}

// What a logarithmic axis can show.
function drawable(y) {
  return isNumber(y) && y > 0;
}

// Whole decades, so that an axis rests while a slider moves.
function decades(low, high) {
  const bottom = Math.floor(Math.log10(low) + 1e-9);
  const top = Math.ceil(Math.log10(high) - 1e-9);
  return [10 ** bottom, 10 ** (top > bottom ? top : bottom + 1)];
}

// Powers of ten, thinned to what fits; with 2 and 5 between where there are few.
function logTicks([low, high], most = TICKS) {
  const bottom = Math.ceil(Math.log10(low) - 1e-9);
  const top = Math.floor(Math.log10(high) + 1e-9);
  const least = (top - bottom) / most;
  const step = DECADES.find((one) => one >= least) ?? Math.ceil(least);
  const ticks = [];
  for (let k = Math.ceil(bottom / step) * step; k <= top; k += step) ticks.push(10 ** k);
  if (top - bottom > 1) return ticks;
  const finer = [];
  for (let k = bottom - 1; k <= top; k += 1) {
    for (const m of [1, 2, 5]) {
      const x = Number(`${m}e${k}`);
      if (x >= low * (1 - 1e-9) && x <= high * (1 + 1e-9)) finer.push(x);
    }
  }
  return finer;
}

function ticksOf(scale, kind, count) {
  if (kind === "log") return logTicks(scale.domain(), count);
  const ticks = scale.ticks(count);
  return kind === "integer" ? ticks.filter(Number.isInteger) : ticks;
}

function tickText(kind, domain) {
  if (kind !== "log") return (x) => plain(x.toExponential(DIGITS - 1));
  const near = domain[0] >= 1e-4 && domain[1] <= 1e4;
  return (x) => powerText(x, near);
}

// As in the figures of reports (boundcalc/report/plots.py).
const MARKERS = {
  published: (x, y) => `M${x - 3},${y - 3}h6v6h-6z`,
  corrected: (x, y) => `M${x - 4},${y + 3}h8l-4,-7z`,
  sharp: (x, y) => `M${x - 3.5},${y}a3.5,3.5 0 1,0 7,0a3.5,3.5 0 1,0 -7,0`,
};

// A figure's frame: heading, drawing with its text alternative, reading line, table, buttons.
function makeFigure(host, { id, title, hint, name }) {
  const figure = element("figure", { class: "chart", id });
  const heading = element("h3", { id: `${id}-heading` }, title);
  const svg = svgElement("svg", { role: "img", "aria-labelledby": `${id}-title ${id}-desc` });
  const svgTitle = svgElement("title", { id: `${id}-title` });
  svgTitle.textContent = title;
  const desc = svgElement("desc", { id: `${id}-desc` });
  svg.append(svgTitle, desc);
  const tools = element("div", { class: "chart-tools" });
  const reading = element("p", { class: "reading" });
  const rest = element("p", { class: "hint" }, hint);
  const fold = element("details", { class: "data" }, element("summary", {}, "Data as a table"));
  const box = element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Data: ${title}` });
  fold.append(box);
  const save = element("div", { class: "save no-print" });
  for (const kind of ["SVG", "PNG"]) {
    const button = element("button", { type: "button" }, kind);
    button.append(element("span", { class: "sr-only" }, ` of the chart: ${title}`));
    button.addEventListener("click", () => saveChart(svg, kind, name));
    save.append(button);
  }
  figure.append(heading, tools, svg, reading, element("figcaption", {}, rest), fold, save);
  host.append(figure);
  return { figure, heading, svg, svgTitle, desc, tools, reading, fold, box };
}

function dataTable(caption, columns, rows) {
  const head = element("tr", {}, ...columns.map((name) => element("th", { scope: "col" }, name)));
  const body = element("tbody");
  for (const row of rows) {
    const cells = row.map((cell, k) =>
      k === 0
        ? element("th", { scope: "row" }, isolated(String(cell)))
        : element("td", { class: "number" }, shown(cell, +1)),
    );
    body.append(element("tr", {}, ...cells));
  }
  return element(
    "table",
    {},
    element("caption", { class: "sr-only" }, caption),
    element("thead", {}, head),
    body,
  );
}

// Charts are as wide as their place; text keeps its size.
function watchWidth(host, redraw) {
  let width = 0;
  const observer = new ResizeObserver((entries) => {
    const found = Math.max(NARROWEST, Math.round(entries[0].contentRect.width));
    if (found === width) return;
    width = found;
    requestAnimationFrame(redraw);
  });
  observer.observe(host);
  return () => width || Math.max(NARROWEST, Math.round(host.clientWidth) || NARROWEST);
}

// The budget map: the bound over multiples of the forward and of the backward levels, and
// the line on which it equals a target.  A row is computed at a time, while nothing else waits.

const MAP_SIZE = 25;
const MAP_HEIGHT = 340;
const MAP_MARGIN = { top: 18, right: 92, bottom: 44, left: 58 };
// Multiples from a hundredth to a hundred times the present levels.
const MULTIPLES = Array.from({ length: MAP_SIZE }, (_, k) => 10 ** (-2 + (4 * k) / (MAP_SIZE - 1)));
// From light to dark, one hue after another: darker is larger for every reader.
const RAMP = ["#f7fbe8", "#dcefc9", "#b4dfc0", "#82cbbd", "#4fb0bd", "#2d8fb5", "#256da4", "#234b88", "#1d2c5f"];

function rampColour(t) {
  const at = Math.min(RAMP.length - 1.000001, Math.max(0, t * (RAMP.length - 1)));
  const k = Math.floor(at);
  const mix = (i) => {
    const a = parseInt(RAMP[k].slice(i, i + 2), 16);
    const b = parseInt(RAMP[k + 1].slice(i, i + 2), 16);
    return Math.round(a + (at - k) * (b - a));
  };
  return `rgb(${mix(1)},${mix(3)},${mix(5)})`;
}

function makeMap(host, options) {
  const frame = makeFigure(host, options);
  const { svg } = frame;
  const cells = svgElement("g", { class: "cells", "shape-rendering": "crispEdges" });
  const contour = svgElement("g", { class: "contour" });
  const axisX = svgElement("g", { class: "axis" });
  const axisY = svgElement("g", { class: "axis" });
  const key = svgElement("g", { class: "key axis" });
  const here = svgElement("path", { class: "here" });
  const labels = svgElement("g");
  svg.append(cells, contour, axisX, axisY, key, here, labels);
  const rects = [];
  for (let k = 0; k < MAP_SIZE * MAP_SIZE; k += 1) {
    rects.push(svgElement("rect"));
  }
  cells.append(...rects);
  let data = null;
  let drawnWidth = 0;
  let geometry = null;
  const width = watchWidth(frame.figure, () => data && draw());

  function label(text, x, y, extra = {}) {
    const made = svgElement("text", { class: "axis-label", x, y, ...extra });
    made.textContent = text;
    labels.append(made);
  }

  function layout() {
    const w = width();
    if (w === drawnWidth) return;
    drawnWidth = w;
    const right = w - MAP_MARGIN.right;
    const bottom = MAP_HEIGHT - MAP_MARGIN.bottom;
    const cellW = (right - MAP_MARGIN.left) / MAP_SIZE;
    const cellH = (bottom - MAP_MARGIN.top) / MAP_SIZE;
    const half = Math.sqrt(MULTIPLES[1] / MULTIPLES[0]);
    const domain = [MULTIPLES[0] / half, MULTIPLES[MAP_SIZE - 1] * half];
    const x = d3.scaleLog().domain(domain).range([MAP_MARGIN.left, right]);
    const y = d3.scaleLog().domain(domain).range([bottom, MAP_MARGIN.top]);
    geometry = { right, bottom, cellW, cellH, x, y };
    svg.setAttribute("viewBox", `0 0 ${w} ${MAP_HEIGHT}`);
    svg.setAttribute("width", w);
    svg.setAttribute("height", MAP_HEIGHT);
    rects.forEach((rect, k) => {
      const [row, column] = [Math.floor(k / MAP_SIZE), k % MAP_SIZE];
      rect.setAttribute("x", MAP_MARGIN.left + column * cellW);
      rect.setAttribute("y", bottom - (row + 1) * cellH);
      rect.setAttribute("width", cellW + 0.5);
      rect.setAttribute("height", cellH + 0.5);
    });
    const ticks = [0.01, 0.1, 1, 10, 100];
    const axis = (made) => made.tickValues(ticks).tickFormat(tickText("log", [0.01, 100])).tickSizeOuter(0);
    axisX.setAttribute("transform", `translate(0,${bottom})`);
    axisY.setAttribute("transform", `translate(${MAP_MARGIN.left},0)`);
    d3.select(axisX).call(axis(d3.axisBottom(x)));
    d3.select(axisY).call(axis(d3.axisLeft(y)));
    here.setAttribute("d", `M${x(1) - 7},${y(1)}h14M${x(1)},${y(1) - 7}v14`);
    labels.replaceChildren();
    label("forward levels, times", (MAP_MARGIN.left + right) / 2, MAP_HEIGHT - 6, { "text-anchor": "middle" });
    label("backward levels, times", 4, 11);
    label("bound", right + 14, 11);
  }

  function drawKey(low, high) {
    const { right, bottom } = geometry;
    const top = MAP_MARGIN.top;
    key.replaceChildren();
    const pieces = 40;
    const step = (bottom - top) / pieces;
    for (let k = 0; k < pieces; k += 1) {
      key.append(
        svgElement("rect", {
          x: right + 14,
          y: bottom - (k + 1) * step,
          width: 14,
          height: step + 0.5,
          fill: rampColour((k + 0.5) / pieces),
        }),
      );
    }
    const scale = d3.scaleLog().domain([low, high]).range([bottom, top]);
    const near = low >= 1e-4 && high <= 1e4;
    const inside = logTicks([low, high], 5);
    for (const tick of inside.length > 1 ? inside : [low, high]) {
      const text = svgElement("text", { x: right + 33, y: scale(tick) + 4 });
      text.textContent = inside.length > 1 ? powerText(tick, near) : shown(tick, 0, 3);
      key.append(text);
    }
  }

  function drawContour(values, target) {
    const levels = values.map((value) => (drawable(value) ? Math.log(value) : 1e3));
    const found = drawable(target)
      ? d3.contours().size([MAP_SIZE, MAP_SIZE]).thresholds([Math.log(target)])(levels)[0]
      : { coordinates: [] };
    const { cellW, cellH, bottom } = geometry;
    // The edge of the map is no place where the bound equals the target.
    const onEdge = (point) => point.some((x) => x <= 0 || x >= MAP_SIZE);
    const at = ([x, y]) => `${(MAP_MARGIN.left + x * cellW).toFixed(1)},${(bottom - y * cellH).toFixed(1)}`;
    let path = "";
    for (const ring of found.coordinates.flat()) {
      let open = false;
      for (let k = 1; k < ring.length; k += 1) {
        const [a, b] = [ring[k - 1], ring[k]];
        if (onEdge(a) || onEdge(b)) {
          open = false;
          continue;
        }
        path += open ? `L${at(b)}` : `M${at(a)}L${at(b)}`;
        open = true;
      }
    }
    contour.replaceChildren(
      svgElement("path", { class: "halo", d: path, fill: "none" }),
      svgElement("path", { class: "target", d: path, fill: "none" }),
    );
  }

  function draw() {
    layout();
    const values = data.rows.flat();
    const finite = values.filter(drawable);
    const low = finite.length ? d3.min(finite) : 0.1;
    let high = finite.length ? d3.max(finite) : 1;
    if (high < low * 1.0001) high = low * 10;
    const spread = Math.log(high / low);
    values.forEach((value, k) => {
      const known = drawable(value);
      rects[k].setAttribute("fill", known ? rampColour(Math.log(value / low) / spread) : "none");
    });
    drawKey(low, high);
    drawContour(values, data.target);
    frame.desc.textContent = data.describe(low, high, finite.length);
    if (frame.fold.open) fillTable();
  }

  function fillTable() {
    if (!data) return;
    // Every third row and column: a table to be read.
    const few = MULTIPLES.map((_, k) => k).filter((k) => k % 3 === 0);
    const columns = ["backward ↓ forward →", ...few.map((k) => shown(MULTIPLES[k], 0, 2))];
    const rows = few.map((r) => [shown(MULTIPLES[r], 0, 2), ...few.map((c) => data.rows[r][c])]);
    frame.box.replaceChildren(dataTable(options.title, columns, rows));
  }

  svg.addEventListener("pointermove", (event) => {
    if (!data || !geometry) return;
    const box = svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) * drawnWidth) / box.width;
    const y = ((event.clientY - box.top) * MAP_HEIGHT) / box.height;
    const column = Math.floor((x - MAP_MARGIN.left) / geometry.cellW);
    const row = Math.floor((geometry.bottom - y) / geometry.cellH);
    const inside = row >= 0 && row < MAP_SIZE && column >= 0 && column < MAP_SIZE;
    frame.reading.textContent = inside
      ? `forward × ${shown(MULTIPLES[column], 0, 3)}, backward × ${shown(MULTIPLES[row], 0, 3)}: ` +
        `bound ${shown(data.rows[row][column], +1, 4)}`
      : "";
  });
  svg.addEventListener("pointerleave", () => frame.reading.replaceChildren());
  frame.fold.addEventListener("toggle", () => frame.fold.open && fillTable());
  return {
    ...frame,
    update(next) {
      data = next;
      draw();
    },
    stale(is) {
      frame.figure.setAttribute("aria-busy", is ? "true" : "false");
    },
    data: () => data,
  };
}

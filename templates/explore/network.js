// The graph, drawn while it is small: operators in layers by their distance from the data,
// layers in lines as text is; edges as wide as what leaves their operator counts.

const LARGEST_DRAWN = 60;
const NODE = { height: 24, gapX: 26, gapY: 12, most: 150 };
const LETTERS = 14;

function layersOf(count, edges) {
  const depth = new Array(count + 1).fill(0);
  // Operators are numbered in an order in which each follows its predecessors.
  for (let v = 1; v <= count; v += 1) {
    for (const [u, to] of edges) if (to === v) depth[v] = Math.max(depth[v], depth[u] + 1);
  }
  const layers = [];
  for (let v = 0; v <= count; v += 1) (layers[depth[v]] ??= []).push(v);
  return layers.filter(Boolean);
}

function makeNetwork(host, options) {
  const frame = makeFigure(host, options);
  const { svg } = frame;
  let data = null;
  let shape = "";
  let links = [];
  const width = watchWidth(frame.figure, () => data && draw());

  function label(v) {
    const name = v === 0 ? "data" : data.operators[v - 1];
    return name.length > LETTERS ? `${name.slice(0, LETTERS - 1)}…` : name;
  }

  function place() {
    const w = width();
    const layers = layersOf(data.operators.length, data.edges);
    const longest = Math.max(...data.operators.map((_, k) => label(k + 1).length), 4);
    const size = Math.min(NODE.most, 14 + 7.4 * longest);
    const across = Math.max(1, Math.floor((w - 8) / (size + NODE.gapX)));
    const spots = new Map();
    let top = 8;
    for (let first = 0; first < layers.length; first += across) {
      const line = layers.slice(first, first + across);
      const tallest = Math.max(...line.map((layer) => layer.length));
      line.forEach((layer, k) => {
        const offset = ((tallest - layer.length) * (NODE.height + NODE.gapY)) / 2;
        layer.forEach((v, j) => {
          spots.set(v, { x: 4 + k * (size + NODE.gapX), y: top + offset + j * (NODE.height + NODE.gapY) });
        });
      });
      top += tallest * (NODE.height + NODE.gapY) + 22;
    }
    return { w, size, spots, height: Math.max(60, top - 14) };
  }

  function build() {
    const { w, size, spots, height } = place();
    svg.setAttribute("viewBox", `0 0 ${w} ${height}`);
    svg.setAttribute("width", w);
    svg.setAttribute("height", height);
    for (const child of Array.from(svg.children)) if (!["title", "desc"].includes(child.tagName)) child.remove();
    const under = svgElement("g", { class: "links" });
    const over = svgElement("g", { class: "nodes" });
    links = data.edges.map(([u, v]) => {
      const [a, b] = [spots.get(u), spots.get(v)];
      const from = { x: a.x + size, y: a.y + NODE.height / 2 };
      const to = { x: b.x, y: b.y + NODE.height / 2 };
      const sameLine = to.x > from.x;
      const d = sameLine
        ? `M${from.x},${from.y}C${from.x + 16},${from.y} ${to.x - 16},${to.y} ${to.x},${to.y}`
        : `M${a.x + size / 2},${a.y + NODE.height}C${a.x + size / 2},${a.y + NODE.height + 18} ` +
          `${b.x + size / 2},${b.y - 18} ${b.x + size / 2},${b.y}`;
      const path = svgElement("path", { class: "link", d, fill: "none" });
      under.append(path);
      return { u, path };
    });
    for (const [v, { x, y }] of spots) {
      over.append(svgElement("rect", { class: v ? "node" : "node source", x, y, width: size, height: NODE.height, rx: 5 }));
      const text = svgElement("text", { class: "node-text", x: x + size / 2, y: y + 16, "text-anchor": "middle", direction: "ltr" });
      text.textContent = label(v);
      over.append(text);
    }
    svg.append(under, over);
  }

  function draw() {
    const key = `${width()} ${data.operators.length} ${data.edges.length} ${data.operators[0]}`;
    if (key !== shape) {
      shape = key;
      build();
    }
    const sizes = data.weights.filter(drawable).map(Math.log10);
    const [low, high] = sizes.length ? [d3.min(sizes), d3.max(sizes)] : [0, 1];
    for (const { u, path } of links) {
      const weight = u ? data.weights[u - 1] : null;
      const t = drawable(weight) ? (Math.log10(weight) - low) / Math.max(high - low, 1e-9) : null;
      path.setAttribute("stroke-width", t === null ? 1 : (1 + 5 * t).toFixed(2));
      path.setAttribute("class", t === null ? "link none" : "link");
    }
    frame.desc.textContent = data.describe();
    if (frame.fold.open) fillTable();
  }

  function fillTable() {
    if (!data) return;
    const rows = data.operators.map((name, k) => [name, data.weights[k]]);
    frame.box.replaceChildren(dataTable(options.title, ["operator", options.weight], rows));
  }

  frame.fold.addEventListener("toggle", () => frame.fold.open && fillTable());
  return {
    ...frame,
    update(next) {
      data = next;
      draw();
    },
  };
}

// Files and texts that leave the page: charts as SVG and PNG, the spec, LaTeX.

// Written onto the elements of a saved chart, so that it looks the same without this page.
const PAINT = [
  "fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin",
  "stroke-opacity", "opacity", "paint-order", "font-size", "font-weight", "text-anchor", "visibility",
];
const PIXELS = 2;
const PAPER = "#ffffff";
const FONT = "system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif";

function download(blob, name) {
  const address = URL.createObjectURL(blob);
  const link = element("a", { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

// Paper is white: the chart's colours are those of the light theme, whatever the screen shows.
function inLightTheme(work) {
  const root = document.documentElement;
  const before = root.dataset.theme;
  root.dataset.theme = "light";
  try {
    return work();
  } finally {
    if (before === undefined) delete root.dataset.theme;
    else root.dataset.theme = before;
  }
}

function standalone(svg) {
  const copy = svg.cloneNode(true);
  const [from, to] = [svg.querySelectorAll("*"), copy.querySelectorAll("*")];
  from.forEach((original, k) => {
    if (["title", "desc"].includes(original.tagName)) return;
    const style = getComputedStyle(original);
    for (const name of PAINT) {
      const value = style.getPropertyValue(name);
      if (value) to[k].setAttribute(name, value);
    }
    to[k].removeAttribute("class");
  });
  const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
  copy.setAttribute("xmlns", SVG);
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  copy.setAttribute("font-family", FONT);
  copy.removeAttribute("class");
  const paper = svgElement("rect", { width, height, fill: PAPER });
  copy.insertBefore(paper, copy.querySelector("desc").nextSibling);
  return { text: new XMLSerializer().serializeToString(copy), width, height };
}

function rasterised({ text, width, height }) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => {
      const canvas = element("canvas", { width: width * PIXELS, height: height * PIXELS });
      const context = canvas.getContext("2d");
      context.drawImage(image, 0, 0, canvas.width, canvas.height);
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no image"))), "image/png");
    };
    image.onerror = () => reject(new Error("no image"));
    // The page's policy lets pictures come from data alone.
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  });
}

async function saveChart(svg, kind, name) {
  const made = inLightTheme(() => standalone(svg));
  if (kind === "SVG") {
    download(new Blob([made.text], { type: "image/svg+xml" }), `${name}.svg`);
    return;
  }
  try {
    download(await rasterised(made), `${name}.png`);
  } catch {
    page.announce("This browser could not make the image; the SVG has the same content");
  }
}

// A name that every file system takes.
function fileStem(name) {
  const kept = name.normalize("NFKD").replace(/[^\w-]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 60);
  return (kept || "boundcalc").toLowerCase();
}

// rows: [LaTeX of the row's name, [numbers as shown]]; nothing of the spec's texts goes in.
function latexTable(families, rows, lines) {
  const body = rows.map(([name, numbers]) => `${name} & ${numbers.map(latexNumber).join(" & ")} \\\\`);
  return [
    ...lines.map((line) => `% ${line.replace(/[^\x20-\x7e]/g, "?").slice(0, 200)}`),
    `\\begin{tabular}{l${"r".repeat(families.length)}}`,
    "\\hline",
    ` & ${families.join(" & ")} \\\\`,
    "\\hline",
    ...body,
    "\\hline",
    "\\end{tabular}",
    "",
  ].join("\n");
}

// The numbers at the top: every family side by side, with status and ratio to sharp.

const QUANTITIES = [
  { key: "error", text: "Gradient error", sign: "E‖ũ − u‖² ≤", latex: "$E\\|\\tilde u-u\\|^2$" },
  { key: "bias", text: "Gradient bias", sign: "‖E[ũ − u]‖² ≤", latex: "$\\|E[\\tilde u-u]\\|^2$" },
  {
    key: "nonconvex",
    text: "Nonconvex bound",
    sign: "(1/T) Σ E‖∇ℓ‖² ≤",
    latex: "$\\frac1T\\sum_t E\\|\\nabla\\ell\\|^2$",
  },
  { key: "pl", text: "PL bound", sign: "E[ℓ(w) − ℓ*] ≤", latex: "$E[\\ell(w^T)-\\ell^*]$" },
];
const TERMS = [
  ["optimisation", "Optimisation", "optimisation"],
  ["sampling", "Sampling noise", "sampling noise"],
  ["perturbation_error", "Perturbation: error", "perturbation, error"],
  ["perturbation_bias", "Perturbation: bias", "perturbation, bias"],
];

function valueOf(result, quantity, family) {
  if (quantity === "error" || quantity === "bias") return result.families[family]?.[quantity] ?? null;
  return result[quantity]?.[family]?.bound ?? null;
}

function makeCell() {
  const number = element("span", { class: "value" });
  const status = element("span", { class: "status" });
  const ratio = element("span", { class: "ratio" });
  return { cell: element("td", { class: "number" }, number, status, ratio), number, status, ratio };
}

// Only what differs is written: most cells rest while a slider moves.
function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function numberTable(caption, families, rows) {
  const head = element("tr", {}, element("td"));
  for (const family of families) {
    head.append(element("th", { scope: "col", class: `number family-${family}` }, family));
  }
  const body = element("tbody");
  const cells = new Map();
  for (const row of rows) {
    const label = element("th", { scope: "row" }, row.text);
    if (row.sign) label.append(element("span", { class: "sign" }, row.sign));
    const line = element("tr", { "data-row": row.key }, label);
    for (const family of families) {
      const made = makeCell();
      cells.set(`${row.key} ${family}`, made);
      line.append(made.cell);
    }
    body.append(line);
  }
  const table = element("table", {}, element("caption", {}, caption), element("thead", {}, head), body);
  return { table, cell: (key, family) => cells.get(`${key} ${family}`) };
}

function scrolled(table, label) {
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, table);
}

function makeHeadline(host, model, families, hasPl) {
  const rows = QUANTITIES.filter((quantity) => quantity.key !== "pl" || hasPl);
  const further = [
    { key: "limit", text: "Step-size limit", sign: "γ ≤" },
    { key: "best", text: "Best fixed step", sign: "γ =" },
  ];
  const top = numberTable("Bounds at this setting", families, [...rows, ...further]);
  const terms = numberTable(
    "The bound, term by term",
    families,
    TERMS.map(([key, text]) => ({ key, text })),
  );
  const fold = element("details", { class: "fold" }, element("summary", {}, "The bound, term by term"));
  fold.append(scrolled(terms.table, "Terms of the bound"));
  const refusals = element("ul", { class: "refusals" });
  host.append(scrolled(top.table, "Bounds"), fold, refusals);

  // Python's own number stands where nothing was changed; its status is its proof.
  function write(cell, value, side, own) {
    const finite = isNumber(value);
    put(cell.number, own ? own.text : shown(value, side));
    put(cell.status, own ? own.status : finite ? "computed" : "undetermined");
    cell.cell.classList.toggle("none", !finite && !own);
  }

  function update(result, regime, untouched) {
    for (const { key } of rows) {
      const sharp = valueOf(result, key, "sharp");
      for (const family of families) {
        const cell = top.cell(key, family);
        const value = valueOf(result, key, family);
        const own = untouched ? (model.exact?.[family]?.[key] ?? null) : null;
        write(cell, value, +1, own);
        put(cell.ratio, family === "sharp" ? "" : (ratioText(value, sharp) ?? ""));
      }
    }
    for (const family of families) {
      const found = result[regime]?.[family];
      write(top.cell("limit", family), found?.limit ?? null, -1, null);
      write(top.cell("best", family), found?.best_step ?? null, 0, null);
      for (const [key] of TERMS) write(terms.cell(key, family), found?.terms?.[key] ?? null, +1, null);
    }
    for (const row of top.table.tBodies[0].rows) {
      row.classList.toggle("chosen", row.dataset.row === regime);
    }
    showRefusals(result, regime);
  }

  let said = "";
  function showRefusals(result, regime) {
    const reasons = [];
    for (const family of families) {
      const reason = result[regime]?.[family]?.refused;
      if (reason) reasons.push([family, reason]);
    }
    for (const [family, reason] of Object.entries(model.refused ?? {})) reasons.push([family, reason]);
    const key = JSON.stringify(reasons);
    if (key === said) return;
    said = key;
    refusals.replaceChildren(
      ...reasons.map(([family, reason]) =>
        element("li", {}, element("strong", { class: `family-${family}` }, family), ": ", isolated(reason)),
      ),
    );
  }

  // The same numbers for a paper.
  function latex(lines) {
    const read = (made, key) => families.map((family) => made.cell(key, family).number.textContent);
    const all = rows.map(({ key, latex: name }) => [name, read(top, key)]);
    all.push(["step-size limit", read(top, "limit")], ["best fixed step", read(top, "best")]);
    for (const [key, , name] of TERMS) all.push([name, read(terms, key)]);
    return latexTable(families, all, lines);
  }

  return { update, latex };
}

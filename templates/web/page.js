// Theme, sorting and copying, shared by the report and the explorer.  Text from a spec is
// only ever read and set as textContent.  A page without scripts is complete: the
// controls made here appear only where they work.
"use strict";

(() => {
  const root = document.documentElement;
  const STORED = "boundcalc-theme";
  const TEX = 'annotation[encoding="application/x-tex"]';

  // From disk, or with storage refused, a choice lasts as long as the page.
  const remembered = {
    get() {
      try {
        return localStorage.getItem(STORED);
      } catch {
        return null;
      }
    },
    set(theme) {
      try {
        localStorage.setItem(STORED, theme);
      } catch {
        // The page still shows it.
      }
    },
  };

  function announce(text) {
    const region = document.getElementById("live");
    if (!region) return;
    // The same text twice is read twice only if the region was empty between.
    region.textContent = "";
    setTimeout(() => {
      region.textContent = text;
    }, 30);
  }

  // ---------------------------------------------------------------- theme

  const dark = matchMedia("(prefers-color-scheme: dark)");

  function theme() {
    return root.dataset.theme || (dark.matches ? "dark" : "light");
  }

  function showTheme() {
    for (const button of document.querySelectorAll("button[data-theme-toggle]")) {
      button.textContent = theme() === "dark" ? "Light theme" : "Dark theme";
      button.hidden = false;
    }
    document.dispatchEvent(new CustomEvent("themechange", { detail: theme() }));
  }

  function setTheme(chosen) {
    root.dataset.theme = chosen;
    remembered.set(chosen);
    showTheme();
  }

  // ---------------------------------------------------------------- copying

  function copyByHand(text) {
    const area = document.createElement("textarea");
    const focused = document.activeElement;
    area.value = text;
    area.className = "sr-only";
    document.body.append(area);
    area.select();
    let done = false;
    try {
      done = document.execCommand("copy");
    } catch {
      done = false;
    }
    area.remove();
    if (focused instanceof HTMLElement) focused.focus();
    return done;
  }

  async function copyText(text, what) {
    let done = false;
    try {
      await navigator.clipboard.writeText(text);
      done = true;
    } catch {
      done = copyByHand(text);
    }
    announce(done ? `${what} copied` : "The browser does not allow copying here");
    return done;
  }

  // What a button copies: the LaTeX of the formula or table named, or an element's text.
  function source(button) {
    const target = document.getElementById(button.dataset.copy);
    if (!target) return null;
    if (target.tagName === "TABLE") return latexOf(target.id);
    const tex = target.querySelector(TEX);
    return tex ? tex.textContent : target.textContent;
  }

  let stored = null;

  function latexOf(id) {
    if (stored === null) {
      const element = document.getElementById("latex");
      stored = element ? JSON.parse(element.textContent) : {};
    }
    return Object.hasOwn(stored, id) ? stored[id] : null;
  }

  async function onCopy(button) {
    const text = source(button);
    if (text === null) return;
    const done = await copyText(text, button.dataset.what || "Text");
    if (!done || button.dataset.busy) return;
    const label = button.textContent;
    button.dataset.busy = "true";
    button.textContent = "Copied";
    setTimeout(() => {
      button.textContent = label;
      delete button.dataset.busy;
    }, 1400);
  }

  // ---------------------------------------------------------------- sorting

  // "2.5e-7" → [sign, exponent, mantissa]: larger and smaller numbers than a double holds
  // compare as well.
  function key(text) {
    if (text === "Infinity") return [1, Infinity, 1];
    if (text === "-Infinity") return [-1, Infinity, 1];
    const match = /^(-?)(\d(?:\.\d+)?)e([+-]?\d+)$/.exec(text);
    if (!match) return null;
    const mantissa = Number(match[2]);
    if (mantissa === 0) return [0, 0, 0];
    return [match[1] ? -1 : 1, Number(match[3]), mantissa];
  }

  function compareKeys(a, b) {
    if (a[0] !== b[0]) return a[0] - b[0];
    const larger = a[1] === b[1] ? a[2] - b[2] : a[1] - b[1];
    return a[0] * larger;
  }

  function cellKey(row, column) {
    const cell = row.cells[column];
    const text = cell ? cell.textContent.trim() : "";
    const sort = cell && cell.dataset.sort;
    return { number: sort ? key(sort) : null, text, empty: text === "" || text === "–" };
  }

  const collator = new Intl.Collator("en", { numeric: true });

  // Numbers before words; what is missing last, whichever way.
  function compareCells(a, b, direction) {
    if (a.empty !== b.empty) return a.empty ? 1 : -1;
    if ((a.number === null) !== (b.number === null)) return a.number === null ? 1 : -1;
    if (a.number !== null) return direction * compareKeys(a.number, b.number);
    return direction * collator.compare(a.text, b.text);
  }

  function sortBy(table, headers, column) {
    const next = { none: "ascending", ascending: "descending", descending: "none" };
    const order = next[headers[column].getAttribute("aria-sort")];
    headers.forEach((header, k) => {
      if (header.hasAttribute("aria-sort")) {
        header.setAttribute("aria-sort", k === column ? order : "none");
      }
    });
    table.toggleAttribute("data-sorted", order !== "none");
    const body = table.tBodies[0];
    const rows = Array.from(body.rows);
    const first = (row) => Number(row.dataset.row);
    if (order === "none") {
      rows.sort((a, b) => first(a) - first(b));
    } else {
      const direction = order === "ascending" ? 1 : -1;
      const keyed = rows.map((row) => ({ row, key: cellKey(row, column) }));
      keyed.sort((a, b) => compareCells(a.key, b.key, direction) || first(a.row) - first(b.row));
      rows.splice(0, rows.length, ...keyed.map((entry) => entry.row));
    }
    body.append(...rows);
    const name = spoken(headers[column]);
    announce(order === "none" ? "Original order" : `Sorted by ${name}, ${order}`);
  }

  // What an element says, formulas as their LaTeX: browsers give them no name.
  function spoken(element) {
    const copy = element.cloneNode(true);
    for (const math of copy.querySelectorAll("math")) {
      const tex = math.querySelector(TEX);
      math.replaceWith(tex ? tex.textContent : math.textContent);
    }
    return copy.textContent.trim();
  }

  function makeSortable(table) {
    const body = table.tBodies[0];
    if (!body || !table.tHead || body.rows.length < 2) return;
    Array.from(body.rows).forEach((row, k) => {
      row.dataset.row = String(k);
    });
    const headers = Array.from(table.tHead.rows[0].cells);
    headers.forEach((header, column) => {
      if (header.textContent.trim() === "") return;
      const button = document.createElement("button");
      button.type = "button";
      if (header.querySelector("math")) button.setAttribute("aria-label", spoken(header));
      button.append(...header.childNodes);
      button.addEventListener("click", () => sortBy(table, headers, column));
      header.append(button);
      header.setAttribute("aria-sort", "none");
    });
  }

  // ---------------------------------------------------------------- wide boxes

  // A box that holds more than it shows says so, and can be scrolled from the keyboard.
  function watchWidth(box) {
    const look = () => {
      const wider = box.scrollWidth > box.clientWidth + 1;
      const left = box.scrollWidth - box.clientWidth - box.scrollLeft;
      box.toggleAttribute("data-more", wider && left > 4);
      if (wider && !box.hasAttribute("tabindex")) box.tabIndex = 0;
    };
    box.addEventListener("scroll", look, { passive: true });
    new ResizeObserver(look).observe(box);
  }

  // ---------------------------------------------------------------- printing

  const opened = [];

  function beforePrint() {
    for (const fold of document.querySelectorAll("details:not([open])")) {
      fold.open = true;
      opened.push(fold);
    }
  }

  function afterPrint() {
    for (const fold of opened.splice(0)) fold.open = false;
  }

  // ---------------------------------------------------------------- start

  const earlier = remembered.get();
  if (earlier === "light" || earlier === "dark") root.dataset.theme = earlier;

  function start() {
    for (const table of document.querySelectorAll("table[data-sortable]")) makeSortable(table);
    for (const button of document.querySelectorAll("button[data-copy]")) button.hidden = false;
    for (const box of document.querySelectorAll("[data-wide]")) watchWidth(box);
    if (matchMedia("(max-width: 64rem)").matches) {
      for (const fold of document.querySelectorAll("details[data-fold]")) fold.open = false;
    }
    document.addEventListener("click", (event) => {
      const button = event.target instanceof Element ? event.target.closest("button") : null;
      if (!button) return;
      if (button.dataset.copy) onCopy(button);
      if ("themeToggle" in button.dataset) setTheme(theme() === "dark" ? "light" : "dark");
    });
    dark.addEventListener("change", showTheme);
    addEventListener("beforeprint", beforePrint);
    addEventListener("afterprint", afterPrint);
    showTheme();
  }

  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", start);
  } else {
    start();
  }

  // For other scripts of the same page.
  window.page = Object.freeze({ announce, copyText, theme, setTheme });
})();

// What only the report does: the place in the contents, and formulas in copied text.
"use strict";

(() => {
  // ---------------------------------------------------------------- contents

  function followContents() {
    const links = new Map();
    for (const link of document.querySelectorAll(".toc a")) links.set(link.hash.slice(1), link);
    const sections = Array.from(links.keys(), (id) => document.getElementById(id)).filter(Boolean);
    let waiting = false;

    // The last section that begins above the upper third of the window.
    const look = () => {
      waiting = false;
      const line = innerHeight / 3;
      let current = sections[0];
      for (const section of sections) {
        if (section.getBoundingClientRect().top <= line) current = section;
      }
      for (const [id, link] of links) {
        if (current && id === current.id) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    };
    const later = () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(look);
    };
    addEventListener("scroll", later, { passive: true });
    addEventListener("resize", later, { passive: true });
    look();
  }

  // ---------------------------------------------------------------- copied text

  const LINES = new Set(["P", "LI", "TR", "H1", "H2", "H3", "CAPTION", "FIGCAPTION", "DIV", "PRE"]);

  // Text as it is read: a formula as its LaTeX, cells apart, rows and paragraphs on lines.
  function written(node) {
    if (node.nodeType === Node.TEXT_NODE) return node.textContent.replace(/\s+/g, " ");
    if (node.localName === "math") {
      const tex = node.querySelector('annotation[encoding="application/x-tex"]');
      const sign = node.getAttribute("display") === "block" ? "$$" : "$";
      return tex ? sign + tex.textContent + sign : node.textContent;
    }
    if (node.tagName === "BUTTON" && node.dataset.copy) return "";
    const inner = Array.from(node.childNodes, written).join("");
    if (node.tagName === "TD" || node.tagName === "TH") return `${inner.trim()}\t`;
    return LINES.has(node.tagName) ? `${inner.trim()}\n` : inner;
  }

  function onCopy(event) {
    const selection = getSelection();
    if (!selection || selection.isCollapsed || !event.clipboardData) return;
    const chosen = selection.getRangeAt(0).cloneContents();
    if (!chosen.querySelector("math")) return;
    event.clipboardData.setData("text/plain", written(chosen).trim());
    event.preventDefault();
  }

  document.addEventListener("DOMContentLoaded", () => {
    followContents();
    document.addEventListener("copy", onCopy);
  });
})();

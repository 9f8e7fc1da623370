// A search, looked into: the root's candidates, and the tree under them as far as it was recorded.

import { count, h, signed } from "./dom.js";

const AT_ONCE = 40;

export function searchView(step, text) {
  const facts = [
    step.search,
    step.simulations ? count(step.simulations, "simulation") : null,
    step.n_nodes ? count(step.n_nodes, "node") : null,
    step.depth ? `depth ${step.depth}` : null,
    step.value_before === null || step.value_before === undefined ? null : `value before ${signed(step.value_before)}`,
    step.value_after === null || step.value_after === undefined ? null : `after ${signed(step.value_after)}`,
  ].filter(Boolean);
  const children = new Map();
  for (const node of step.nodes || []) {
    if (!children.has(node.parent)) children.set(node.parent, []);
    children.get(node.parent).push(node);
  }
  for (const list of children.values()) list.sort((one, two) => (two.visits || 0) - (one.visits || 0));
  const best = new Set();
  let at = null;
  for (const move of step.line_moves || []) {
    const next = (children.get(at) || children.get(at ?? rootOf(step)) || []).find((node) => node.move === move);
    if (!next) break;
    best.add(next.number);
    at = next.number;
  }
  const root = rootOf(step);
  return [
    h("p", { class: "quiet" }, facts.join(" · ")),
    step.line && step.line.length ? h("p", { class: "line" }, step.line.join(" ")) : null,
    step.nodes && step.nodes.length ? branch(children, root, best, text, true) : candidates(step.candidates),
    step.left_out ? h("p", { class: "quiet" }, `${count(step.left_out, "node")} with fewer visits are left out here.`) : null,
  ];
}

function rootOf(step) {
  const root = (step.nodes || []).find((node) => node.parent === null && node.move === null);
  return root ? root.number : null;
}

function candidates(rows) {
  if (!rows || !rows.length) return null;
  const most = Math.max(1, ...rows.map((row) => row.visits || 0));
  return h("ul", { class: "tree", "aria-label": "Candidates at the root" }, rows.map((row) => h("li", {}, nodeRow(row, most))));
}

function branch(children, parent, best, text, open) {
  const rows = children.get(parent) || [];
  const most = Math.max(1, ...rows.map((row) => row.visits || 0));
  const list = h("ul", { class: "tree" });
  const add = (from) => {
    for (const node of rows.slice(from, from + AT_ONCE)) {
      const below = children.get(node.number) || [];
      const row = nodeRow(node, most, best.has(node.number), text);
      if (!below.length) {
        list.append(h("li", {}, row));
        continue;
      }
      const fold = h("details", { open: open && best.has(node.number) }, h("summary", {}, row));
      const grow = () => {
        if (fold.open && !fold.dataset.grown) {
          fold.dataset.grown = "yes";
          fold.append(branch(children, node.number, best, text, open && best.has(node.number)));
        }
      };
      fold.addEventListener("toggle", grow);
      grow();
      list.append(h("li", {}, fold));
    }
    if (from + AT_ONCE < rows.length) {
      const more = h("li", {}, h("button", { type: "button", on: { click: () => { more.remove(); add(from + AT_ONCE); } } }, `${rows.length - from - AT_ONCE} more`));
      list.append(more);
    }
  };
  add(0);
  return list;
}

function nodeRow(node, most, best, text) {
  const wrong = [node.legal === false ? "not legal" : null, node.state_right === false ? "state imagined wrongly" : null, node.terminal ? "end of the game" : null].filter(Boolean);
  return h(
    "span",
    { class: `node ${best ? "best" : ""} ${node.legal === false ? "wrong" : ""}` },
    h("code", {}, node.label || node.move || "root"),
    node.visits === null || node.visits === undefined ? null : h("span", { class: "bar", "aria-hidden": "true" }, h("span", { css: { width: `${(100 * node.visits) / most}%` } })),
    node.visits === null || node.visits === undefined ? null : h("span", { class: "number" }, count(node.visits, "visit")),
    node.value === null || node.value === undefined ? null : h("span", { class: "number" }, signed(node.value)),
    node.prior === null || node.prior === undefined ? null : h("span", { class: "number quiet" }, `prior ${Math.round(100 * node.prior)} %`),
    wrong.length ? h("em", { class: "bad" }, wrong.join(", ")) : null,
    node.note === null || node.note === undefined || !text ? null : h("span", { class: "quiet note" }, text(node.note)),
  );
}

// A search, looked into: what it came to, and its tree as far as it was recorded, the most visited first.

import { count, duration, h, signed, words } from "./dom.js";

const AT_ONCE = 40;
const KINDS = {
  external: "a program searched, by the rules",
  imagined: "a program searched in positions that a model claimed",
  internal: "the model wrote the search out by itself",
};

export function searchView(step, text) {
  const facts = [
    KINDS[step.tree] || words(step.tree),
    step.simulations ? count(step.simulations, "simulation") : null,
    count(step.n_nodes, "position"),
    `depth ${step.depth}`,
    step.ended === "simulations" ? null : `ended by ${words(step.ended)}`,
    step.spend?.think_ms ? duration(step.spend.think_ms) : null,
  ].filter(Boolean);
  const values = [step.value_before, step.value_after].map((value) => (value === null ? "unknown" : signed(value)));
  const changed = step.first_move && step.line.length ? (step.first_move === step.line[0] ? `, still ${step.first_move}` : [", ", h("del", {}, step.first_move), " → ", h("ins", {}, step.line[0])]) : "";
  const children = new Map();
  for (const node of step.nodes) {
    if (!children.has(node.parent)) children.set(node.parent, []);
    children.get(node.parent).push(node);
  }
  for (const list of children.values()) list.sort((one, two) => two.visits - one.visits || one.number - two.number);
  const root = children.get(null)?.[0];
  const best = new Set();
  let at = root?.number;
  for (const move of step.line_moves) {
    const next = (children.get(at) || []).find((node) => node.move === move);
    if (!next) break;
    best.add(next.number);
    at = next.number;
  }
  return [
    h("p", { class: "quiet" }, facts.join(" · ")),
    h("p", {}, `value ${values[0]} → ${values[1]}`, changed),
    step.line.length ? h("p", { class: "line" }, step.line.join(" ")) : null,
    claims(step.nodes),
    root ? branch(children, root.number, best, text) : null,
    step.left_out ? h("p", { class: "quiet" }, `${count(step.left_out, "node")} with fewer visits are left out here.`) : null,
  ];
}

// How much of what a model said of its tree is right by the rules.
function claims(nodes) {
  const tally = (name) => nodes.map((node) => node.check?.[name]).filter((value) => value !== undefined);
  const [legal, right] = [tally("legal"), tally("state_right")];
  if (!legal.length && !right.length) return null;
  const share = (list, what) => (list.length ? `${list.filter(Boolean).length} of ${list.length} ${what}` : null);
  return h("p", {}, "By the rules: ", [share(legal, "moves legal"), share(right, "positions right")].filter(Boolean).join(", "));
}

function branch(children, parent, best, text) {
  const rows = children.get(parent) || [];
  const most = Math.max(1, ...rows.map((row) => row.visits));
  const list = h("ul", { class: "tree" });
  const add = (from) => {
    for (const node of rows.slice(from, from + AT_ONCE)) {
      const row = nodeRow(node, most, best.has(node.number), text);
      if (!children.has(node.number)) {
        list.append(h("li", {}, row));
        continue;
      }
      const fold = h("details", { open: best.has(node.number) }, h("summary", {}, row));
      // Grown when it is opened: trees are large.
      const grow = () => {
        if (!fold.open || fold.dataset.grown) return;
        fold.dataset.grown = "yes";
        fold.append(branch(children, node.number, best, text));
      };
      fold.addEventListener("toggle", grow);
      grow();
      list.append(h("li", {}, fold));
    }
    const left = rows.length - from - AT_ONCE;
    if (left > 0) {
      const more = h("li", {}, h("button", { type: "button", on: { click: () => { more.remove(); add(from + AT_ONCE); } } }, `${left} more`));
      list.append(more);
    }
  };
  add(0);
  return list;
}

function nodeRow(node, most, best, text) {
  const check = node.check || {};
  const wrong = [check.legal === false ? "not legal" : null, check.state_right === false ? "position imagined wrongly" : null, check.terminal_right === false ? "wrong about the end" : null, check.n_missed ? `${check.n_missed} legal moves missed` : null].filter(Boolean);
  const value = node.value ?? node.estimate;
  return h(
    "span",
    { class: `node ${best ? "best" : ""} ${check.legal === false ? "wrong" : ""}` },
    h("code", {}, node.label || node.move || "root"),
    node.visits ? h("span", { class: "bar", "aria-hidden": "true" }, h("span", { css: { width: `${(100 * node.visits) / most}%` } })) : null,
    h("span", { class: "number quiet" }, node.visits ? count(node.visits, "visit") : "not tried"),
    value === undefined ? null : h("span", { class: "number" }, signed(value), node.proven ? " proven" : ""),
    node.prior === undefined ? null : h("span", { class: "number quiet" }, `prior ${Math.round(100 * node.prior)} %`),
    node.terminal ? h("em", {}, "end of the game") : null,
    wrong.length ? h("em", { class: "bad" }, wrong.join(", ")) : null,
    node.problem === undefined ? null : h("span", { class: "bad note" }, text(node.problem)),
    node.state === undefined ? null : h("code", { class: "quiet note" }, text(node.state)),
  );
}

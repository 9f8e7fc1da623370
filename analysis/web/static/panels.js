// What happened in a turn: prompt and answer, plans and their revisions, refusals, searches, spending.

import { count, duration, h, signed, swap, words } from "./dom.js";
import { searchView } from "./tree.js";
import { plain } from "./theatre.js";

export const CAUSES = {
  opponent: "the opponent did something else than expected",
  refused: "the referee turned the move down",
  self_check: "it looked again by itself",
  search: "a search changed its best move",
  over_purse: "the plan cost more than the purse holds",
  series: "the round before",
};

export function spendText(spend, { wait } = {}) {
  if (!spend) return "";
  const parts = [];
  if (spend.model_calls) parts.push(count(spend.model_calls, "model call"), `${(spend.prompt_tokens || 0).toLocaleString("en")} + ${(spend.completion_tokens || 0).toLocaleString("en")} tokens`);
  if (spend.nodes) parts.push(count(spend.nodes, "node"));
  if (spend.think_ms) parts.push(`${duration(spend.think_ms)} thinking`);
  if (wait > 1) parts.push(`${duration(wait)} waiting`);
  if (spend.cost_usd === null) parts.push("cost unknown");
  else if (spend.cost_usd) parts.push(`$${spend.cost_usd.toFixed(4)}`);
  return parts.join(" · ") || "nothing spent";
}

export function addSpend(total, spend) {
  const sum = { ...total };
  for (const [name, value] of Object.entries(spend || {})) {
    if (name === "cost_usd") sum.cost_usd = value === null || sum.cost_usd === null ? null : (sum.cost_usd || 0) + value;
    else sum[name] = (sum[name] || 0) + value;
  }
  return sum;
}

function block(kind, title, ...body) {
  return h("section", { class: `step ${kind}` }, h("h3", {}, title), body);
}

function longText(text, { label = "text" } = {}) {
  // What scrolls must be reachable by keys.
  const scrolls = text.length > 600;
  return h("pre", { class: "words", tabindex: scrolls ? 0 : null, "aria-label": scrolls ? label : null }, text || "(empty)");
}

function folded(summary, ...body) {
  return h("details", {}, h("summary", {}, summary), body);
}

export function stepView(doc, frame, step) {
  const text = (number) => (number === null || number === undefined ? "" : doc.texts[number] ?? "");
  switch (step.kind) {
    case "called":
      return callView(doc, step, text);
    case "consulted":
      return block(
        "consulted",
        `Asked the engine ${words(step.engine)}`,
        step.error ? h("p", { class: "bad" }, step.error) : null,
        step.line ? h("p", { class: "line" }, step.line.join(" ")) : null,
        h("p", { class: "quiet" }, [step.score, step.value === null || step.value === undefined ? null : `value ${signed(step.value)}`, step.nodes ? count(step.nodes, "node") : null, step.depth ? `depth ${step.depth}` : null, step.think_ms ? duration(step.think_ms) : null].filter(Boolean).join(" · ")),
      );
    case "appraised":
      return block(
        "consulted",
        `Asked the engine ${words(step.engine)} about positions`,
        step.error ? h("p", { class: "bad" }, step.error) : null,
        h("p", { class: "quiet" }, [count(step.n_positions, "position"), step.nodes ? count(step.nodes, "node") : null, duration(step.think_ms)].filter(Boolean).join(" · ")),
      );
    case "proposed":
      return block("proposed", "Plan", planView(step, text), step.changes ? changeList(step.changes) : null);
    case "revised":
      return block("revised", "Plan revised", h("p", { class: "cause" }, h("b", {}, words(step.cause)), `: ${CAUSES[step.cause] || words(step.cause)}`), step.changes ? changeList(step.changes) : lineDiff(step.before.line, step.plan.line), planNumbers(step.plan, text));
    case "submitted":
      return block(
        step.verdict === "ok" ? "submitted" : "submitted bad",
        step.kept ? "Keeps its plan" : step.changed ? "Submits a new plan" : "Submits the same plan",
        h("p", {}, h("b", { class: `verdict ${step.verdict}` }, words(step.verdict)), step.cost === null ? "" : `  cost ${step.cost} of ${step.purse}`),
        step.cost === null ? null : meter(step.cost, step.purse),
        step.problems === null ? null : longText(text(step.problems)),
        step.changes ? changeList(step.changes) : null,
      );
    case "refused":
      return block("refused", `Refused: ${words(step.what)}`, h("p", { class: "why" }, text(step.why)), folded("What it said", longText(text(step.text))));
    case "overran":
      return block("overran", "Over the thinking budget", h("p", {}, `${step.used.toLocaleString("en")} ${words(step.resource)} of ${step.limit.toLocaleString("en")} allowed for the ${step.scope}`), meter(step.used, step.limit));
    case "fault":
      return block("fault", `Failure of the ${step.where}`, longText(text(step.error)), folded("Traceback", longText(text(step.detail))));
    case "noted":
      return step.comment === null && !step.nags.length && step.elapsed_ms === null && step.clock_ms === null
        ? null
        : block("noted", "In the file", step.comment === null ? null : h("p", {}, text(step.comment)), h("p", { class: "quiet" }, [step.nags.map((nag) => ({ 1: "!", 2: "?", 3: "!!", 4: "??", 5: "!?", 6: "?!" })[nag] || `$${nag}`).join(" "), step.elapsed_ms === null ? "" : `took ${duration(step.elapsed_ms)}`, step.clock_ms === null ? "" : `${duration(step.clock_ms)} left`].filter(Boolean).join(" · ")));
    case "searched":
      return block("searched", `Search: ${words(step.method)}`, searchView(step, text));
    case "round":
      return null;
    default:
      return block("unknown", words(step.kind));
  }
}

const THOUGHT = /^\s*<(think|thinking|thought|reasoning)>([\s\S]*?)(?:<\/\1>|$)/i;

export function parted(answer) {
  const found = THOUGHT.exec(answer);
  return found ? { thought: found[2].trim(), said: answer.slice(found[0].length).trim() } : { thought: "", said: answer };
}

function callView(doc, step, text) {
  const title = step.asked === "score" ? `${step.model} rates the possible answers` : `${step.model} is asked`;
  const prompt = folded(
    `Prompt: ${count(step.messages.length, "message")}`,
    step.messages.map(([role, number]) => h("div", { class: `message ${role}` }, h("h4", {}, role), longText(text(number), { label: `${role} message` }))),
  );
  const parts = [prompt];
  if (step.error !== null) parts.push(h("p", { class: "bad" }, text(step.error)));
  if (step.answer !== undefined) {
    const { thought, said } = parted(text(step.answer));
    const told = step.thinking === undefined || step.thinking === null ? thought : text(step.thinking);
    if (told) parts.push(h("div", { class: "message thinking" }, h("h4", {}, "thinking"), longText(told, { label: "thinking" })));
    parts.push(h("div", { class: "message answer" }, h("h4", {}, step.finish === "length" ? "answer, cut off at its limit" : "answer"), longText(said, { label: "answer" })));
  }
  if (step.scores) {
    const top = step.scores[0] ? step.scores[0][1] : 0;
    parts.push(
      h(
        "ol",
        { class: "scores", "aria-label": "Likeliest answers, log-probability per token" },
        step.scores.map(([number, value]) => h("li", {}, h("code", {}, text(number)), h("span", { class: "bar", "aria-hidden": "true" }, h("span", { css: { width: `${100 * Math.exp(value - top)}%` } })), h("span", { class: "number" }, value.toFixed(2)))),
      ),
    );
    if (step.n_scores > step.scores.length) parts.push(h("p", { class: "quiet" }, `and ${step.n_scores - step.scores.length} less likely ones`));
  }
  const sampling = step.sampling ? [`at most ${step.sampling.max_tokens} tokens`, step.sampling.temperature === 0 ? "greedy" : step.sampling.temperature === null ? null : `temperature ${step.sampling.temperature}`, step.sampling.seed === null || step.sampling.seed === undefined ? null : `seed ${step.sampling.seed}`] : [];
  parts.push(h("p", { class: "quiet" }, [spendText(step.spend, { wait: step.wait_ms }), ...sampling].filter(Boolean).join(" · ")));
  return block("called", title, parts);
}

function planView(step, text) {
  return [step.plan.line.length ? h("p", { class: "line" }, step.plan.line.join(" ")) : null, planNumbers(step.plan, text)];
}

function planNumbers(plan, text) {
  const parts = [plan.value === null ? null : `own estimate ${signed(plan.value)}`, plan.cost === null ? null : `cost ${plan.cost}`].filter(Boolean);
  return [parts.length ? h("p", { class: "quiet" }, parts.join(" · ")) : null, plan.why === null ? null : longText(text(plan.why), { label: "reasons" })];
}

function lineDiff(before, after) {
  let same = 0;
  while (same < before.length && same < after.length && before[same] === after[same]) same += 1;
  const line = (moves, mark) => moves.map((move, n) => [h(n < same ? "span" : mark, {}, move), " "]);
  return h("div", { class: "diff" }, h("p", { class: "line" }, h("span", { class: "tag" }, "was"), before.length ? line(before, "del") : "nothing"), h("p", { class: "line" }, h("span", { class: "tag" }, "now"), after.length ? line(after, "ins") : "nothing"));
}

const SIGNS = { added: "+", removed: "−", moved: "→", replaced: "⇄", kept: " " };

export function changeList(changes) {
  const name = (entry) => [entry.variant ? `${entry.variant} ` : "", plain(entry.item)].join("");
  const row = (change) => {
    const { before, after, kind } = change;
    const what =
      kind === "moved"
        ? [name(after), h("span", { class: "place" }, h("del", {}, before.place), " → ", h("ins", {}, after.place))]
        : kind === "replaced"
          ? [h("del", {}, name(before)), " → ", h("ins", {}, name(after)), h("span", { class: "place" }, after.place)]
          : kind === "removed"
            ? [h("del", {}, name(before)), h("span", { class: "place" }, before.place)]
            : kind === "added"
              ? [h("ins", {}, name(after)), h("span", { class: "place" }, after.place)]
              : [name(after), h("span", { class: "place" }, after.place)];
    const cost = (after ? after.cost : 0) - (before ? before.cost : 0);
    return h("li", { class: kind }, h("span", { class: "sign", title: kind }, SIGNS[kind], h("span", { class: "unseen" }, ` ${kind} `)), h("span", { class: "what" }, what), h("span", { class: "number" }, kind === "kept" ? String(after.cost) : cost ? signed(cost, 0) : "0"));
  };
  const changed = changes.filter((change) => change.kind !== "kept");
  const kept = changes.filter((change) => change.kind === "kept");
  const total = changes.reduce((sum, change) => sum + (change.after ? change.after.cost : 0) - (change.before ? change.before.cost : 0), 0);
  const counted = ["added", "removed", "moved", "replaced"].map((kind) => [kind, changed.filter((change) => change.kind === kind).length]).filter(([, n]) => n);
  return h(
    "div",
    { class: "changes" },
    h("p", { class: "quiet" }, counted.length ? counted.map(([kind, n]) => `${n} ${kind}`).join(", ") + (total ? `; cost ${signed(total, 0)}` : "; cost unchanged") : "Nothing is different."),
    changed.length ? h("ul", { class: "change-list" }, changed.map(row)) : null,
    kept.length ? folded(`${kept.length} kept as they were`, h("ul", { class: "change-list" }, kept.map(row))) : null,
  );
}

export function meter(used, limit) {
  const share = limit > 0 ? used / limit : 0;
  return h("div", { class: `meter ${share > 1 ? "over" : ""}`, role: "meter", "aria-valuemin": 0, "aria-valuemax": limit, "aria-valuenow": Math.min(used, limit), "aria-label": `${used} of ${limit}` }, h("div", { css: { width: `${Math.min(100, 100 * share)}%` } }));
}

export function planColumn(doc, stage) {
  return h(
    "div",
    { class: "plans" },
    stage.plans.map((plan, n) => {
      const seat = n ? "second" : "first";
      const title = h("h3", { class: seat }, doc.game.seats[n]);
      if (!plan) return h("section", {}, title, h("p", { class: "quiet" }, "no plan yet"));
      return h(
        "section",
        {},
        title,
        h("p", {}, h("b", { class: `verdict ${plan.verdict}` }, words(plan.verdict)), plan.cost === null ? "" : ` cost ${plan.cost} of ${plan.purse}`),
        plan.cost === null ? null : meter(plan.cost, plan.purse),
        plan.problems.length ? h("ul", { class: "problems" }, plan.problems.slice(0, 6).map((problem) => h("li", {}, problem.where ? h("code", {}, problem.where) : null, problem.where ? ": " : "", problem.why))) : null,
        folded(count(plan.entries.length, "entry").replace("entrys", "entries"), h("ul", { class: "change-list" }, plan.entries.map((entry) => h("li", {}, h("span", { class: "sign" }, ""), h("span", { class: "what" }, entry.variant ? `${entry.variant} ` : "", plain(entry.item), h("span", { class: "place" }, entry.place)), h("span", { class: "number" }, String(entry.cost)))))),
      );
    }),
  );
}

export function budgetView(doc, totals) {
  return h(
    "div",
    { class: "budgets" },
    ["first", "second"].map((seat, n) => {
      const spent = totals[seat];
      const limits = Object.entries(doc.budgets?.match || {}).filter(([name, limit]) => limit !== null && limit !== undefined && spent[name]);
      return h(
        "div",
        { class: `budget ${seat}` },
        h("b", {}, doc.agents[n].name),
        h("span", { class: "quiet" }, spendText(spent)),
        limits.map(([name, limit]) => h("label", {}, `${words(name)}: ${(spent[name] || 0).toLocaleString("en", { maximumFractionDigits: 2 })} of ${limit.toLocaleString("en")}`, meter(spent[name] || 0, limit))),
      );
    }),
  );
}

// A search asks a model dozens of times in a turn: where there are many calls, those in a row are one line until it is opened,
// so that plan, search and refusals stay in sight. One that failed is never folded away.
const MANY_CALLS = 6;
const folds = (step) => step.kind === "called" && step.error === null;

function inRuns(steps) {
  const runs = [];
  for (const step of steps) {
    const last = runs.at(-1);
    if (last && folds(step) && folds(last[0])) last.push(step);
    else runs.push([step]);
  }
  return runs;
}

function callsView(doc, frame, calls) {
  const fold = folded(`${calls.length} calls in a row`);
  fold.addEventListener("toggle", () => fold.childElementCount > 1 || fold.append(...calls.map((step) => stepView(doc, frame, step))));
  return block("called", `${[...new Set(calls.map((step) => step.model))].join(", ")}: asked again and again`, fold);
}

export function turnPanel(panel, doc, frame, title) {
  const many = frame.steps.filter(folds).length > MANY_CALLS;
  const steps = inRuns(frame.steps).flatMap((run) => (many && run.length > 1 ? [callsView(doc, frame, run)] : run.map((step) => stepView(doc, frame, step)).filter(Boolean)));
  const notes = [];
  if (frame.fallback) notes.push(h("p", { class: "bad" }, `Declared substitute: ${frame.fallback}`));
  if (frame.confidence !== null && frame.confidence !== undefined) notes.push(h("p", {}, `It gives itself a ${Math.round(frame.confidence * 100)} % chance to win.`));
  if (frame.spend) notes.push(h("p", { class: "quiet" }, `This turn: ${spendText(frame.spend, { wait: frame.wait_ms })}`));
  if (frame.checked) notes.push(h("p", { class: "quiet" }, "The position is the recorded one: ", h("code", {}, frame.digest), " ✓"));
  swap(panel, h("h2", {}, title), steps.length ? steps : h("p", { class: "quiet" }, frame.seat ? "It was not asked anything and declared nothing." : "Nobody was asked: this belongs to the start."), notes);
}

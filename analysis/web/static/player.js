// One match: board, scrubber, moves and the chosen turn side by side.

import { chessBoard, connectFourBoard, hexBoard, textBoard } from "./boards.js";
import { button, duration, h, icon, s, signed, swap, words } from "./dom.js";
import { addSpend, budgetView, planColumn, turnPanel } from "./panels.js";
import { roundStage, scoreboard } from "./theatre.js";

const BOARDS = { chess: chessBoard, connect_four: connectFourBoard, hex: hexBoard, text: textBoard };
const PLANS = new Set(["tower_defense", "battle_card", "turn_based"]);
const PACE_MS = 900;
const LEAST_SWING = 0.1;

export const KEYS = [
  ["← →", "one ply back, one on"],
  ["Home End", "the start, the end"],
  ["space", "play, stop"],
  ["v  V", "next, previous revision of a plan"],
  ["r  R", "next, previous refusal"],
  ["s  S", "largest swing, then the next largest; back"],
  ["f", "turn the board round"],
  ["?", "this list"],
];

// What the page knows of a match, worked out once.
export function study(doc) {
  const frames = doc.frames;
  const has = (kind) => frames.flatMap((frame, at) => (frame.steps.some((step) => step.kind === kind) ? [at] : []));
  const swings = frames.map((frame, at) => {
    const before = at ? frames[at - 1].standing : null;
    return before && frame.standing ? frame.standing.value - before.value : null;
  });
  const bySwing = swings
    .flatMap((swing, at) => (swing !== null && Math.abs(swing) >= LEAST_SWING ? [at] : []))
    .sort((one, two) => Math.abs(swings[two]) - Math.abs(swings[one]) || one - two);
  const totals = [{ first: {}, second: {} }];
  frames.forEach((frame, at) => {
    const last = totals[Math.max(0, at - 1)];
    totals[at] = frame.seat ? { ...last, [frame.seat]: addSpend(last[frame.seat], frame.spend) } : last;
  });
  return { revisions: has("revised"), refusals: has("refused"), swings, bySwing, totals };
}

function after(list, at) {
  return list.find((n) => n > at) ?? at;
}

function before(list, at) {
  return list.findLast((n) => n < at) ?? at;
}

export function title(doc, at) {
  const frame = doc.frames[at];
  if (at === 0) return "The start";
  const number = doc.game.kind === "chess" ? `${Math.ceil(frame.ply / 2)}${frame.ply % 2 ? "." : "…"} ` : "";
  const seat = frame.seat || frame.mover;
  const name = seat === "second" ? doc.agents[1].name : doc.agents[0].name;
  if (PLANS.has(doc.game.kind)) {
    const round = frame.steps.find((step) => step.kind === "round");
    const what = frame.label === "keep" ? "keeps its plan" : frame.label ? "answers with a plan" : "makes no move";
    return `${name} ${what}${round ? (round.label ? `: round ${round.label}` : ": the opening round") : ""}`;
  }
  if (!frame.seat) return `${number}${frame.label} (opening)`;
  return frame.label === null ? `${name} makes no move` : `${number}${frame.label} by ${name}`;
}

export function replayView(doc, { start = null, onFrame = () => {}, roundOf }) {
  let facts = study(doc);
  let at = 0;
  let flipped = false;
  let playing = null;
  const plans = PLANS.has(doc.game.kind);
  const stage = h("div", { class: "boardhold" });
  const bar = h("div", { class: "evalbar" });
  const plates = { first: h("div", { class: "plate first" }), second: h("div", { class: "plate second" }) };
  const scrub = h("input", { type: "range", class: "scrub", min: 0, max: doc.frames.length - 1, value: 0, "aria-label": "Ply" });
  const where = h("output", { class: "where" });
  const graph = h("div", { class: "graph" });
  const moves = h("ol", { class: "movelist", "aria-label": "Moves" });
  const panel = h("article", { class: "turn", id: "turn", "aria-live": "polite", tabindex: -1 });
  const budgets = h("div");
  const rounds = h("div");
  const columns = h("div");
  const toggle = button(icon("play"), "Play (space)", () => (playing ? stop() : begin()), { class: "play" });
  const jumps = h("div", { class: "jumps" });
  scrub.addEventListener("input", () => go(Number(scrub.value)));

  function stop() {
    clearInterval(playing);
    playing = null;
    swap(toggle, icon("play"));
  }

  function begin() {
    if (at >= doc.frames.length - 1) go(0);
    swap(toggle, icon("pause"));
    playing = setInterval(() => {
      if (at >= doc.frames.length - 1 || !scrub.isConnected) stop();
      else go(at + 1, { keep: true });
    }, PACE_MS);
  }

  function go(to, { keep = false } = {}) {
    if (!keep) stop();
    at = Math.max(0, Math.min(doc.frames.length - 1, to));
    draw();
    onFrame(at);
  }

  function swing(step) {
    const list = facts.bySwing;
    if (!list.length) return;
    const here = list.indexOf(at);
    go(list[here < 0 ? 0 : Math.max(0, Math.min(list.length - 1, here + step))]);
  }

  const leaps = {
    v: () => go(after(facts.revisions, at)),
    V: () => go(before(facts.revisions, at)),
    r: () => go(after(facts.refusals, at)),
    R: () => go(before(facts.refusals, at)),
    s: () => swing(1),
    S: () => swing(-1),
  };

  const actions = {
    ArrowRight: () => go(at + 1),
    l: () => go(at + 1),
    j: () => go(at + 1),
    ArrowLeft: () => go(at - 1),
    h: () => go(at - 1),
    k: () => go(at - 1),
    Home: () => go(0),
    End: () => go(doc.frames.length - 1),
    " ": () => (playing ? stop() : begin()),
    f: () => {
      flipped = !flipped;
      draw();
    },
    ...leaps,
  };

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea, .log, pre[tabindex]")) return;
    if (event.key === " " && event.target.closest("button, summary, a")) return;
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  function drawBoard(frame) {
    if (plans) {
      const number = frame.stage.round;
      swap(rounds, scoreboard(doc, doc.frames, number, go));
      if (number === null) swap(stage, roundStage(doc, null));
      else {
        const shown = at;
        const ready = roundOf(number);
        const put = (round) => {
          if (shown === at) swap(stage, roundStage(doc, { ...round, plans: frame.stage.plans }));
        };
        if (ready instanceof Promise) {
          stage.classList.add("loading");
          ready.then(put).finally(() => stage.classList.remove("loading"));
        } else put(ready);
      }
      swap(columns, planColumn(doc, frame.stage));
      return;
    }
    const next = doc.frames[at + 1];
    const best = frame.standing?.best_move && next && next.move !== frame.standing.best_move ? frame.standing.best_move : null;
    swap(stage, (BOARDS[doc.game.kind] || textBoard)(frame.stage, frame, { best, flipped, seats: doc.game.seats }));
  }

  function drawBar(frame) {
    const standing = frame.standing;
    bar.hidden = !facts.swings.some((swing) => swing !== null) && !standing;
    const value = standing ? standing.value : null;
    const share = value === null ? 50 : 50 + 50 * value;
    const second = h("div", { class: "second", css: { "flex-basis": `${100 - share}%` } });
    const first = h("div", { class: "first", css: { "flex-basis": `${share}%` } });
    const told = value === null ? "nobody judged this position" : standingText(doc, standing);
    bar.setAttribute("title", told);
    bar.setAttribute("role", "img");
    bar.setAttribute("aria-label", `Evaluation: ${told}`);
    bar.classList.toggle("unknown", value === null);
    swap(bar, flipped ? [first, second] : [second, first], h("span", {}, value === null ? "?" : signed(value, 2)));
  }

  function drawPlates(frame) {
    const next = doc.frames[at + 1];
    for (const [n, seat] of ["first", "second"].entries()) {
      const agent = doc.agents[n];
      const toMove = next ? (next.seat || next.mover) === seat : false;
      plates[seat].classList.toggle("tomove", toMove);
      swap(
        plates[seat],
        h("span", { class: `seat ${seat}`, title: `${doc.game.seats[n]}, ${seat} seat` }, doc.game.seats[n]),
        h("b", {}, agent.name),
        h("span", { class: "quiet" }, agent.kind),
        doc.match.winner === seat && at === doc.frames.length - 1 ? h("span", { class: "won" }, "won") : null,
      );
    }
  }

  function drawMoves() {
    const paired = !plans && doc.game.kind !== "text";
    const items = doc.frames.slice(1).map((frame, n) => {
      const marks = [
        facts.revisions.includes(n + 1) ? h("i", { class: "mark revised", title: "revised its plan" }, "v") : null,
        facts.refusals.includes(n + 1) ? h("i", { class: "mark refused", title: "an answer was refused" }, "r") : null,
        facts.swings[n + 1] !== null && Math.abs(facts.swings[n + 1]) >= LEAST_SWING ? h("i", { class: "mark swing", title: `changed the evaluation by ${signed(facts.swings[n + 1])}` }, "s") : null,
      ];
      const seat = frame.seat || frame.mover || "first";
      const label = plans ? roundLabel(frame) : frame.label === null ? "no move" : frame.label;
      return h("button", { type: "button", class: `move ${seat}`, data: { at: n + 1 }, on: { click: () => go(n + 1) } }, h("span", {}, label), marks);
    });
    if (!paired) swap(moves, items.map((item, n) => h("li", {}, h("span", { class: "no" }, doc.frames[n + 1].ply), item)));
    else {
      const rows = [];
      items.forEach((item, n) => {
        const frame = doc.frames[n + 1];
        const seat = frame.mover || frame.seat;
        if (seat !== "second" || !rows.length || rows[rows.length - 1].length > 2) rows.push([h("span", { class: "no" }, `${rows.length + 1}.`), seat === "second" ? h("span", { class: "move" }, "…") : item, ...(seat === "second" ? [item] : [])]);
        else rows[rows.length - 1].push(item);
      });
      swap(moves, rows.map((row) => h("li", { class: "pair" }, row)));
    }
  }

  function roundLabel(frame) {
    const round = frame.steps.find((step) => step.kind === "round");
    const seat = doc.game.seats[frame.seat === "second" ? 1 : 0];
    return `${round ? (round.label ? `${round.label}. ` : "opening: ") : ""}${seat} ${frame.label || "no move"}`;
  }

  function drawGraph() {
    const width = 600;
    const height = 84;
    const n = Math.max(1, doc.frames.length - 1);
    const x = (k) => (k / n) * width;
    const y = (value) => height / 2 - (value * (height - 16)) / 2;
    const points = doc.frames.flatMap((frame, k) => (frame.standing ? [[x(k), y(frame.standing.value)]] : []));
    const line = points.map(([px, py], k) => `${k ? "L" : "M"}${px.toFixed(1)} ${py.toFixed(1)}`).join(" ");
    const area = points.length > 1 ? `${line} L${points[points.length - 1][0].toFixed(1)} ${height / 2} L${points[0][0].toFixed(1)} ${height / 2} Z` : "";
    const marks = [
      ...facts.revisions.map((k) => s("path", { d: `M${x(k)} ${height - 1} l-4 -7 h8 z`, class: "revised" }, s("title", {}, "revision"))),
      ...facts.refusals.map((k) => s("rect", { x: x(k) - 3, y: 1, width: 6, height: 6, class: "refused" }, s("title", {}, "refusal"))),
      ...doc.frames.flatMap((frame, k) => (frame.confidence === null || frame.confidence === undefined ? [] : [s("circle", { cx: x(k), cy: y((2 * frame.confidence - 1) * (frame.seat === "second" ? -1 : 1)), r: 2.5, class: `belief ${frame.seat}` }, s("title", {}, `its own estimate: ${Math.round(100 * frame.confidence)} % to win`))])),
    ];
    const svg = s(
      "svg",
      { viewBox: `-6 0 ${width + 12} ${height}`, preserveAspectRatio: "none", role: "img", "aria-label": points.length ? "Evaluation over the match, above the line for the first seat" : "Course of the match" },
      s("line", { x1: 0, x2: width, y1: height / 2, y2: height / 2, class: "zero" }),
      area ? s("path", { d: area, class: "area" }) : null,
      points.length > 1 ? s("path", { d: line, class: "curve" }) : null,
      marks,
      s("line", { class: "cursor", y1: 0, y2: height, x1: 0, x2: 0 }),
    );
    svg.addEventListener("click", (event) => {
      const box = svg.getBoundingClientRect();
      go(Math.round((((event.clientX - box.left) / box.width) * (width + 12) - 6) / (width / n)));
    });
    swap(graph, svg);
    graph.hidden = points.length < 2 && !marks.length;
  }

  function drawJumps() {
    const jump = (label, key, n, what) => h("button", { type: "button", disabled: !n, title: `${what} (${key})`, on: { click: () => leaps[key]() } }, h("span", {}, label), h("kbd", {}, key), h("small", {}, String(n)));
    swap(
      jumps,
      jump("next revision", "v", facts.revisions.length, "Next revision of a plan"),
      jump("next refusal", "r", facts.refusals.length, "Next answer that the referee turned down"),
      jump("largest swing", "s", facts.bySwing.length, "Where the evaluation changed most"),
    );
  }

  function draw() {
    const frame = doc.frames[at];
    scrub.value = at;
    scrub.setAttribute("aria-valuetext", title(doc, at));
    swap(where, `${frame.ply} of ${doc.match.plies || doc.frames[doc.frames.length - 1].ply}`);
    drawBoard(frame);
    drawBar(frame);
    drawPlates(frame);
    graph.querySelectorAll(".cursor").forEach((line) => {
      const x = (600 * at) / Math.max(1, doc.frames.length - 1);
      line.setAttribute("x1", x);
      line.setAttribute("x2", x);
    });
    moves.querySelectorAll(".now").forEach((item) => item.classList.remove("now"));
    const item = moves.querySelector(`[data-at="${at}"]`);
    if (item) {
      item.classList.add("now");
      requestAnimationFrame(() => {
        moves.scrollTop = item.offsetTop - moves.clientHeight / 2;
      });
    }
    const told = frame.standing ? h("p", { class: "standing" }, standingText(doc, frame.standing), facts.swings[at] ? ` (${signed(facts.swings[at])} by this ply)` : "") : null;
    turnPanel(panel, doc, frame, title(doc, at));
    panel.querySelector("h2").after(...(told ? [told] : []));
    if (at === doc.frames.length - 1 && doc.match.result) panel.querySelector("h2").after(h("p", { class: "result" }, doc.match.result));
    swap(budgets, budgetView(doc, facts.totals[at]));
  }

  function update(fresh) {
    const follow = at === doc.frames.length - 1;
    Object.assign(doc, fresh);
    facts = study(doc);
    scrub.max = doc.frames.length - 1;
    drawMoves();
    drawGraph();
    drawJumps();
    if (follow) at = doc.frames.length - 1;
    draw();
    if (follow) onFrame(at);
  }

  const controls = [
    h("div", { class: "controls" }, button(icon("first"), "Start (Home)", () => go(0)), button(icon("back"), "Back (←)", () => go(at - 1)), toggle, button(icon("next"), "On (→)", () => go(at + 1)), button(icon("last"), "End (End)", () => go(doc.frames.length - 1)), scrub, where),
    graph,
    jumps,
  ];
  const root = h(
    "div",
    { class: `replay ${plans ? "wide" : ""} kind-${doc.game.kind}` },
    h(
      "section",
      { class: "stage", "aria-label": "Board" },
      doc.mismatch ? h("p", { class: "bad banner" }, `The record and the rules disagree: ${doc.mismatch}`) : null,
      rounds,
      plans ? controls : null,
      plates.second,
      h("div", { class: "boardwrap" }, bar, stage),
      plates.first,
      plans ? null : controls,
      columns,
    ),
    h("section", { class: "detail" }, panel),
    h("aside", { class: "side" }, h("h2", {}, "Moves"), moves, h("h2", {}, "Spent so far"), budgets, facsimile(doc)),
  );
  drawMoves();
  drawGraph();
  drawJumps();
  go(start ?? 0);
  return { root, onKey, go, update, stop, frame: () => at };
}

function standingText(doc, standing) {
  const lead = standing.value;
  const who = Math.abs(lead) < 0.02 ? "even" : `${doc.agents[lead > 0 ? 0 : 1].name} ahead`;
  const by = { judge: doc.judge || "the judge", rules: "the rules", file: "the file", round: "the margin of the round" }[standing.source];
  const more = [standing.words, standing.best ? `best ${standing.best}` : null, standing.exact && standing.source === "judge" ? "proven" : null].filter(Boolean).join(", ");
  return `${signed(lead)}: ${who}, by ${by}${more ? ` (${more})` : ""}`;
}

function facsimile(doc) {
  const rows = [
    ["match", `${doc.match.id}, ${doc.match.key}`],
    ["game", doc.game.id],
    ["opening", doc.match.opening],
    ["seed", doc.match.seed],
    ["played", doc.match.opened_ms ? new Date(doc.match.opened_ms).toISOString().replace("T", " ").slice(0, 19) + " UTC" : "not yet"],
    ["took", doc.match.opened_ms && doc.match.closed_ms ? duration(doc.match.closed_ms - doc.match.opened_ms) : null],
    ["judge", doc.judge],
    ["program", doc.match.program],
    ...doc.agents.map((agent, n) => [words(`${doc.game.seats[n]}`), `${agent.name}: ${agent.kind} ${JSON.stringify(agent.params)}`]),
  ];
  return h("details", { class: "facts" }, h("summary", {}, "About this match"), h("dl", {}, rows.filter(([, value]) => value !== null && value !== undefined).map(([name, value]) => [h("dt", {}, name), h("dd", {}, String(value))])), h("details", {}, h("summary", {}, "Rules as told"), h("pre", { class: "words" }, doc.game.rules)));
}

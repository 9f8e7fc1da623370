// Rounds of the games of plans in motion: a battlefield, two rows of cards, two squads of fighters.

import { button, h, icon, s, swap, words } from "./dom.js";

export function shortName(name) {
  const parts = String(name).match(/[A-Z][a-z]*|[a-z]+|\d+/g) || [String(name)];
  const kept = parts.length > 1 ? parts.slice(0, -1) : parts;
  return kept.length > 1 ? kept.map((part) => part[0]).join("").slice(0, 3) : kept[0].slice(0, 2);
}

export function plain(name) {
  return words(String(name).replace(/([a-z])([A-Z])/g, "$1 $2"));
}

// A clock with a slider: `length` and `step` in the round's own unit, `show` draws one moment.
function transport({ length, step, unit, rate, show, start }) {
  let at = start;
  let running = null;
  const slider = h("input", { type: "range", min: 0, max: length, step, value: at, "aria-label": `Moment of the round, in ${unit.name}` });
  const label = h("output", { class: "clock" });
  const toggle = button(icon("play"), "Play the round", () => (running ? stop() : begin()), { class: "play" });
  const draw = () => {
    slider.value = at;
    label.textContent = unit.write(at);
    slider.setAttribute("aria-valuetext", unit.write(at));
    show(at);
  };
  function stop() {
    cancelAnimationFrame(running);
    running = null;
    swap(toggle, icon("play"));
  }
  function begin() {
    if (at >= length) at = 0;
    swap(toggle, icon("pause"));
    let before = null;
    const tick = (now) => {
      if (!slider.isConnected) return stop();
      if (before !== null) at = Math.min(length, at + (now - before) * rate);
      before = now;
      draw();
      if (at >= length) return stop();
      running = requestAnimationFrame(tick);
    };
    running = requestAnimationFrame(tick);
  }
  slider.addEventListener("input", () => {
    stop();
    at = Number(slider.value);
    draw();
  });
  const jump = (by) => () => {
    stop();
    at = Math.max(0, Math.min(length, at + by));
    draw();
  };
  const bar = h(
    "div",
    { class: "transport" },
    button(icon("less"), "One step back", jump(-step)),
    toggle,
    button(icon("more"), "One step on", jump(step)),
    slider,
    label,
  );
  return { bar, draw };
}

export function roundStage(doc, round) {
  if (!round) return h("p", { class: "quiet" }, "No round has been played yet: the other side's opening plan comes first.");
  if (!round.events.length && !round.film) {
    return h("p", { class: "quiet" }, `Nothing was simulated: ${round.decided_by === "bad_plan" ? "a plan could not be played" : words(round.decided_by)}.`);
  }
  const kind = doc.game.kind;
  if (kind === "tower_defense") return battlefield(doc, round);
  return kind === "battle_card" ? cardTable(doc, round) : arena(doc, round);
}

// ---- tower defense -------------------------------------------------------------------------------------------------

function placeAt(track, at) {
  if (at < track[0][0] || at > track[track.length - 1][0]) return null;
  let low = 0;
  let high = track.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (track[middle][0] <= at) low = middle;
    else high = middle;
  }
  const [one, two] = [track[low], track[high]];
  return two[0] === one[0] ? two[1] : one[1] + ((at - one[0]) / (two[0] - one[0])) * (two[1] - one[1]);
}

function battlefield(doc, round) {
  const { rows, columns } = doc.game;
  const cell = 54;
  const units = new Map();
  for (const unit of round.film.units) units.set(`${unit.seat} ${unit.unit}`, { ...unit, health: [], name: "", row: 0, gone: Infinity, born: 0 });
  let breach = null;
  for (const event of round.events) {
    const unit = units.get(`${event.seat || "second"} ${event.unit}`);
    if (event.kind === "Breached") breach = event;
    if (!unit) continue;
    if (event.kind === "Spawned") Object.assign(unit, { name: event.name, row: event.row, born: event.at });
    if (event.kind === "Harmed") unit.health.push([event.at, event.health]);
    if (event.kind === "Fell") unit.gone = event.at;
    if (event.kind === "Slowed") (unit.slow = unit.slow || []).push([event.at, event.until]);
  }
  for (const event of round.events) {
    const human = event.kind === "Exploded" ? units.get(`first ${event.unit}`) : null;
    if (human) human.gone = event.at;
  }
  const end = Math.max(1, ...round.events.map((event) => event.at), ...round.film.units.map((unit) => unit.track[unit.track.length - 1][0]));
  const field = s("svg", { viewBox: `-26 -8 ${(columns + 1) * cell + 34} ${rows * cell + 34}`, class: "board tower", role: "img", "aria-label": `Battlefield of ${rows} rows and ${columns} columns` });
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      field.append(s("rect", { x: column * cell, y: row * cell, width: cell, height: cell, class: (row + column) % 2 ? "dark" : "light" }));
    }
    field.append(s("rect", { x: columns * cell, y: row * cell, width: cell, height: cell, class: "gate" }));
    field.append(s("text", { x: -14, y: row * cell + cell / 2 + 4, class: "coordinate" }, String(row)));
  }
  for (let column = 0; column < columns; column++) {
    field.append(s("text", { x: column * cell + cell / 2, y: rows * cell + 18, class: "coordinate" }, String(column)));
  }
  field.append(s("line", { x1: 0, y1: 0, x2: 0, y2: rows * cell, class: "home" }));
  const shots = s("g");
  const crowd = s("g");
  field.append(shots, crowd);
  const tokens = new Map();
  for (const [key, unit] of units) {
    const first = unit.seat === "first";
    const full = doc.game.health[unit.name] || 1;
    const bar = s("rect", { x: 7, y: 44, width: 40, height: 5, class: "health" });
    const body = first ? s("rect", { x: 8, y: 6, width: 38, height: 34, rx: 7 }) : s("circle", { cx: 27, cy: 23, r: 19 });
    const token = s(
      "g",
      { class: `unit ${unit.seat}` },
      body,
      s("text", { x: 27, y: 28 }, shortName(unit.name)),
      s("rect", { x: 7, y: 44, width: 40, height: 5, class: "health-back" }),
      bar,
      s("title", {}, plain(unit.name)),
    );
    crowd.append(token);
    tokens.set(key, { token, bar, full });
  }
  const caption = h("p", { class: "caption", "aria-live": "off" });
  const show = (at) => {
    for (const [key, unit] of units) {
      const { token, bar, full } = tokens.get(key);
      const last = unit.track[unit.track.length - 1];
      const held = Math.min(at, last[0]);
      const x = placeAt(unit.track, held);
      const there = at >= unit.born && at < unit.gone && x !== null && (last[0] >= at - 400 || unit.seat === "first" || at >= end - 1);
      token.setAttribute("visibility", there ? "visible" : "hidden");
      if (!there) continue;
      token.setAttribute("transform", `translate(${(x / 100) * cell} ${unit.row * cell})`);
      let health = full;
      for (const [when, left] of unit.health) {
        if (when > at) break;
        health = left;
      }
      bar.setAttribute("width", String(40 * Math.max(0, Math.min(1, health / full))));
      token.classList.toggle("slow", Boolean(unit.slow?.some(([from, until]) => at >= from && at < until)));
    }
    swap(
      shots,
      round.film.shots
        .filter(([, , from, , to]) => at >= from && at <= to)
        .map(([row, kind, from, x1, to, x2]) => {
          const x = to === from ? x1 : x1 + ((at - from) / (to - from)) * (x2 - x1);
          return s("circle", { cx: (x / 100) * cell, cy: row * cell + 23, r: 4, class: `shot ${kind}` });
        }),
    );
    const over = at >= end;
    swap(caption, over ? ending(doc, round, breach) : "");
  };
  const clock = transport({ length: end, step: 250, unit: { name: "seconds", write: (at) => `${(at / 1000).toFixed(1)} s` }, rate: 4, show, start: end });
  clock.draw();
  const legend = h(
    "ul",
    { class: "legend" },
    [...new Map([...units.values()].map((unit) => [unit.seat + unit.name, unit])).values()]
      .sort((one, two) => (one.seat + one.name).localeCompare(two.seat + two.name))
      .map((unit) => h("li", {}, h("span", { class: `key ${unit.seat}` }, shortName(unit.name)), plain(unit.name))),
  );
  return h("div", { class: "theatre" }, field, clock.bar, caption, legend);
}

function ending(doc, round, breach) {
  const how = round.reason === "breached" && breach ? `a demon breaks through in row ${breach.row}` : words(round.reason || round.decided_by);
  const left = round.survivors.length ? `; left: ${round.survivors.slice(0, 8).map((one) => `${plain(one.name)} ${trim(one.health)}`).join(", ")}${round.survivors.length > 8 ? " …" : ""}` : "";
  const decided = round.decided_by === "simulation" ? "" : ` (decided by ${words(round.decided_by)})`;
  return `${round.name === "nobody" ? "Nobody wins" : `${round.name} win the round`}${decided}: ${how}${left}.`;
}

function trim(number) {
  return Number.isInteger(number) ? String(number) : number.toFixed(1);
}

// ---- events in steps: cards and fighters -----------------------------------------------------------------------------

function stepped(doc, round, draw, tell) {
  const events = round.events;
  const log = h("ol", { class: "log", tabindex: 0, "aria-label": "What happens in the round" });
  const lines = events.map((event, number) => h("li", { data: { at: number } }, h("span", { class: "when" }, String(event.at)), tell(event)));
  const caption = h("p", { class: "caption" });
  log.append(...lines);
  log.addEventListener("click", (click) => {
    const line = click.target.closest("li");
    if (line) clock.set(Number(line.dataset.at) + 1);
  });
  let marked = null;
  const show = (raw) => {
    const n = Math.round(raw);
    draw(events.slice(0, n), events[n - 1]);
    marked?.classList.remove("now");
    marked = lines[n - 1] || null;
    marked?.classList.add("now");
    // Once it stands in the page: before, nothing has a place.
    requestAnimationFrame(() => {
      if (marked) log.scrollTop = marked.offsetTop - log.clientHeight / 2;
    });
    swap(caption, n === events.length ? ending(doc, round, null) : "");
  };
  const clock = transport({ length: events.length, step: 1, unit: { name: "events", write: (at) => `${Math.round(at)} of ${events.length}` }, rate: 0.004, show, start: events.length });
  clock.set = (n) => {
    const slider = clock.bar.querySelector("input");
    slider.value = n;
    slider.dispatchEvent(new Event("input"));
  };
  return { clock, log, caption };
}

function cardTable(doc, round) {
  const rows = { first: h("div", { class: "row first" }), second: h("div", { class: "row second" }) };
  const names = new Map();
  for (const event of round.events) if (event.kind === "Entered") names.set(`${event.seat} ${event.unit}`, event.name);
  const name = (seat, unit) => plain(names.get(`${seat} ${unit}`) || `unit ${unit}`);
  const draw = (past, now) => {
    const cards = new Map();
    for (const event of past) {
      const key = `${event.seat} ${event.unit}`;
      const card = cards.get(key);
      if (event.kind === "Entered") cards.set(key, { ...event, effects: [] });
      if (!card) continue;
      if (event.kind === "Harmed") card.health = event.health;
      if (event.kind === "Changed") Object.assign(card, { attack: event.attack, health: event.health, effects: [...new Set([...card.effects, event.effect])].slice(-3) });
      if (event.kind === "Left") card.left = event;
    }
    for (const seat of ["first", "second"]) {
      swap(
        rows[seat],
        [...cards.entries()]
          .filter(([, card]) => card.seat === seat && (!card.left || card.left === now))
          .map(([, card]) => {
            const here = now && now.seat === seat && now.unit === card.unit;
            const hit = now?.kind === "Attacked" && now.seat !== seat && now.target === card.unit;
            const mood = card.left ? "gone" : here && now.kind === "Attacked" ? "striking" : hit || (here && now.kind === "Harmed") ? "hit" : here ? "acting" : "";
            return h(
              "div",
              { class: `card ${seat} ${mood}` },
              h("b", {}, plain(card.name)),
              h("span", { class: "effects" }, card.effects.map((effect) => h("i", {}, words(effect)))),
              h("span", { class: "numbers" }, h("span", { title: "attack", class: "attack" }, icon("attack"), card.attack), h("span", { title: "health", class: "life" }, icon("life"), card.health)),
            );
          }),
      );
    }
  };
  const tell = (event) => {
    const who = event.unit === undefined ? "" : name(event.seat, event.unit);
    const other = event.seat === "first" ? "second" : "first";
    const parts = {
      Entered: () => `${who} stands in the row: ${event.attack} attack, ${event.health} health`,
      Attacked: () => `${who} attacks ${name(other, event.target)}`,
      Harmed: () => `${who} loses ${event.damage} (${words(event.cause)}): ${event.health} left`,
      Changed: () => `${who}: ${words(event.effect)}, now ${event.attack} / ${event.health}`,
      Left: () => `${who} is gone`,
    };
    return h("span", { class: event.seat }, (parts[event.kind] || (() => event.kind))());
  };
  const { clock, log, caption } = stepped(doc, round, draw, tell);
  clock.draw();
  return h(
    "div",
    { class: "theatre" },
    h("div", { class: "table" }, h("span", { class: "side second" }, doc.game.seats[1]), rows.second, h("span", { class: "side first" }, doc.game.seats[0]), rows.first),
    clock.bar,
    caption,
    log,
  );
}

function arena(doc, round) {
  const squads = { first: [], second: [] };
  const plans = round.plans || [];
  for (const [n, seat] of ["first", "second"].entries()) {
    const entries = plans[n]?.entries || [];
    squads[seat] = entries.filter((entry) => entry.group === "fighters").map((entry) => entry.item);
  }
  const skillsOf = (seat, element) => (plans[seat === "first" ? 0 : 1]?.entries || []).filter((entry) => entry.group === element).map((entry) => entry.item);
  const columns = { first: h("div", { class: "squad first" }), second: h("div", { class: "squad second" }) };
  const name = (seat, fighter) => squads[seat][fighter] || `fighter ${fighter + 1}`;
  const draw = (past, now) => {
    const state = { first: {}, second: {} };
    let duel = null;
    for (const event of past) {
      if (event.kind === "DuelOpened") duel = event;
      if (event.fighter === undefined) continue;
      const one = (state[event.seat][event.fighter] = state[event.seat][event.fighter] || { effects: [] });
      if ("health" in event) one.health = event.health;
      if (event.kind === "SkillUsed") one.skill = event.skill;
      if (event.kind === "Gained") one.effects = [...new Set([...one.effects, event.effect])].slice(-4);
      if (event.kind === "Fell") one.fallen = true;
    }
    for (const seat of ["first", "second"]) {
      swap(
        columns[seat],
        squads[seat].map((element, number) => {
          const one = state[seat][number] || { effects: [] };
          const health = one.fallen ? 0 : one.health ?? doc.game.health;
          const fights = duel && duel[seat] === number && !one.fallen;
          const acting = now && now.seat === seat && now.fighter === number;
          const mood = one.fallen ? "fallen" : acting ? (now.kind === "Harmed" ? "hit" : "acting") : "";
          return h(
            "div",
            { class: `fighter ${seat} ${fights ? "fights" : ""} ${mood}` },
            h("header", {}, h("b", { class: `element ${element.toLowerCase().replace(/[^a-z]/g, "")}` }, element), h("span", { class: "life" }, one.fallen ? "out" : trim(health))),
            h("div", { class: "bar" }, h("div", { css: { width: `${Math.max(0, Math.min(100, (100 * health) / doc.game.health))}%` } })),
            h("ul", { class: "skills" }, skillsOf(seat, element).map((skill) => h("li", { class: skill === one.skill ? "used" : "" }, words(skill)))),
            h("span", { class: "effects" }, one.effects.map((effect) => h("i", {}, words(effect)))),
          );
        }),
      );
    }
  };
  const tell = (event) => {
    const who = event.fighter === undefined ? "" : name(event.seat, event.fighter);
    const parts = {
      DuelOpened: () => `${name("first", event.first)} faces ${name("second", event.second)}`,
      SkillUsed: () => `${who} uses ${words(event.skill)}`,
      Harmed: () => `${who} takes ${trim(event.damage)} (${words(event.cause)}): ${trim(event.health)} left`,
      Healed: () => `${who} heals ${trim(event.amount)}: ${trim(event.health)}`,
      Gained: () => `${who} is under ${words(event.effect)}`,
      Fell: () => `${who} is out`,
    };
    return h("span", { class: event.seat || "both" }, (parts[event.kind] || (() => event.kind))());
  };
  const { clock, log, caption } = stepped(doc, round, draw, tell);
  clock.draw();
  return h(
    "div",
    { class: "theatre" },
    h("div", { class: "arena" }, h("div", {}, h("span", { class: "side first" }, doc.game.seats[0]), columns.first), h("span", { class: "against" }, "vs"), h("div", {}, h("span", { class: "side second" }, doc.game.seats[1]), columns.second)),
    clock.bar,
    caption,
    log,
  );
}

export function scoreboard(doc, frames, current, go) {
  const chips = [];
  let number = 0;
  frames.forEach((frame, at) => {
    const step = frame.steps.find((one) => one.kind === "round");
    if (!step) return;
    const winner = step.winner || "nobody";
    const label = step.label === 0 ? "opening" : String(step.label);
    const shown = frame.stage.round === current;
    const name = winner === "nobody" ? "nobody" : doc.game.seats[winner === "first" ? 0 : 1];
    chips.push(
      h(
        "button",
        { type: "button", class: `chip ${winner} ${shown ? "now" : ""}`, title: `Round ${label}: ${name}`, "aria-current": shown ? "true" : null, on: { click: () => go(at) } },
        h("small", {}, label),
        winner === "nobody" ? "–" : name[0],
      ),
    );
    number += 1;
  });
  return number ? h("nav", { class: "rounds", "aria-label": "Rounds" }, chips) : null;
}


// Lists of tournaments and matches, from a file or from the server.

import { button, count, h } from "./dom.js";

const PAGE = 100;

export function scoreText(match) {
  if (match.state === "playing") return "in play";
  if (match.state === "pending") return "to play";
  if (match.ending === "void") return "void";
  return match.winner === "first" ? "1 – 0" : match.winner === "second" ? "0 – 1" : "½ – ½";
}

function filters(facts, wanted, changed) {
  const choice = (name, label, options) => {
    const select = h("select", { "aria-label": label, name, on: { change: () => changed({ ...wanted, [name]: select.value, offset: 0 }) } }, h("option", { value: "" }, label), options.map((option) => h("option", { value: option, selected: wanted[name] === option }, option)));
    return select;
  };
  return h("div", { class: "filters" }, choice("game", "every game", facts.games), choice("agent", "every agent", facts.agents), choice("state", "every state", ["over", "playing", "pending", "void"]));
}

export function matchTable(page, wanted, { facts, link, changed }) {
  const { matches, total } = page;
  const from = total ? wanted.offset + 1 : 0;
  const pager = h(
    "div",
    { class: "pager" },
    button("‹ before", "The matches before these", () => changed({ ...wanted, offset: Math.max(0, wanted.offset - PAGE) }), { disabled: wanted.offset === 0 }),
    h("span", {}, `${from.toLocaleString("en")} to ${Math.min(total, wanted.offset + PAGE).toLocaleString("en")} of ${total.toLocaleString("en")}`),
    button("after ›", "The matches after these", () => changed({ ...wanted, offset: wanted.offset + PAGE }), { disabled: wanted.offset + PAGE >= total }),
  );
  return h(
    "section",
    { class: "list" },
    filters(facts, wanted, changed),
    h(
      "div",
      { class: "scroll" },
      h(
        "table",
        {},
        h("thead", {}, h("tr", {}, ["no.", "first", "", "second", "game", "opening", "plies", "how it ended"].map((name) => h("th", { class: name === "no." || name === "plies" ? "n" : "" }, name)))),
        h(
          "tbody",
          {},
          matches.map((match) => {
            const target = link(match);
            return h(
              "tr",
              { class: match.state },
              h("td", { class: "n" }, target ? h("a", { href: target }, match.id) : match.id),
              h("td", { class: match.winner === "first" ? "winner" : "" }, match.first),
              h("td", { class: "score" }, target ? h("a", { href: target }, scoreText(match)) : scoreText(match)),
              h("td", { class: match.winner === "second" ? "winner" : "" }, match.second),
              h("td", {}, match.game),
              h("td", {}, match.opening),
              h("td", { class: "n" }, match.plies || ""),
              h("td", { class: "how" }, match.result || (match.state === "playing" ? h("span", { class: "live" }, "in play") : "")),
            );
          }),
        ),
      ),
    ),
    total > PAGE ? pager : null,
  );
}

export function chosen(matches, wanted) {
  const fitting = matches.filter(
    (match) =>
      (!wanted.game || match.game === wanted.game) &&
      (!wanted.agent || match.first === wanted.agent || match.second === wanted.agent) &&
      (!wanted.state || (wanted.state === "void" ? match.ending === "void" : match.state === wanted.state)),
  );
  return { matches: fitting.slice(wanted.offset, wanted.offset + PAGE), total: fitting.length };
}

export function tournamentTable(rows, link) {
  if (!rows.length) return h("p", { class: "quiet" }, "There is no tournament in this database yet. Play one with ", h("code", {}, "stratarena run"), "; it appears here by itself.");
  return h(
    "div",
    { class: "scroll" },
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, ["tournament", "began", "agents", "matches", "over", "in play", "to play"].map((name, n) => h("th", { class: n > 1 ? "n" : "" }, name)))),
      h(
        "tbody",
        {},
        rows.map((row) =>
          h(
            "tr",
            {},
            h("td", {}, h("a", { href: link(row) }, row.name)),
            h("td", {}, new Date(row.created_ms).toISOString().slice(0, 16).replace("T", " ")),
            [row.agents, row.matches, row.over, row.playing, row.pending].map((value, n) => h("td", { class: "n" }, n === 3 && value ? h("span", { class: "live" }, value) : value.toLocaleString("en"))),
          ),
        ),
      ),
    ),
  );
}

export function runningList(matches, link) {
  return h(
    "section",
    { class: "running" },
    h("h2", {}, `In play: ${count(matches.length, "match").replace("matchs", "matches")}`),
    matches.length
      ? h("ul", { class: "cards" }, matches.map((match) => h("li", {}, h("a", { href: link(match) }, h("b", {}, `${match.first} – ${match.second}`), h("span", { class: "quiet" }, `${match.game}, ${match.tournament}`), h("span", { class: "live" }, `ply ${match.plies}`)))))
      : h("p", { class: "quiet" }, "Nothing is being played right now."),
  );
}

export function wantedFrom(search) {
  const query = new URLSearchParams(search);
  return { game: query.get("game") || "", agent: query.get("agent") || "", state: query.get("state") || "", offset: Math.max(0, Number(query.get("offset")) || 0) };
}

export function searchOf(wanted) {
  const query = new URLSearchParams();
  for (const name of ["game", "agent", "state"]) if (wanted[name]) query.set(name, wanted[name]);
  if (wanted.offset) query.set("offset", String(wanted.offset));
  const text = query.toString();
  return text ? `?${text}` : "";
}

export function listTitle(text, more) {
  return h("div", { class: "headline" }, h("h1", {}, text), more ? h("p", { class: "quiet" }, more) : null);
}


// Where it begins: a file that holds its matches, or a server that is asked for them.

import { button, h, icon, swap } from "./dom.js";
import { chosen, listTitle, matchTable, runningList, scoreText, searchOf, tournamentTable, wantedFrom } from "./lists.js";
import { KEYS, replayView } from "./player.js";

const LIVE_MS = 1500;
const LIST_MS = 3000;
const app = document.getElementById("app");
const boot = JSON.parse(document.getElementById("boot").textContent);
let view = null;
let timer = null;

document.addEventListener("keydown", (event) => {
  if (event.key === "?" && !event.target.closest("input, select, textarea")) {
    help();
    return;
  }
  view?.onKey(event);
});

function help() {
  const box = h("dialog", { class: "help", "aria-label": "Keys" }, h("h2", {}, "Keys"), h("dl", {}, KEYS.map(([keys, what]) => [h("dt", {}, keys.split(" ").filter(Boolean).map((key) => [h("kbd", {}, key), " "])), h("dd", {}, what)])), h("form", { method: "dialog" }, h("button", {}, "Close")));
  document.body.append(box);
  box.addEventListener("close", () => box.remove());
  box.showModal();
}

function theme() {
  const dark = document.documentElement.dataset.theme === "dark" || (!document.documentElement.dataset.theme && window.matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "light" : "dark";
}

function shell(crumbs, ...body) {
  view?.stop();
  view = null;
  clearTimeout(timer);
  swap(
    app,
    h("a", { class: "skip", href: "#turn", on: { click: (event) => { event.preventDefault(); document.getElementById("turn")?.focus(); } } }, "Skip to the turn"),
    h("header", { class: "top" }, h("nav", { "aria-label": "Where you are" }, crumbs.map(([label, target], n) => [n ? h("span", { class: "sep", "aria-hidden": "true" }, "›") : null, target ? h("a", { href: target }, label) : h("span", { "aria-current": "page" }, label)])), h("span", { class: "grow" }), button("?", "Keys (?)", help), button(icon("theme"), "Light or dark", theme)),
    h("main", {}, body),
  );
}

function hashOf(text) {
  return new URLSearchParams(text.replace(/^#/, ""));
}

function frameIn(doc, query) {
  if (query.has("frame")) return Number(query.get("frame"));
  if (!query.has("ply")) return doc.match.state === "playing" ? doc.frames.length - 1 : 0;
  const found = doc.frames.findIndex((frame) => frame.ply === Number(query.get("ply")));
  return found < 0 ? 0 : found;
}

function matchHead(doc) {
  const { match } = doc;
  document.title = `${match.first} – ${match.second}, ${match.game}`;
  return h("div", { class: "headline" }, h("h1", {}, h("span", { class: "name first" }, match.first), h("span", { class: "score" }, scoreText(match)), h("span", { class: "name second" }, match.second)), h("p", { class: "quiet" }, [match.game, match.result || (match.state === "playing" ? "in play" : "not over")].join(" · ")));
}

// ---- from a file ----------------------------------------------------------------------------------------------------

async function unpacked(id) {
  const holder = document.querySelector(`script[data-match="${Number(id)}"]`);
  const bytes = Uint8Array.from(atob(holder.textContent.trim()), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

async function fromFile() {
  const query = hashOf(location.hash);
  const single = boot.matches.length === 1;
  const id = single ? boot.matches[0].id : query.get("match");
  const home = single ? [] : [[boot.title, "#"]];
  if (id && boot.matches.some((match) => match.id === Number(id))) {
    const doc = await unpacked(id);
    view = null;
    const made = replayView(doc, {
      start: frameIn(doc, query),
      onFrame: (at) => history.replaceState(null, "", `#${single ? "" : `match=${id}&`}frame=${at}`),
      roundOf: (label) => doc.rounds.find((round) => round.label === label),
    });
    shell([...home, [`match ${id}`, null]], matchHead(doc), made.root);
    view = made;
    return;
  }
  document.title = boot.title;
  const wanted = wantedFrom(query.toString());
  shell(
    [[boot.title, null]],
    listTitle(boot.title, `${boot.matches.length} matches`),
    matchTable(chosen(boot.matches, wanted), wanted, { facts: boot.facts, link: (match) => `#match=${match.id}`, changed: (next) => { location.hash = searchOf(next).slice(1); } }),
  );
}

// ---- from the server ------------------------------------------------------------------------------------------------

async function asked(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).error || `the server answered ${answer.status}`);
  return answer.json();
}

function later(action, ms) {
  clearTimeout(timer);
  timer = setTimeout(() => (document.hidden ? later(action, ms) : action().catch(gone(action, ms))), ms);
}

function gone(action, ms) {
  return () => {
    document.body.classList.add("offline");
    later(() => action().then(() => document.body.classList.remove("offline")), ms * 2);
  };
}

const linkTo = (match) => `/match/${match.id}`;

async function home() {
  const data = await asked("/api/tournaments");
  document.title = "stratarena";
  const running = h("div");
  const table = h("div");
  const draw = (fresh) => {
    swap(running, runningList(fresh.running, linkTo));
    swap(table, tournamentTable(fresh.tournaments, (row) => `/tournament/${encodeURIComponent(row.name)}`));
  };
  shell([["stratarena", null]], listTitle("Tournaments", data.database), running, table);
  draw(data);
  const again = () => asked("/api/tournaments").then((fresh) => { draw(fresh); later(again, LIST_MS); });
  later(again, LIST_MS);
}

async function tournament(name) {
  const wanted = wantedFrom(location.search);
  const path = () => `/api/tournament/${encodeURIComponent(name)}${searchOf(wanted)}`;
  const data = await asked(path());
  document.title = name;
  const table = h("div");
  const draw = (fresh) => swap(table, matchTable(fresh, wanted, { facts: data.facts, link: linkTo, changed: (next) => location.assign(`/tournament/${encodeURIComponent(name)}${searchOf(next)}`) }));
  shell([["stratarena", "/"], [name, null]], listTitle(name, `${data.total.toLocaleString("en")} matches`), table);
  draw(data);
  const again = () => asked(path()).then((fresh) => {
    if (!table.contains(document.activeElement) || !document.activeElement.closest("select")) draw(fresh);
    later(again, LIST_MS);
  });
  if (data.live) later(again, LIST_MS);
}

async function match(id) {
  const path = `/api/match/${id}`;
  const doc = await asked(path);
  const rounds = new Map();
  const roundOf = (label) => {
    if (!rounds.has(label)) rounds.set(label, asked(`${path}/round/${label}`).then((round) => { rounds.set(label, round); return round; }));
    return rounds.get(label);
  };
  const made = replayView(doc, { start: frameIn(doc, hashOf(location.hash)), onFrame: (at) => history.replaceState(null, "", `#frame=${at}`), roundOf });
  const head = h("div", {}, matchHead(doc));
  shell([["stratarena", "/"], [doc.match.tournament, `/tournament/${encodeURIComponent(doc.match.tournament)}`], [`match ${id}`, null]], head, made.root);
  view = made;
  let stamp = doc.stamp;
  const again = async () => {
    const now = await asked(`${path}/stamp`);
    if (now.stamp !== stamp) {
      const fresh = await asked(path);
      stamp = fresh.stamp;
      made.update(fresh);
      swap(head, matchHead(fresh));
    }
    if (now.live) later(again, LIVE_MS);
  };
  if (doc.live) later(again, LIVE_MS);
}

function fromServer() {
  const parts = location.pathname.split("/").filter(Boolean);
  if (parts[0] === "match") return match(Number(parts[1]));
  if (parts[0] === "tournament") return tournament(decodeURIComponent(parts[1]));
  return home();
}

function begin() {
  (boot.mode === "file" ? fromFile() : fromServer()).catch((error) => shell([["stratarena", boot.mode === "file" ? "#" : "/"]], h("p", { class: "bad banner" }, String(error.message || error))));
}

if (boot.mode === "file") window.addEventListener("hashchange", () => begin());
begin();

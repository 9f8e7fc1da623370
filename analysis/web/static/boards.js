// Boards as SVG of our own: chess from a FEN, Connect Four and Hex from their rows; and text for everything else.

import { h, s } from "./dom.js";

const BASE = "M24 84 h52 a4 4 0 0 1 4 4 v4 h-60 v-4 a4 4 0 0 1 4 -4 z";
const PIECES = {
  p: [["path", "M50 20 a13 13 0 0 1 8 23 l6 5 h-6 c0 14 8 20 13 32 H29 c5 -12 13 -18 13 -32 h-6 l6 -5 a13 13 0 0 1 8 -23 z"]],
  r: [["path", "M27 16 h11 v8 h7 v-8 h10 v8 h7 v-8 h11 v22 l-8 7 v24 l8 7 v4 H27 v-4 l8 -7 V45 l-8 -7 z"], ["line", "M35 45 h30 M35 69 h30"]],
  n: [
    ["path", "M30 80 C30 66 49 60 50 47 C44 53 38 53 33 58 C28 63 19 60 21 51 C24 42 30 36 33 28 L32 13 L43 21 C64 20 79 36 78 62 C78 70 77 75 75 80 z"],
    ["dot", "41 36 2.6"],
    ["line", "M61 28 C70 36 72 50 71 66"],
  ],
  b: [
    ["path", "M50 12 a6 6 0 0 1 4 10.5 C67 32 70 48 61 58 l3 8 h-4 c1 6 6 9 11 14 H29 c5 -5 10 -8 11 -14 h-4 l3 -8 C30 48 33 32 46 22.5 A6 6 0 0 1 50 12 z"],
    ["line", "M50 34 v14 M43 41 h14 M39 58 h22"],
  ],
  q: [
    ["path", "M27 80 L18 40 a5 5 0 1 1 4 -1 L35 55 L33 28 a5 5 0 1 1 5 -1 L50 52 L62 27 a5 5 0 1 1 5 1 L65 55 L78 39 a5 5 0 1 1 4 1 L73 80 z"],
    ["line", "M28 71 C42 66 58 66 72 71"],
  ],
  k: [
    ["path", "M47 8 h6 v6 h6 v6 h-6 v9 c5 2 7 6 7 11 C68 32 85 36 85 51 C85 62 75 67 72 80 H28 C25 67 15 62 15 51 C15 36 32 32 40 40 c0 -5 2 -9 7 -11 v-9 h-6 v-6 h6 z"],
    ["line", "M29 72 C43 67 57 67 71 72 M50 42 v16"],
  ],
};

function piece(letter, x, y, size) {
  const kind = letter.toLowerCase();
  const side = letter === kind ? "black" : "white";
  const parts = [...PIECES[kind], ["path", BASE]].map(([shape, value]) => {
    if (shape === "dot") {
      const [cx, cy, r] = value.split(" ");
      return s("circle", { class: "mark", cx, cy, r });
    }
    return s("path", { d: value, class: shape === "line" ? "line" : "body" });
  });
  return s("g", { class: `piece ${side}`, transform: `translate(${x} ${y}) scale(${size / 100})` }, parts);
}

export function chessBoard(stage, frame, { best, flipped }) {
  const [rows] = stage.fen.split(" ");
  const size = 60;
  const at = (square) => {
    const column = square.charCodeAt(0) - 97;
    const row = 8 - Number(square[1]);
    return flipped ? [(7 - column) * size, (7 - row) * size] : [column * size, row * size];
  };
  const board = s("svg", { viewBox: "-16 -2 500 500", role: "img", class: "board chess", "aria-label": `Position: ${stage.fen}` });
  for (let row = 0; row < 8; row++) {
    for (let column = 0; column < 8; column++) {
      board.append(s("rect", { x: column * size, y: row * size, width: size, height: size, class: (row + column) % 2 ? "dark" : "light" }));
    }
  }
  for (let n = 0; n < 8; n++) {
    const file = String.fromCharCode(97 + (flipped ? 7 - n : n));
    board.append(s("text", { x: n * size + size / 2, y: 493, class: "coordinate" }, file));
    board.append(s("text", { x: -9, y: n * size + size / 2 + 4, class: "coordinate" }, String(flipped ? n + 1 : 8 - n)));
  }
  if (frame.move) {
    for (const square of [frame.move.slice(0, 2), frame.move.slice(2, 4)]) {
      const [x, y] = at(square);
      board.append(s("rect", { x: x + 1.5, y: y + 1.5, width: size - 3, height: size - 3, class: "last" }));
    }
  }
  rows.split("/").forEach((line, row) => {
    let column = 0;
    for (const letter of line) {
      if (/[1-8]/.test(letter)) {
        column += Number(letter);
        continue;
      }
      if (!/[pnbrqk]/i.test(letter)) continue;
      const [x, y] = at(String.fromCharCode(97 + column) + (8 - row));
      const white = stage.fen.split(" ")[1] === "w";
      if (stage.check && letter === (white ? "K" : "k")) {
        board.append(s("circle", { cx: x + size / 2, cy: y + size / 2, r: size / 2 - 3, class: "check" }));
      }
      board.append(piece(letter, x, y, size));
      column += 1;
    }
  });
  if (best && /^[a-h][1-8][a-h][1-8]/.test(best)) {
    const [fromX, fromY] = at(best.slice(0, 2)).map((value) => value + size / 2);
    const [toX, toY] = at(best.slice(2, 4)).map((value) => value + size / 2);
    board.append(arrow(fromX, fromY, toX, toY));
  }
  return board;
}

function arrow(fromX, fromY, toX, toY) {
  const length = Math.hypot(toX - fromX, toY - fromY) || 1;
  const [dx, dy] = [(toX - fromX) / length, (toY - fromY) / length];
  const [endX, endY] = [toX - dx * 18, toY - dy * 18];
  return s(
    "g",
    { class: "best" },
    s("line", { x1: fromX + dx * 12, y1: fromY + dy * 12, x2: endX, y2: endY }),
    s("polygon", { points: `${toX - dx * 4},${toY - dy * 4} ${endX - dy * 10},${endY + dx * 10} ${endX + dy * 10},${endY - dx * 10}` }),
    s("title", {}, "The judge's move"),
  );
}

function disc(x, y, r, mark) {
  const first = mark === "X";
  const inner = first
    ? s("path", { d: `M${x - r * 0.32} ${y - r * 0.32} l${r * 0.64} ${r * 0.64} M${x + r * 0.32} ${y - r * 0.32} l${-r * 0.64} ${r * 0.64}`, class: "sign" })
    : s("circle", { cx: x, cy: y, r: r * 0.36, class: "sign" });
  return s("g", { class: `disc ${first ? "first" : "second"}` }, s("circle", { cx: x, cy: y, r }), inner);
}

export function connectFourBoard(stage, frame, { best }) {
  const rows = stage.board.split(" ")[0].split("/");
  const size = 60;
  const board = s("svg", { viewBox: "-10 -34 440 434", role: "img", class: "board four", "aria-label": `Rows from the top: ${rows.join(", ")}` });
  board.append(s("rect", { x: -8, y: -8, width: 436, height: 376, rx: 14, class: "frame" }));
  const line = new Set(fourInLine(rows).map(([row, column]) => `${row} ${column}`));
  const column = frame.move ? Number(frame.move) - 1 : -1;
  const landed = column < 0 ? -1 : rows.findIndex((row) => row[column] !== ".");
  rows.forEach((row, y) => {
    [...row].forEach((mark, x) => {
      const [cx, cy] = [x * size + 30, y * size + 30];
      board.append(s("circle", { cx, cy, r: 25, class: "hole" }));
      if (mark === "X" || mark === "O") board.append(disc(cx, cy, 25, mark));
      if (line.has(`${y} ${x}`)) board.append(s("circle", { cx, cy, r: 27, class: "winning" }));
      else if (x === column && y === landed) board.append(s("circle", { cx, cy, r: 27, class: "last" }));
    });
  });
  for (let x = 0; x < 7; x++) board.append(s("text", { x: x * size + 30, y: 390, class: "coordinate" }, String(x + 1)));
  if (best && /^[1-7]$/.test(best)) {
    const x = (Number(best) - 1) * size + 30;
    board.append(s("g", { class: "best" }, s("polygon", { points: `${x - 9},-30 ${x + 9},-30 ${x},-13` }), s("title", {}, "The judge's move")));
  }
  return board;
}

function fourInLine(rows) {
  for (let y = 0; y < rows.length; y++) {
    for (let x = 0; x < rows[y].length; x++) {
      if (rows[y][x] === ".") continue;
      for (const [dy, dx] of [[0, 1], [1, 0], [1, 1], [1, -1]]) {
        const cells = [0, 1, 2, 3].map((n) => [y + dy * n, x + dx * n]);
        if (cells.every(([row, column]) => rows[row]?.[column] === rows[y][x])) return cells;
      }
    }
  }
  return [];
}

export function hexBoard(stage, frame, { best }) {
  const rows = stage.board.split(" ")[0].split("/");
  const n = rows.length;
  const r = 20;
  const step = r * Math.sqrt(3);
  const centre = (row, column) => [column * step + (row * step) / 2, row * r * 1.5];
  const corners = (x, y, radius) =>
    [0, 1, 2, 3, 4, 5].map((k) => [x + radius * Math.sin((k * Math.PI) / 3), y - radius * Math.cos((k * Math.PI) / 3)]);
  const [right, bottom] = centre(n - 1, n - 1);
  const margin = r * 2.1;
  const board = s("svg", {
    viewBox: `${-step / 2 - margin} ${-r - margin} ${right + step + 2 * margin} ${bottom + 2 * r + 2 * margin}`,
    role: "img",
    class: "board hex",
    "aria-label": `Rows from the top: ${rows.join(", ")}; X joins top and bottom, O left and right`,
  });
  const edge = (cells, sides, mark) => {
    const points = cells.flatMap(([row, column]) => {
      const [x, y] = centre(row, column);
      const around = corners(x, y, r * 1.16);
      return sides.map((k) => around[k]);
    });
    board.append(s("polyline", { points: points.map((point) => point.join(",")).join(" "), class: `edge ${mark}` }));
  };
  const line = Array.from({ length: n }, (_, k) => k);
  edge(line.map((k) => [0, k]), [5, 0, 1], "first");
  edge(line.map((k) => [n - 1, k]), [4, 3, 2], "first");
  edge(line.map((k) => [k, 0]), [5, 4], "second");
  edge(line.map((k) => [k, n - 1]), [1, 2], "second");
  const chain = new Set(hexChain(rows).map(([row, column]) => `${row} ${column}`));
  const last = /^[a-s]\d+$/.test(frame.move || "") ? frame.move : null;
  const swapped = frame.move === "swap";
  rows.forEach((text, row) => {
    [...text].forEach((mark, column) => {
      const [x, y] = centre(row, column);
      const cell = String.fromCharCode(97 + column) + (row + 1);
      board.append(s("polygon", { points: corners(x, y, r).map((point) => point.join(",")).join(" "), class: "cell" }, s("title", {}, cell)));
      if (mark === "X" || mark === "O") board.append(disc(x, y, r * 0.68, mark));
      if (chain.has(`${row} ${column}`)) board.append(s("circle", { cx: x, cy: y, r: r * 0.78, class: "winning" }));
      else if (cell === last || (swapped && mark !== ".")) board.append(s("circle", { cx: x, cy: y, r: r * 0.78, class: "last" }));
      if (cell === best && mark === ".") board.append(s("g", { class: "best" }, s("circle", { cx: x, cy: y, r: r * 0.45 }), s("title", {}, "The judge's move")));
    });
  });
  for (let k = 0; k < n; k++) {
    const [topX, topY] = centre(0, k);
    board.append(s("text", { x: topX - r * 0.75, y: topY - r * 1.65, class: "coordinate" }, String.fromCharCode(97 + k)));
    const [leftX, leftY] = centre(k, 0);
    board.append(s("text", { x: leftX - r * 1.75, y: leftY + 4, class: "coordinate" }, String(k + 1)));
  }
  return board;
}

const NEIGHBOURS = [[0, 1], [0, -1], [1, 0], [-1, 0], [-1, 1], [1, -1]];

function hexChain(rows) {
  const n = rows.length;
  for (const [mark, start, ends] of [
    ["X", Array.from({ length: n }, (_, k) => [0, k]), ([row]) => row === n - 1],
    ["O", Array.from({ length: n }, (_, k) => [k, 0]), ([, column]) => column === n - 1],
  ]) {
    const from = new Map();
    const queue = start.filter(([row, column]) => rows[row][column] === mark);
    queue.forEach((cell) => from.set(cell.join(" "), null));
    while (queue.length) {
      const cell = queue.shift();
      if (ends(cell)) {
        const path = [];
        for (let at = cell; at; at = from.get(at.join(" "))) path.push(at);
        return path;
      }
      for (const [dy, dx] of NEIGHBOURS) {
        const next = [cell[0] + dy, cell[1] + dx];
        if (rows[next[0]]?.[next[1]] === mark && !from.has(next.join(" "))) {
          from.set(next.join(" "), cell);
          queue.push(next);
        }
      }
    }
  }
  return [];
}

export function textBoard(stage, frame, { seats }) {
  const views = stage.text;
  return h(
    "div",
    { class: "board text" },
    views.map((text, seat) => h("figure", {}, views.length > 1 ? h("figcaption", {}, `As ${seats[seat]} sees it`) : null, h("pre", {}, text))),
  );
}

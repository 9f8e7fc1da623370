// Elements made by hand: text goes in as text nodes only, so nothing a model wrote can ever be markup.

const SVG = "http://www.w3.org/2000/svg";

function dress(node, props) {
  for (const [name, value] of Object.entries(props || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") {
      for (const [kind, handler] of Object.entries(value)) node.addEventListener(kind, handler);
    } else if (name === "data") {
      for (const [key, item] of Object.entries(value)) node.dataset[key] = item;
    } else if (name === "css") {
      // Through the object model: a style attribute would not pass the page's own policy.
      for (const [key, item] of Object.entries(value)) node.style.setProperty(key, item);
    } else {
      node.setAttribute(name, value === true ? "" : String(value));
    }
  }
}

function fill(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(typeof child === "object" ? child : visible(String(child)));
  }
  return node;
}

export function h(tag, props, ...children) {
  const node = document.createElement(tag);
  dress(node, props);
  return fill(node, children);
}

export function s(tag, props, ...children) {
  const node = document.createElementNS(SVG, tag);
  dress(node, props);
  return fill(node, children);
}

export function swap(node, ...children) {
  node.replaceChildren();
  return fill(node, children);
}

// Characters that could act, hide or turn the writing round are shown by name instead.
export function visible(text) {
  return text.replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g,
    (found) => {
      const code = found.codePointAt(0);
      if (code === 13) return "";
      return code < 32 ? String.fromCodePoint(0x2400 + code) : `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
    },
  );
}

export function button(label, title, handler, props) {
  return h("button", { type: "button", title, "aria-label": title, on: { click: handler }, ...props }, label);
}

export function words(name) {
  return String(name).replaceAll("_", " ");
}

export function count(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

export function duration(ms) {
  if (ms === null || ms === undefined) return "";
  if (ms >= 60000) return `${Math.floor(ms / 60000)} min ${Math.round((ms % 60000) / 1000)} s`;
  return ms >= 1000 ? `${(ms / 1000).toFixed(1)} s` : ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}

export function signed(value, digits = 2) {
  return (value > 0 ? "+" : value < 0 ? "−" : "±") + Math.abs(value).toFixed(digits);
}

export function reducedMotion() {
  return window.matchMedia("(prefers-reduced-motion: reduce)").matches;
}

const ICONS = {
  first: "M5 4h2.4v16H5z M20 4v16L8.6 12z",
  back: "M18 4v16L6.6 12z",
  play: "M6 4v16l12.6-8z",
  pause: "M6 4h4.2v16H6z M13.8 4H18v16h-4.2z",
  next: "M6 4v16l9.4-8z M16.4 4h2.2v16h-2.2z",
  last: "M4 4v16l11.4-8z M16.6 4H19v16h-2.4z",
  less: "M15.5 6v12L7 12z",
  more: "M8.5 6v12l8.5-6z",
  attack: "M20 3l-1 5-8.6 8.6 2.2 2.2-1.6 1.6-3-3L4.600 20.800 3.200 19.400l3.400-3.400-3-3L5.200 11.400l2.200 2.200L16 5z",
  life: "M12 21C5 15.500 2.500 12 2.500 8.500A5 5 0 0 1 12 6.300 5 5 0 0 1 21.500 8.500C21.500 12 19 15.500 12 21z",
  theme: "M12 3a9 9 0 1 0 0 18z M12 3a9 9 0 0 1 0 18v-2a7 7 0 0 0 0-14z",
};

// Drawn, not written: not every font has these signs.
export function icon(name) {
  return s("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" }, s("path", { d: ICONS[name] }));
}

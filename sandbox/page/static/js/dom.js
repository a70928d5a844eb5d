// Makes elements. The law of this page: text from anywhere is set as text, and nothing here can make markup of it.

import { t } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";

const ICONS = {
  send: "M3 11.5 21 3l-5.5 18-4-7.5zM11.5 13.5 21 3",
  plus: "M12 5v14M5 12h14",
  close: "M6 6l12 12M18 6 6 18",
  hash: "M9 4 7 20M17 4l-2 16M4 9h16M3.5 15h16",
  thread: "M5 5h14v10H9l-4 4z",
  news: "M4 10v4l11 5V5zM15 9a4 4 0 0 1 0 6",
  voice: "M4 9v6h4l5 4V5L8 9zM16.5 8.5a5 5 0 0 1 0 7M19 6a9 9 0 0 1 0 12",
  stage: "M12 13a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM8.5 19a3.5 3.5 0 0 1 7 0M7.5 14a6 6 0 1 1 9 0M4.8 16.5a10 10 0 1 1 14.4 0",
  forum: "M4 5h12v8H9l-3 3v-3H4zM9 16v2h8l3 3v-3h0V9h-1",
  pin: "M9 4h6l-1 6 3 3v2H7v-2l3-3zM12 15v6",
  at: "M16 12a4 4 0 1 1-8 0 4 4 0 0 1 8 0zm0 0v1.5a2.5 2.5 0 0 0 5 0V12a9 9 0 1 0-4 7.5",
  eye: "M2 12s4-7 10-7 10 7 10 7-4 7-10 7-10-7-10-7zm13 0a3 3 0 1 1-6 0 3 3 0 0 1 6 0z",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  wire: "M4 7h16M4 12h10M4 17h13",
  menu: "M4 6h16M4 12h16M4 18h16",
  sun: "M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6 7 7M17 17l1.4 1.4M5.6 18.4 7 17M17 7l1.4-1.4M16 12a4 4 0 1 1-8 0 4 4 0 0 1 8 0z",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  download: "M12 4v11M7 10l5 5 5-5M5 20h14",
  swap: "M7 4 3 8l4 4M3 8h14M17 12l4 4-4 4M21 16H7",
  reply: "M9 7 4 12l5 5M4 12h10a6 6 0 0 1 6 6",
  down: "M6 9l6 6 6-6",
  left: "M15 5l-7 7 7 7",
  right: "M9 5l7 7-7 7",
  slash: "M15 4 9 20",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  power: "M12 4v8M7 7a7 7 0 1 0 10 0",
  link: "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
};

/** An element. `props`: attributes; `on`: listeners; `data`: data-*; true sets an empty attribute, null leaves it out. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    else if (name === "data") Object.assign(node.dataset, value);
    else if (name === "class") node.className = value;
    else if (name === "value") node.value = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export function icon(name, label = null) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  if (label) { svg.setAttribute("role", "img"); svg.setAttribute("aria-label", label); }
  else svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** A round button that shows an icon; `label` is its name for screen readers and its tooltip. */
export function iconButton(name, label, press, extra = {}) {
  return el("button", { type: "button", class: "icon-button", "aria-label": label, title: label, on: { click: press }, ...extra },
    icon(name));
}

export function clear(node, ...children) {
  node.replaceChildren(...children.flat(Infinity).filter(Boolean));
  return node;
}

/** A short sentence at the foot of the page that goes away by itself. */
export function toast(text, kind = "info") {
  const host = document.getElementById("toasts");
  const note = el("div", { class: `toast ${kind}` }, el("span", {}, text),
    iconButton("close", t("Dismiss"), () => note.remove()));
  host.append(note);
  setTimeout(() => note.remove(), kind === "bad" ? 12000 : 6000);
  while (host.children.length > 4) host.firstChild.remove();
}

const AVATARS = ["#5b5bd6", "#d6409f", "#e5484d", "#f76b15", "#ad7f58", "#30a46c", "#0d9b8a", "#0090ff", "#8e4ec6"];

/** A coloured disc with the person's first letter; the bot has its own sign. */
export function avatar(person, size = "") {
  if (person.bot && person.username !== "guide") return el("img", { class: `avatar ${size}`, src: "/static/icon.svg", alt: "" });
  const disc = el("span", { class: `avatar sign ${size}`, "aria-hidden": "true", data: { sign: [...person.name][0] ?? "?" } });
  let sum = 0;
  for (const letter of person.name) sum = (sum * 31 + letter.codePointAt(0)) % 997;
  disc.style.background = AVATARS[sum % AVATARS.length];
  return disc;
}

export function hex(color) {
  return color ? `#${color.toString(16).padStart(6, "0")}` : "";
}

const UNITS = ["B", "KB", "MB", "GB"];
export function bytes(count) {
  let unit = 0;
  let value = count;
  while (value >= 1024 && unit < UNITS.length - 1) { value /= 1024; unit += 1; }
  return `${unit && value < 100 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}

// Moments as Discord shows them; relative ones stay true while the page is open.

import { el } from "./dom.js";
import { locale } from "./words.js";

const SHAPES = {
  t: { timeStyle: "short" },
  T: { timeStyle: "medium" },
  d: { dateStyle: "short" },
  D: { dateStyle: "long" },
  f: { dateStyle: "long", timeStyle: "short" },
  F: { dateStyle: "full", timeStyle: "short" },
  s: { dateStyle: "short", timeStyle: "short" },
  S: { dateStyle: "short", timeStyle: "medium" },
};
const STEPS = [["year", 31557600], ["month", 2629800], ["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });

export function ago(seconds) {
  const distance = seconds - Date.now() / 1000;
  const [unit, size] = STEPS.find(([, step]) => Math.abs(distance) >= step) ?? STEPS.at(-1);
  return relative.format(Math.trunc(distance / size), unit);
}

/** A `<time>` for `<t:seconds:style>`. */
export function timestamp(seconds, style = "f") {
  const when = new Date(seconds * 1000);
  if (Number.isNaN(when.getTime())) return document.createTextNode(`<t:${seconds}>`);
  const full = new Intl.DateTimeFormat(locale, SHAPES.F).format(when);
  const text = style === "R" ? ago(seconds) : new Intl.DateTimeFormat(locale, SHAPES[style] ?? SHAPES.f).format(when);
  const data = style === "R" ? { relative: seconds } : {};
  return el("time", { class: "stamp", datetime: when.toISOString(), title: full, data }, text);
}

/** The time beside a name. */
export function clock(iso) {
  const when = new Date(iso);
  const today = new Date().toDateString() === when.toDateString();
  const shape = today ? { timeStyle: "short" } : { dateStyle: "short", timeStyle: "short" };
  const text = new Intl.DateTimeFormat(locale, shape).format(when);
  return el("time", { class: "when", datetime: iso, title: when.toLocaleString(locale) }, text);
}

setInterval(() => {
  for (const node of document.querySelectorAll("time[data-relative]")) {
    const text = ago(Number(node.dataset.relative));
    if (node.textContent !== text) node.textContent = text;
  }
}, 1000);

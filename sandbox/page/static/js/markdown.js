// Discord's markdown as nodes. Everything that is not understood stays the text it was.

import { el } from "./dom.js";
import { timestamp } from "./time.js";
import { t } from "./words.js";

const INLINE = new RegExp([
  /\\(?<escaped>[^A-Za-z0-9\s])/,
  /(?<ticks>`+)(?<code>[^]*?[^`])\k<ticks>(?!`)/,
  /<t:(?<stamp>-?\d{1,13})(?::(?<style>[tTdDfFRsS]))?>/,
  /<@!?(?<user>\d{5,25})>/,
  /<@&(?<role>\d{5,25})>/,
  /<#(?<channel>\d{5,25})>/,
  /<\/(?<slash>[^:>]{1,100}):\d{1,25}>/,
  /<a?:(?<emoji>\w{2,32}):\d{5,25}>/,
  /\[(?<label>[^\]\n]{1,400})\]\(<?(?<target>https?:\/\/[^\s)>]+)>?\)/,
  /<(?<quiet>https?:\/\/[^\s>]+)>/,
  /(?<url>https?:\/\/[^\s<>"')\]]+)/,
  /\*\*(?<bold>[^]+?)\*\*(?!\*)/,
  /__(?<under>[^]+?)__(?!_)/,
  /~~(?<strike>[^]+?)~~/,
  /\|\|(?<spoiler>[^]+?)\|\|/,
  /\*(?<star>[^\s*](?:[^*]*[^\s*])?)\*/,
  /(?<![A-Za-z0-9_])_(?<line>[^_]+)_(?![A-Za-z0-9_])/,
  /(?<all>@everyone|@here)/,
].map((part) => part.source).join("|"), "u");

const JUMP = /^https?:\/\/(?:[a-z]+\.)?discord(?:app)?\.com\/channels\/(\d+|@me)\/(\d+)(?:\/(\d+))?$/;
const DEEPEST = 12;

function mention(text, kind = "") {
  return el("span", { class: `mention ${kind}` }, text);
}

function link(url, children, names) {
  const jump = JUMP.exec(url);
  if (jump) {
    const go = (event) => { event.preventDefault(); names.jump(jump[2], jump[3]); };
    const inside = children ?? [`#${names.channel(jump[2])}${jump[3] ? " › message" : ""}`];
    return el("a", { class: "jump", href: "#", on: { click: go } }, inside);
  }
  return el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, children ?? [url]);
}

function spoiler(children) {
  const node = el("span", { class: "spoiler", role: "button", tabindex: "0", "aria-label": t("Spoiler, press to show") }, children);
  const show = () => { node.classList.add("shown"); node.removeAttribute("aria-label"); };
  node.addEventListener("click", show);
  node.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); show(); } });
  return node;
}

function made(groups, names, depth) {
  const inner = (text) => inline(text, names, depth + 1);
  if (groups.escaped) return groups.escaped;
  if (groups.code !== undefined) return el("code", {}, groups.code.replace(/^ (.*) $/s, "$1"));
  if (groups.stamp) return timestamp(Number(groups.stamp), groups.style);
  if (groups.user) return mention(`@${names.user(groups.user)}`);
  if (groups.role) return mention(`@${names.role(groups.role).replace(/^@/, "")}`);
  if (groups.channel) {
    const go = (event) => { event.preventDefault(); names.jump(groups.channel); };
    return el("a", { class: "mention", href: "#", on: { click: go } }, `#${names.channel(groups.channel)}`);
  }
  if (groups.slash) return mention(`/${groups.slash}`, "slash");
  if (groups.emoji) return `:${groups.emoji}:`;
  if (groups.label) return link(groups.target, inner(groups.label), names);
  if (groups.quiet || groups.url) return link(groups.quiet ?? groups.url, null, names);
  if (groups.bold) return el("strong", {}, inner(groups.bold));
  if (groups.under) return el("u", {}, inner(groups.under));
  if (groups.strike) return el("s", {}, inner(groups.strike));
  if (groups.spoiler) return spoiler(inner(groups.spoiler));
  if (groups.star || groups.line) return el("em", {}, inner(groups.star ?? groups.line));
  return mention(groups.all);
}

/** Inline markdown as a list of nodes and strings. */
export function inline(text, names, depth = 0) {
  const out = [];
  let rest = text;
  while (rest) {
    const found = depth < DEEPEST ? INLINE.exec(rest) : null;
    if (!found) { out.push(rest); break; }
    if (found.index) out.push(rest.slice(0, found.index));
    out.push(made(found.groups, names, depth));
    rest = rest.slice(found.index + found[0].length);
  }
  return out;
}

const HEADS = { "#": "h3", "##": "h4", "###": "h5" };

function line(text, names) {
  const head = /^(#{1,3}) +(.+)$/.exec(text);
  if (head) return el(HEADS[head[1]], {}, inline(head[2], names));
  const sub = /^-# +(.+)$/.exec(text);
  if (sub) return el("small", { class: "subtext" }, inline(sub[1], names));
  const item = /^(\s*)[-*] +(.+)$/.exec(text);
  if (item) return el("div", { class: item[1].length > 1 ? "item deep" : "item" }, "•", el("span", {}, inline(item[2], names)));
  const counted = /^\s*(\d{1,9})\. +(.+)$/.exec(text);
  if (counted) return el("div", { class: "item" }, `${counted[1]}.`, el("span", {}, inline(counted[2], names)));
  return null;
}

function lines(text, names) {
  const out = [];
  let plain = [];
  let quote = [];
  const flush = () => {
    if (plain.length) out.push(el("div", { class: "text" }, inline(plain.join("\n"), names)));
    if (quote.length) out.push(el("blockquote", {}, lines(quote.join("\n"), names)));
    plain = [];
    quote = [];
  };
  const every = text.split("\n");
  for (const [index, one] of every.entries()) {
    if (one.startsWith(">>> ")) {
      flush();
      out.push(el("blockquote", {}, lines([one.slice(4), ...every.slice(index + 1)].join("\n"), names)));
      return out;
    }
    if (one.startsWith("> ") || one === ">") { if (plain.length) flush(); quote.push(one.slice(2)); continue; }
    if (quote.length) flush();
    const block = line(one, names);
    if (block) { flush(); out.push(block); } else plain.push(one);
  }
  flush();
  return out;
}

/** A whole text with code blocks, quotes, headings and lists, as a list of nodes. `names` resolves mentions and jumps. */
export function markdown(text, names) {
  const out = [];
  for (const [index, part] of text.split(/```/).entries()) {
    const closed = index % 2 === 1 && index < text.split("```").length - 1;
    if (closed) {
      const body = part.replace(/^[\w+-]*\n/, "").replace(/\n$/, "");
      out.push(el("pre", {}, el("code", {}, body)));
    } else if (index % 2 === 1) out.push(...lines(`\`\`\`${part}`, names));
    else if (part) out.push(...lines(part.replace(/^\n/, index ? "" : "\n").replace(/\n$/, ""), names));
  }
  return out;
}

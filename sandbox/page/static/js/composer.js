// The message box: plain messages, and the way into a slash command.

import { CommandBox, parseLine, runnable } from "./command.js";
import { clear, el, iconButton } from "./dom.js";
import { act, tryTo } from "./net.js";
import { fits, trayItem } from "./options.js";
import { Popup } from "./popup.js";
import { commandsIn, here, on, store } from "./store.js";
import { t } from "./words.js";

const MOST_FILES = 10;
const area = document.getElementById("composer-area");
let files = [];
let offered = [];

const text = el("textarea", { id: "composer-text", rows: "1", autocomplete: "off", role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false" });
const grow = el("span", { class: "grow wide" }, text);
const tray = el("ul", { class: "tray", hidden: true, "aria-label": t("Files to send") });
const chooser = el("input", { type: "file", multiple: true, class: "hidden-file", tabindex: "-1", "aria-label": t("Files") });
const lists = el("div", { class: "lists" });
const command = new CommandBox(lists, { leave: leaveCommand });
const popup = new Popup(lists, { label: t("Commands"), on: (item) => choose(item.found), input: text });
text.setAttribute("aria-controls", popup.prefix);

const form = el("form", { id: "composer", "aria-label": t("Message") }, lists, tray,
  el("div", { class: "composer-row" },
    iconButton("plus", t("Upload a file"), () => chooser.click(), { class: "icon-button plus" }),
    grow, command.node, chooser,
    el("button", { type: "submit", class: "icon-button send", "aria-label": t("Send"), title: t("Send") }, sendSign())));
area.append(form, el("p", { class: "keys" }, el("kbd", {}, "/"), t(" commands · "), el("kbd", {}, "Tab"), t(" next option · "), el("kbd", {}, "Enter"), t(" send · "), el("kbd", {}, "Esc"), t(" leave")));

function sendSign() {
  return iconButton("send", "", () => {}).firstChild;
}

/** Shows the box for the channel that is open. */
export function composerFor() {
  const channel = here();
  const label = channel ? t(channel.type === 1 ? "Message {name}" : "Message #{name}", { name: channel.name }) : t("Message");
  text.placeholder = channel?.may_speak === false ? t("You may not write here; / commands may work") : innerWidth < 480 ? label : t("{label}, or type / for commands", { label });
  text.setAttribute("aria-label", label);
}

async function loadOffered() {
  if (!store.channel) return;
  const found = await tryTo(commandsIn(store.channel));
  offered = runnable(found ?? []);
}

function hint(leaf) {
  return (leaf.options ?? []).filter((one) => one.required).map((one) => one.label).join("  ");
}

async function typed(calm = false) {
  grow.dataset.value = text.value;
  if (!text.value.startsWith("/") || text.value.startsWith("//")) { popup.hide(); text.setAttribute("aria-expanded", "false"); return; }
  await loadOffered();
  if (!text.value.startsWith("/")) return; // the box is open meanwhile, or the line is gone
  const line = text.value.slice(1);
  const whole = bestFor(line);
  if (whole) { begin(whole.found, line.slice(whole.name.length), calm); return; }
  const words = line.trim().toLowerCase();
  const place = (one) => Math.min(...[one.label, one.name].map((name) => name.indexOf(words)).filter((at) => at >= 0));
  const found = offered.filter((one) => [one.label, one.name].some((name) => name.includes(words))).sort((a, b) => place(a) - place(b));
  const items = found.map((one, index) => ({ id: one.name, found: one, label: `/${one.label}`, hint: hint(one.leaf), about: one.description, head: index === 0 ? t("{bot} · commands", { bot: store.state.bot.name }) : null }));
  if (items.length) popup.show(items, 0);
  else popup.note(offered.length ? t("There is no such command here") : store.online ? t("The bot offers no commands in this channel") : t("The bot is not connected: it has registered nothing yet"));
  text.setAttribute("aria-expanded", String(popup.open));
}

/** The longest command whose name the line begins with, followed by a space. */
function bestFor(line) {
  const fitting = offered.flatMap((one) => [one.label, one.name].map((name) => ({ found: one, name }))).filter(({ name }) => line.toLowerCase().startsWith(`${name} `));
  return fitting.sort((a, b) => b.name.length - a.name.length)[0];
}

/** Takes a command from the list; one without options that was typed out is sent at once. */
function choose(found) {
  const typedOut = [found.label, found.name].includes(text.value.trim().slice(1).toLowerCase());
  begin(found);
  if (typedOut && !(found.leaf.options ?? []).length) command.submit();
}

function begin(found, rest = "", calm = false) {
  text.value = "";
  grow.dataset.value = "";
  popup.hide();
  grow.hidden = true;
  form.classList.add("commanding");
  command.begin(found, parseLine(rest, found.leaf.options ?? []), calm);
  while (files.length && command.takeFile(files[0])) files.shift();
  drawTray();
}

function leaveCommand(line) {
  command.end();
  grow.hidden = false;
  form.classList.remove("commanding");
  text.value = line;
  grow.dataset.value = line;
  text.focus();
  if (line) typed();
}

function drawTray() {
  tray.hidden = !files.length;
  clear(tray, files.map((file) => trayItem(file, () => { files = files.filter((one) => one !== file); drawTray(); text.focus(); })));
}

/** Takes files that were chosen, dropped or pasted. */
export function takeFiles(list) {
  for (const file of list) {
    if (command.open) { command.takeFile(file); continue; }
    if (files.length < MOST_FILES && fits(file)) files.push(file);
  }
  drawTray();
}

async function send() {
  const content = text.value.trim();
  if (content.startsWith("/") && !content.startsWith("//")) {
    await loadOffered();
    const line = `${content.slice(1)} `;
    const whole = bestFor(line);
    if (command.open) { command.submit(); return; } // it opened while the commands were loading
    if (whole) { begin(whole.found, line.slice(whole.name.length)); command.submit(); return; }
  }
  if (!content && !files.length) return;
  const body = { channel: store.channel, content };
  const named = new Map(files.map((file, index) => [`file${index}`, file]));
  const done = await tryTo(act("say", body, named));
  if (!done) return;
  text.value = "";
  grow.dataset.value = "";
  popup.hide();
  files = [];
  drawTray();
}

async function recall() {
  if (!CommandBox.last) return false;
  await loadOffered();
  const found = offered.find((one) => one.name === CommandBox.last.name);
  if (found) { begin(found); command.end(); grow.hidden = true; command.begin(found, CommandBox.last.words); }
  return Boolean(found);
}

text.addEventListener("input", () => typed());
text.addEventListener("keydown", (event) => {
  if (popup.key(event)) { event.preventDefault(); return; }
  if (event.key === "Tab" && !event.shiftKey && text.value.startsWith("/")) { event.preventDefault(); text.setRangeText(" ", text.selectionStart, text.selectionEnd, "end"); return; }
  if (event.key === "Escape" && popup.open) { popup.hide(); event.preventDefault(); return; }
  if (event.key === "ArrowUp" && !text.value) { recall(); event.preventDefault(); return; }
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); send(); }
});
text.addEventListener("blur", () => setTimeout(() => { if (document.activeElement !== text) popup.hide(); }, 100));
form.addEventListener("submit", (event) => { event.preventDefault(); if (command.open) command.submit(); else send(); });
form.addEventListener("paste", (event) => { if (event.clipboardData.files.length) { event.preventDefault(); takeFiles(event.clipboardData.files); } });
chooser.addEventListener("change", () => { takeFiles(chooser.files); chooser.value = ""; });

/** Begins a text for the person, such as `/`. */
export async function begun(line) {
  if (command.open) leaveCommand("");
  text.value = line;
  text.focus();
  await typed(true);
}
on("type", begun);
on("channel", () => { if (command.open) leaveCommand(""); files = []; drawTray(); popup.hide(); composerFor(); });
on("state", composerFor);
on("commands", () => { if (text.value.startsWith("/")) typed(); });

const veil = el("div", { class: "drop-veil", hidden: true }, el("p", {}, t("Drop it here")));
const main = document.getElementById("main");
main.append(veil);
let depth = 0;
const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
window.addEventListener("dragenter", (event) => { if (carriesFiles(event)) { depth += 1; veil.hidden = false; event.preventDefault(); } });
window.addEventListener("dragover", (event) => { if (carriesFiles(event)) event.preventDefault(); });
window.addEventListener("dragleave", () => { depth = Math.max(0, depth - 1); veil.hidden = depth === 0; });
window.addEventListener("drop", (event) => {
  depth = 0;
  veil.hidden = true;
  if (!carriesFiles(event)) return;
  event.preventDefault();
  if (!document.querySelector("dialog[open]")) takeFiles(event.dataTransfer.files);
});
window.addEventListener("keydown", (event) => {
  const field = event.target.closest?.("input, textarea, select, dialog, [role=menu]");
  if (event.key === "/" && !field && !event.ctrlKey && !event.metaKey) { event.preventDefault(); text.value = "/"; text.focus(); typed(); }
});

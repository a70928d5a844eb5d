// The menu of a message: the bot's own entries under Apps, and what any client has.

import { clear, el, icon, toast } from "./dom.js";
import { act, tryTo } from "./net.js";
import { changed, commandsIn, here, store } from "./store.js";
import { t } from "./words.js";

const MESSAGE_MENU = 3;
let panel = null;
let back = null;

function close() {
  panel?.remove();
  panel = null;
  back?.focus?.({ preventScroll: true });
  document.removeEventListener("pointerdown", outside, true);
}

function outside(event) {
  if (!panel?.contains(event.target)) { back = null; close(); }
}

function entry(label, sign, press, className = "") {
  return el("button", { type: "button", role: "menuitem", class: `menu-entry ${className}`, on: { click: () => { close(); press(); } } },
    el("span", {}, label), sign ? icon(sign) : null);
}

async function use(message, name) {
  const done = await tryTo(act("menu", { channel: message.channel_id, message: message.id, name }));
  if (done) changed("started", { id: done.interaction, channel: message.channel_id, label: name });
}

async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    toast(t("{what} copied.", { what }));
  } catch {
    toast(t("The browser does not let this page copy. {what}: {text}", { what, text }), "bad");
  }
}

function entries(message, commands) {
  const apps = commands.filter((one) => one.type === MESSAGE_MENU);
  const mine = message.author.id === store.state.viewer || message.private || here()?.may_manage;
  const link = `https://discord.com/channels/${here()?.guild ?? "@me"}/${message.channel_id}/${message.id}`;
  const erase = () => tryTo(act("delete", { channel: message.channel_id, message: message.id }));
  return [
    el("div", { class: "menu-head", role: "presentation" }, t("Apps")),
    apps.length ? apps.map((one) => entry(one.label, null, () => use(message, one.name)))
      : el("div", { class: "menu-none", role: "presentation" }, t("The bot offers nothing here")),
    el("hr"),
    message.content ? entry(t("Copy text"), "copy", () => copy(message.content, t("Text"))) : null,
    entry(t("Copy message link"), "link", () => copy(link, t("Link"))),
    message.interaction ? entry(t("What went over the wire"), "wire", () => changed("inspect", message.interaction)) : null,
    mine ? entry(t("Delete message"), "trash", erase, "danger") : null,
  ];
}

function put(anchor, point) {
  const box = point ? { left: point.x, right: point.x, top: point.y, bottom: point.y } : anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = panel;
  panel.style.left = `${Math.max(8, Math.min(point ? box.left : box.right - width, innerWidth - width - 8))}px`;
  panel.style.top = `${box.bottom + height + 8 > innerHeight ? Math.max(8, box.top - height - 4) : box.bottom + 4}px`;
}

/** Opens the menu of a message at a button, or where the pointer is. */
export async function openMenu(message, anchor, point = null) {
  if (panel) close();
  back = point ? null : anchor;
  const commands = (await tryTo(commandsIn(message.channel_id))) ?? [];
  panel = el("div", { class: "menu", role: "menu", "aria-label": t("Message") });
  clear(panel, entries(message, commands));
  document.body.append(panel);
  put(anchor, point);
  panel.querySelector("button")?.focus();
  panel.addEventListener("keydown", (event) => {
    const buttons = [...panel.querySelectorAll("button")];
    const now = buttons.indexOf(document.activeElement);
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move) { event.preventDefault(); buttons[(now + move + buttons.length) % buttons.length].focus(); }
    if (event.key === "Escape" || event.key === "Tab") { event.preventDefault(); close(); }
  });
  document.addEventListener("pointerdown", outside, true);
}

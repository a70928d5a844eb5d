// Servers, channels, and who one is.

import { avatar, clear, el, icon, iconButton } from "./dom.js";
import { changed, guildHere, here, me, on, store } from "./store.js";
import { t } from "./words.js";

const servers = document.getElementById("servers");
const head = document.getElementById("side-head");
const rooms = document.getElementById("channels");
const mine = document.getElementById("me");
const side = document.getElementById("side");
const shade = document.getElementById("side-shade");
const THREADS = [10, 11, 12], DM = 1;
const SIGNS = { 1: "at", 2: "voice", 5: "news", 10: "thread", 11: "thread", 12: "thread", 13: "stage", 15: "forum", 16: "forum" };
const LANGUAGES = ["en-US", "en-GB", "de", "es-ES", "fr", "it", "nl", "pl", "pt-BR", "ja"];
const SPOKEN = { 2: "voice channel", 5: "announcement channel", 10: "thread", 11: "thread", 12: "private thread", 13: "stage" };

/** The sign of a kind of channel. */
export const signOf = (channel) => SIGNS[channel.type] ?? "hash";

/** Draws a part anew and leaves the keyboard where it was in it. */
function redraw(node, ...children) {
  const held = node.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  clear(node, ...children);
  if (held) node.querySelector(`[data-key="${CSS.escape(held)}"]`)?.focus();
}

const initials = (name) => name.split(/\s+/).slice(0, 2).map((word) => (/^\d+$/.test(word) ? word : [...word][0])).join("");

export function openSide(open) {
  side.classList.toggle("open", open);
  servers.classList.toggle("open", open);
  shade.hidden = !open;
}
shade.addEventListener("click", () => openSide(false));

function go(channel) {
  openSide(false);
  changed("go", channel.id);
}

function serverButton(label, sign, list, current) {
  const unread = list.some((one) => store.unread.has(one.id));
  return el("button", { type: "button", data: { key: label }, class: `server ${current ? "current" : ""} ${unread ? "unread" : ""}`, "aria-label": label, title: label, "aria-current": current ? "true" : null,
    on: { click: () => list[0] && changed("go", (list.find((one) => one.id === store.lastIn?.[label]) ?? list[0]).id) } }, sign);
}

function drawServers() {
  const now = here();
  redraw(servers,
    serverButton(t("Direct messages"), el("img", { src: "/static/icon.svg", alt: "" }), store.state.dms, now?.guild === null),
    el("hr"),
    store.state.guilds.map((guild) => serverButton(guild.name, el("span", { class: "sign", data: { sign: initials(guild.name) } }), guild.channels, guild.id === now?.guild)));
}

function room(channel) {
  const current = channel.id === store.channel;
  const name = [channel.type === DM ? null : `#${channel.name}`, SPOKEN[channel.type] ? t(SPOKEN[channel.type]) : null, channel.nsfw ? t("age-restricted") : null].filter(Boolean).join(", ");
  return el("button", { type: "button", data: { key: channel.id }, class: `channel ${current ? "current" : ""} ${store.unread.has(channel.id) ? "unread" : ""} ${THREADS.includes(channel.type) ? "thread" : ""}`,
    "aria-current": current ? "page" : null, "aria-label": name || channel.name, on: { click: () => go(channel) } },
  channel.type === DM ? avatar(store.state.bot, "small") : icon(signOf(channel)), el("span", {}, channel.name), channel.nsfw ? el("small", { class: "tag plain sign", data: { sign: "18+" } }) : null);
}

/** What holds no messages of its own: a category, or a forum above its posts. */
function heading(place) {
  return place.type === 4 ? el("h2", { class: "category" }, place.name)
    : el("div", { class: "channel heading" }, icon(signOf(place)), el("span", {}, place.name));
}

function below(list, parent) {
  return list.filter((one) => one.parent === parent).flatMap((one) => [one, ...below(list, one.id)]);
}

/** Every place of a server, each below the one it belongs to. */
function inOrder(list) {
  const known = new Set(list.map((one) => one.id));
  return below(list.map((one) => ({ ...one, parent: known.has(one.parent) ? one.parent : null })), null);
}

function drawRooms() {
  const guild = guildHere();
  clear(head, el("h1", {}, guild ? guild.name : t("Direct messages")),
    guild && !guild.has_bot ? el("small", {}, t("The bot is no member here")) : null);
  const open = new Map((guild ? guild.channels : store.state.dms).map((one) => [one.id, one]));
  redraw(rooms, inOrder(guild ? guild.places : store.state.dms).map((one) => (open.has(one.id) ? room(open.get(one.id)) : heading(one))));
}

let chooser = null;

const MOST_PLACES = 3;

/** What one is on a server, in a word: “Admins”, “owner”, “member”. */
const rank = (there) => (there.owner ? t("owner") : there.roles.join(", ") || t("member"));

/** What one is on the server that is open. */
function standing(person) {
  const there = person.standings.find((one) => one.guild === guildHere()?.id);
  return there ? rank(there) : person.username;
}

/** Who somebody is on the first servers, and on how many more they are. */
function note(person) {
  const places = person.standings.slice(0, MOST_PLACES).map((there) => t("{rank} in {server}", { rank: rank(there), server: there.server }));
  const more = person.standings.length - places.length;
  return [...places, more > 0 ? t("{count} more servers", { count: more }) : null, person.installed ? t("has the app installed") : null].filter(Boolean).join(" · ");
}

function drawMe() {
  const person = me();
  const open = el("button", { type: "button", class: "me-button", data: { key: "me" }, "aria-haspopup": "dialog", on: { click: choose } }, avatar(person, "small"),
    el("span", { class: "me-names" }, el("b", {}, el("span", { class: "unseen" }, t("You are ")), person.name), el("small", { title: note(person) }, standing(person), el("span", { class: "unseen" }, t(". Be somebody else")))), icon("swap"));
  redraw(mine, open, iconButton("sun", t("Dark or light"), turn, { data: { key: "theme" } }));
}

function choose() {
  chooser?.remove();
  const people = store.people.map((one) => el("button", { type: "button", class: `person ${one.id === me().id ? "current" : ""}`,
    on: { click: () => { chooser.close(); changed("become", one.id); } } }, avatar(one), el("span", {}, el("b", {}, one.name), el("small", {}, note(one)))));
  const spoken = LANGUAGES.includes(me().locale) ? LANGUAGES : [me().locale, ...LANGUAGES];
  const language = el("select", { on: { change: () => changed("speak", language.value) } }, spoken.map((one) =>
    el("option", { value: one, lang: one, selected: one === me().locale }, new Intl.DisplayNames([one], { type: "language" }).of(one))));
  chooser = el("dialog", { class: "people", "aria-label": t("Be somebody else") }, el("header", {}, el("h2", {}, t("Who are you?")), iconButton("close", t("Close"), () => chooser.close())),
    el("p", {}, t("The same channels, seen by different people: try what a member may do, and what an admin may.")), people,
    el("label", { class: "language" }, t("Language of {name}", { name: me().name }), language));
  chooser.addEventListener("click", (event) => { if (event.target === chooser) chooser.close(); });
  document.body.append(chooser);
  chooser.showModal();
}

/** Where the keyboard goes after one became somebody else: to who one is, or where that is folded away, to the message box. */
export function focusMe() {
  const button = mine.querySelector(".me-button");
  if (side.checkVisibility({ visibilityProperty: true })) button.focus();
  else document.getElementById("composer-text").focus();
}

function turn() {
  const dark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const theme = dark ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  try { localStorage.setItem("sandbox-theme", theme); } catch { /* then it holds until the page is closed */ }
}

export function drawSide() {
  if (!store.state) return;
  drawServers();
  drawRooms();
  drawMe();
}

on("state", drawSide);
on("channel", drawSide);
on("unread", () => { drawServers(); drawRooms(); });

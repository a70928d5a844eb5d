// Servers, channels, and who one is.

import { avatar, clear, el, icon, iconButton } from "./dom.js";
import { changed, guildHere, here, me, on, store } from "./store.js";

const servers = document.getElementById("servers");
const head = document.getElementById("side-head");
const rooms = document.getElementById("channels");
const mine = document.getElementById("me");
const side = document.getElementById("side");
const shade = document.getElementById("side-shade");
const THREADS = [10, 11, 12], NEWS = 5, DM = 1;

const initials = (name) => name.split(/\s+/).map((word) => [...word][0]).join("").slice(0, 2);

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
  return el("button", { type: "button", class: `server ${current ? "current" : ""} ${unread ? "unread" : ""}`, "aria-label": label, title: label, "aria-current": current ? "true" : null,
    on: { click: () => list[0] && changed("go", (list.find((one) => one.id === store.lastIn?.[label]) ?? list[0]).id) } }, sign);
}

function drawServers() {
  const now = here();
  clear(servers,
    serverButton("Direct messages", el("img", { src: "/static/icon.svg", alt: "" }), store.state.dms, now?.guild === null),
    el("hr"),
    store.state.guilds.map((guild) => serverButton(guild.name, initials(guild.name), guild.channels, guild.id === now?.guild)));
}

function sign(channel) {
  if (channel.type === DM) return avatar(store.state.bot, "small");
  if (THREADS.includes(channel.type)) return icon("thread");
  return icon(channel.type === NEWS ? "news" : "hash");
}

function room(channel) {
  const current = channel.id === store.channel;
  const name = [channel.type === DM ? null : `#${channel.name}`, channel.nsfw ? "age-restricted" : null].filter(Boolean).join(", ");
  return el("button", { type: "button", class: `channel ${current ? "current" : ""} ${store.unread.has(channel.id) ? "unread" : ""} ${THREADS.includes(channel.type) ? "thread" : ""}`,
    "aria-current": current ? "page" : null, "aria-label": name || channel.name, on: { click: () => go(channel) } },
  sign(channel), el("span", {}, channel.name), channel.nsfw ? el("small", { class: "tag plain" }, "18+") : null);
}

function inOrder(list) {
  const tops = list.filter((one) => !one.parent || !list.some((other) => other.id === one.parent));
  return tops.flatMap((one) => [one, ...list.filter((other) => other.parent === one.id)]);
}

function drawRooms() {
  const guild = guildHere();
  clear(head, el("h1", {}, guild ? guild.name : "Direct messages"),
    guild && !guild.has_bot ? el("small", {}, "The bot is no member here") : null);
  clear(rooms, inOrder(guild ? guild.channels : store.state.dms).map(room));
}

let chooser = null;

/** What one is on the server that is open, such as “Admins” or “member”. */
function standing(person) {
  const server = guildHere()?.name;
  const there = person.note.split(" · ").find((part) => server && part.endsWith(` ${server}`));
  return there ? there.replace(/ (of|in) .*$/, "") : person.username;
}

function drawMe() {
  const person = me();
  const open = el("button", { type: "button", class: "me-button", "aria-haspopup": "dialog", on: { click: choose } }, avatar(person, "small"),
    el("span", { class: "me-names" }, el("b", {}, person.name), el("small", { title: person.note }, standing(person))), icon("swap"));
  open.setAttribute("aria-label", `You are ${person.name}. Be somebody else`);
  clear(mine, open, iconButton("sun", "Dark or light", turn));
}

function choose() {
  chooser?.remove();
  const people = store.people.map((one) => el("button", { type: "button", class: `person ${one.id === me().id ? "current" : ""}`,
    on: { click: () => { chooser.close(); changed("become", one.id); } } }, avatar(one), el("span", {}, el("b", {}, one.name), el("small", {}, one.note))));
  chooser = el("dialog", { class: "people", "aria-label": "Be somebody else" }, el("header", {}, el("h2", {}, "Who are you?"), iconButton("close", "Close", () => chooser.close())),
    el("p", {}, "The same channels, seen by different people: try what a member may do, and what an admin may."), people);
  chooser.addEventListener("click", (event) => { if (event.target === chooser) chooser.close(); });
  document.body.append(chooser);
  chooser.showModal();
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

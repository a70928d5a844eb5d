// Puts the page together: who one is, where one is, and what happens meanwhile.

import { composerFor } from "./composer.js";
import { toggleDrawer } from "./drawer.js";
import { clear, el, icon, iconButton, toast } from "./dom.js";
import { openForm } from "./form.js";
import { refresh, render, reveal } from "./messages.js";
import { act, actAs, ask, listen, tryTo } from "./net.js";
import { drawSide, focusMe, openSide, signOf } from "./sidebar.js";
import { changed, channels, commandsIn, forget, here, loadHistory, messagesOf, on, put, remove, store } from "./store.js";
import { pin } from "./welcome.js";
import { locale, t, written } from "./words.js";

const head = document.getElementById("head");
const banner = document.getElementById("banner");

function drawHead() {
  const channel = here();
  if (!channel) return;
  clear(head, iconButton("menu", t("Servers and channels"), () => openSide(true), { class: "icon-button only-narrow" }),
    icon(signOf(channel)), el("h2", {}, channel.name), channel.topic ? el("p", { class: "topic" }, channel.topic) : el("p", { class: "topic" }),
    channel.type === 1 ? null : pin(),
    el("button", { type: "button", class: "hood-button", "aria-label": t("Under the hood"), title: t("Under the hood"), on: { click: () => toggleDrawer() } }, icon("wire"), el("span", {}, t("Under the hood"))));
  document.title = `${channel.type === 1 ? "" : "#"}${channel.name} · ${store.state.bot.name} sandbox`;
}

function trouble() {
  if (store.online) return null;
  if (store.control?.running !== false) return t("The bot is not connected: commands will not be answered.");
  const code = store.control.exit_code;
  return code === null ? t("The bot is not running. Start it under the hood, in “Faults”.") : t("The bot is not running (exit code {code}). Start it under the hood, in “Faults”.", { code });
}

function drawBanner(text = null, kind = "") {
  const said = text ?? trouble();
  banner.className = said ? `shown ${kind}` : "";
  if (banner.textContent !== (said ?? "")) banner.textContent = said ?? "";
}

async function open(channelId) {
  if (!channels().some((one) => one.id === channelId)) return;
  store.channel = channelId;
  store.unread.delete(channelId);
  await tryTo(loadHistory(channelId));
  if (store.channel !== channelId) return;
  const guild = store.state.guilds.find((one) => one.channels.some((room) => room.id === channelId));
  store.lastIn = { ...store.lastIn, [guild?.name ?? t("Direct messages")]: channelId };
  history.replaceState(null, "", `#${store.state.viewer}/${channelId}`);
  drawHead();
  changed("channel");
  render();
  tryTo(commandsIn(channelId));
}

async function loadState() {
  const state = await tryTo(ask("state"));
  if (!state) return false;
  store.state = state;
  store.people = state.people;
  store.online = state.bot.online;
  store.control = state.control;
  changed("state");
  drawBanner();
  return true;
}

let met = false;

/** Becomes a person: everything is seen anew through their eyes, and in their language. */
async function become(id, channelId = null) {
  const before = channelId ?? store.channel;
  met = false;
  actAs(id);
  forget();
  if (!(await loadState())) return;
  listen(heard, () => drawBanner(t("The sandbox does not answer. Trying again…"), "bad"));
  const list = channels();
  store.channel = null;
  await open((list.find((one) => one.id === before) ?? list.find((one) => one.guild) ?? list[0]).id);
}

async function catchUp() {
  const channel = store.channel;
  store.messages.clear();
  store.loaded.clear();
  store.commands.clear();
  if (!(await loadState())) return;
  await tryTo(loadHistory(channel));
  render({ stay: true });
}

const HEARD = {
  hello: ({ online }) => {
    store.online = online;
    if (met) catchUp();
    met = true;
    drawBanner();
  },
  reload: () => catchUp(),
  message: ({ channel, message }) => {
    const isNew = !store.messages.get(channel)?.has(message.id);
    put(channel, message);
    if (message.private) store.heard.add(message.id);
    settle(message);
    if (channel !== store.channel) { if (isNew) { store.unread.add(channel); changed("unread"); } return; }
    if (isNew) render({ stay: message.author.id !== store.state.viewer }); else refresh(message);
    changed("message");
  },
  gone: ({ channel, id }) => {
    remove(channel, id);
    if (channel === store.channel) render({ stay: true });
  },
  form: ({ form }) => openForm(form),
  outcome: ({ outcome }) => settleOutcome(outcome),
  commands: () => { store.commands.clear(); if (store.channel) commandsIn(store.channel).then(() => changed("commands")); },
  channels: () => loadState().then(() => { if (!here()) open(channels()[0].id); else drawHead(); }),
  gateway: ({ online, bot }) => { store.online = online; store.control = bot ?? store.control; drawBanner(); changed("bot"); },
  wire: () => changed("wire"),
  faults: () => changed("faults"),
  typing: () => {},
};

function heard(message) {
  HEARD[message.type]?.(message);
}

/** A message that answers something takes away its “sending” line. */
function settle(message) {
  if (message.interaction && store.pending.delete(message.interaction)) store.outcomes.set(message.interaction, { ack_type: 4 });
}

function settleOutcome(outcome) {
  store.outcomes.set(outcome.id, outcome);
  if (store.outcomes.size > 500) store.outcomes.delete(store.outcomes.keys().next().value);
  for (const [key, id] of store.busy) {
    if (id === outcome.id) store.busy.delete(key);
  }
  const pending = store.pending.get(outcome.id);
  if (pending) {
    if (outcome.failed) pending.state = "failed"; else store.pending.delete(outcome.id);
    if (pending.channel === store.channel) render({ stay: !outcome.failed });
  }
  if (!outcome.source) return;
  if (outcome.failed && outcome.kind === 3) store.failures.set(outcome.source, t("This interaction failed"));
  const source = store.messages.get(outcome.channel)?.get(outcome.source);
  if (source) refresh(source);
}

on("started", ({ id, channel, label }) => {
  const known = store.outcomes.get(id);
  if (known && !known.failed) return;
  store.pending.set(id, { id, channel, label, state: known?.failed ? "failed" : "sending", after: messagesOf(channel).at(-1)?.id });
  if (channel === store.channel) render();
});
on("refresh", refresh);
on("go", open);
/** Somebody who writes times in another way, or speaks another language, has another page. */
function anew(id) {
  history.replaceState(null, "", `#${id}/${store.channel}`);
  sessionStorage.setItem("sandbox-focus", "me");
  location.reload();
}

on("become", (id) => {
  if (written(store.people.find((one) => one.id === id).locale) !== locale) { anew(id); return; }
  become(id).then(() => { focusMe(); changed("became"); });
});
on("speak", async (language) => {
  if (await tryTo(act("language", { locale: language }))) anew(store.state.viewer);
});
on("message-gone", (message) => { remove(message.channel_id, message.id); render({ stay: true }); });
on("jump", async ({ channelId, messageId }) => {
  if (channelId !== store.channel) {
    if (!channels().some((one) => one.id === channelId)) { toast(t("You cannot see that channel."), "bad"); return; }
    await open(channelId);
  }
  if (messageId && !reveal(messageId)) toast(t("That message no longer exists."), "bad");
});
window.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || document.querySelector("dialog[open]") || event.defaultPrevented) return;
  openSide(false);
  document.getElementById("composer-text").focus();
});

async function start() {
  const [person, channel] = location.hash.slice(1).split("/");
  const found = await tryTo(ask("people", {}));
  if (!found) { drawBanner(t("The sandbox does not answer."), "bad"); return; }
  const first = found.people.find((one) => one.id === person) ?? found.people[0];
  await become(first.id, channel);
  drawSide();
  composerFor();
  if (document.activeElement !== document.body) { /* somebody was quicker */ }
  else if (sessionStorage.getItem("sandbox-focus") === "me") focusMe();
  else document.getElementById("composer-text").focus();
  sessionStorage.removeItem("sandbox-focus");
  changed("became");
}

for (const node of document.body.querySelectorAll("[aria-label], .skip, #to-newest")) {
  if (node.ariaLabel) node.ariaLabel = t(node.ariaLabel); else node.textContent = t(node.textContent);
}

start();

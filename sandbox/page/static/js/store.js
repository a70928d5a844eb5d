// What this tab knows: the person it is, the servers, the messages it has seen, and what is under way.

import { ask } from "./net.js";

export const store = {
  people: [],
  state: null,
  channel: null,
  messages: new Map(),
  loaded: new Set(),
  commands: new Map(),
  pending: new Map(),
  outcomes: new Map(),
  busy: new Map(),
  failures: new Map(),
  unread: new Set(),
  heard: new Set(),
  online: true,
};

const listeners = new Map();

/** Calls back when a part (`state`, `channel`, `messages`, `message`, `bot`, `wire`, `faults`, `commands`) changed. */
export function on(part, listener) {
  listeners.set(part, [...(listeners.get(part) ?? []), listener]);
}

export function changed(part, detail) {
  for (const listener of listeners.get(part) ?? []) listener(detail);
}

export const me = () => store.people.find((one) => one.id === store.state?.viewer);

export function channels() {
  return [...(store.state?.guilds ?? []).flatMap((guild) => guild.channels), ...(store.state?.dms ?? [])];
}

export const here = () => channels().find((one) => one.id === store.channel) ?? null;
export const guildHere = () => store.state?.guilds.find((one) => one.id === here()?.guild) ?? null;

const CATEGORY = 4;

/** The channels of the server that one may choose where these kinds are asked for (none: all but categories). */
export function rooms(kinds) {
  const places = guildHere()?.places ?? [];
  return places.filter((one) => (kinds?.length ? kinds.includes(one.type) : one.type !== CATEGORY)).map((one) => ({ value: one.id, label: `#${one.name}` }));
}

/** The messages of a channel, oldest first. */
export function messagesOf(channelId) {
  return [...(store.messages.get(channelId)?.values() ?? [])].sort((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1));
}

export function put(channelId, message) {
  if (!store.messages.has(channelId)) store.messages.set(channelId, new Map());
  store.messages.get(channelId).set(message.id, message);
}

export function remove(channelId, id) {
  store.messages.get(channelId)?.delete(id);
}

/** What was written in a channel; of private messages, as in Discord, only those that came since the page was opened. */
export async function loadHistory(channelId) {
  if (store.loaded.has(channelId)) return;
  const { messages } = await ask("history", { channel: channelId });
  for (const message of messages) if (!message.private || store.heard.has(message.id)) put(channelId, message);
  store.loaded.add(channelId);
}

/** The commands on offer in a channel, from the bot's own registration. */
export async function commandsIn(channelId) {
  if (!store.commands.has(channelId)) store.commands.set(channelId, (await ask("commands", { channel: channelId })).commands);
  return store.commands.get(channelId);
}

export function forget() {
  for (const part of ["messages", "loaded", "commands", "pending", "outcomes", "busy", "failures", "unread"]) store[part].clear();
}

/** How to call what messages mention. */
export const names = {
  user: (id) => (findPerson(id) ?? guildHere()?.members.find((one) => one.id === id))?.name ?? "unknown",
  role: (id) => store.state?.guilds.flatMap((guild) => guild.roles).find((one) => one.id === id)?.name ?? "unknown role",
  channel: (id) => channels().find((one) => one.id === id)?.name ?? "unknown",
  jump: (channelId, messageId) => changed("jump", { channelId, messageId }),
};

export function findPerson(id) {
  if (store.state?.bot.id === id) return store.state.bot;
  return store.people.find((one) => one.id === id) ?? null;
}

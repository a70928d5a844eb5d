// Buttons, menus and the newer building blocks under a message.

import { attachments, picture, pictures } from "./attachments.js";
import { clear, el, hex, icon } from "./dom.js";
import { markdown } from "./markdown.js";
import { act, tryTo } from "./net.js";
import { Popup } from "./popup.js";
import { changed, guildHere, names, rooms, store } from "./store.js";
import { t } from "./words.js";

const STYLES = { 1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "link", 6: "primary" };
const ROW = 1, BUTTON = 2, SECTION = 9, TEXT = 10, THUMB = 11, GALLERY = 12, FILE = 13, RULE = 14, CONTAINER = 17;
const SHOWN = 25;
const SELECTS = { 3: "options", 5: "people", 6: "roles", 7: "both", 8: "channels" };

function emoji(one) {
  return one?.name ? el("span", { class: "emoji", "aria-hidden": one.id ? null : "true" }, one.id ? `:${one.name}:` : one.name) : null;
}

/** Marks a component as waiting for the bot until the outcome of its interaction comes. */
async function press(message, customId, deed) {
  const key = `${message.id} ${customId}`;
  if (store.busy.has(key)) return;
  store.failures.delete(message.id);
  store.busy.set(key, null);
  deed.before();
  const done = await tryTo(deed.send());
  const known = done && store.outcomes.get(done.interaction);
  if (!done || known?.ack_type || known?.failed) { store.busy.delete(key); deed.after(); changed("refresh", message); } else store.busy.set(key, done.interaction);
}

function button(one, message) {
  const inside = [emoji(one.emoji), one.label ? el("span", {}, one.label) : null];
  if (one.style === 5) {
    return el("a", { class: "button link", href: one.url, target: "_blank", rel: "noopener noreferrer" }, inside, icon("link"));
  }
  const node = el("button", {
    type: "button",
    class: `button ${STYLES[one.style] ?? "secondary"}`,
    disabled: one.disabled,
    data: { customId: one.custom_id ?? "" },
    "aria-label": one.label ? null : (one.emoji?.name ?? one.custom_id),
    on: {
      click: () => press(message, one.custom_id, {
        before: () => busy(node, true),
        after: () => busy(node, false),
        send: () => act("click", { channel: message.channel_id, message: message.id, custom_id: one.custom_id }),
      }),
    },
  }, inside);
  busy(node, store.busy.has(`${message.id} ${one.custom_id}`));
  return node;
}

function busy(node, is) {
  node.classList.toggle("busy", is);
  node.setAttribute("aria-busy", String(is));
}

/** What can be chosen in a menu of that kind: `{value, label, description, emoji, isDefault}`. */
export function choicesOf(menu) {
  const guild = guildHere();
  const people = (guild?.members ?? store.people).map((one) => ({ value: one.id, label: one.name, description: one.username }));
  const roles = (guild?.roles ?? []).map((one) => ({ value: one.id, label: `@${one.name.replace(/^@/, "")}` }));
  const sets = { people, roles, both: [...people, ...roles], channels: rooms(menu.channel_types) };
  if (SELECTS[menu.type] !== "options") return sets[SELECTS[menu.type]] ?? [];
  return menu.options.map((one) => ({ ...one, emoji: emoji(one.emoji), isDefault: one.default }));
}

/** A menu whose choice is handed to `chosen(values)` when its list closes. */
export function selectMenu(menu, { chosen, initial = null }) {
  const choices = choicesOf(menu);
  const least = menu.min_values ?? 1;
  const most = menu.max_values ?? 1;
  const defaults = (menu.default_values ?? []).map((one) => one.id);
  let filter = "";
  let picked = initial ?? choices.filter((one) => one.isDefault || defaults.includes(one.value)).map((one) => one.value);
  const shown = el("span", { class: "select-shown" });
  const name = menu.placeholder || t("Choose");
  const opener = el("button", { type: "button", class: "select-open", disabled: menu.disabled, role: "combobox", "aria-haspopup": "listbox", "aria-expanded": "false",
    "aria-label": name, data: { customId: menu.custom_id } }, shown, icon("down"));
  const host = el("div", { class: "select" }, opener);
  const popup = new Popup(host, { label: name, multiple: most > 1, on: take, input: opener });
  opener.setAttribute("aria-controls", popup.prefix);

  function show() {
    const labels = choices.filter((one) => picked.includes(one.value)).map((one) => one.label);
    clear(shown, most > 1 && labels.length ? labels.map((label) => el("span", { class: "chosen" }, label)) : document.createTextNode(labels[0] ?? name));
    shown.classList.toggle("empty", !labels.length);
    opener.setAttribute("aria-label", labels.length ? `${name}: ${labels.join(", ")}` : name);
  }
  /** Those that match what was typed, as many as Discord shows at once. */
  function items() {
    const found = choices.filter((one) => one.label.toLowerCase().includes(filter.toLowerCase())).slice(0, SHOWN);
    return found.map((one) => ({ id: one.value, label: one.label, about: one.description, before: one.emoji, picked: picked.includes(one.value) }));
  }
  function search(key) {
    filter = key === "Backspace" ? filter.slice(0, -1) : filter + key;
    const found = items();
    if (found.length) popup.show([{ ...found[0], head: filter ? `“${filter}”` : null }, ...found.slice(1)]); else popup.note(`“${filter}”: ${t("Nothing matches")}`);
  }
  function take(item) {
    if (most === 1) { picked = [item.id]; close(true); return; }
    const is = picked.includes(item.id);
    if (is) picked = picked.filter((value) => value !== item.id);
    else if (picked.length < most) picked = [...picked, item.id];
    show();
    popup.show(items(), popup.active);
  }
  function close(choose) {
    popup.hide();
    filter = "";
    opener.setAttribute("aria-expanded", "false");
    show();
    if (choose && picked.length >= least) chosen(picked);
  }
  opener.addEventListener("click", () => {
    if (popup.open) { close(most > 1); return; }
    popup.show(items(), Math.max(0, choices.findIndex((one) => picked.includes(one.value))));
    opener.setAttribute("aria-expanded", "true");
  });
  opener.addEventListener("keydown", (event) => {
    if (popup.open && event.key === "Escape") { event.stopPropagation(); event.preventDefault(); close(most > 1); }
    else if (popup.key(event)) event.preventDefault();
    else if (popup.open && !event.ctrlKey && !event.metaKey && (event.key === "Backspace" || (event.key.length === 1 && (filter || event.key !== " ")))) { event.preventDefault(); search(event.key); }
  });
  opener.addEventListener("blur", () => setTimeout(() => { if (popup.open && !host.contains(document.activeElement)) close(most > 1); }, 120));
  show();
  return host;
}

function select(menu, message) {
  const host = selectMenu(menu, {
    chosen: (values) => press(message, menu.custom_id, {
      before: () => host.classList.add("busy"),
      after: () => host.classList.remove("busy"),
      send: () => act("select", { channel: message.channel_id, message: message.id, custom_id: menu.custom_id, values }),
    }),
  });
  host.classList.toggle("busy", store.busy.has(`${message.id} ${menu.custom_id}`));
  return host;
}

/** Covers what is marked as a spoiler until somebody wants to see it. */
function covered(node) {
  const veil = el("button", { type: "button", class: "veil", "aria-label": t("Spoiler, press to show"), on: { click: () => { node.classList.remove("covered"); veil.remove(); } } }, t("Spoiler"));
  node.classList.add("covered");
  node.append(veil);
  return node;
}

function media(one, message) {
  const listed = message.attachments.find((file) => file.url === one.media.url);
  return { ...one.media, ...listed, description: one.description ?? listed?.description, spoiler: one.spoiler };
}

function gallery(one, message) {
  return pictures(one.items.map((item) => media(item, message)));
}

const DRAW = {
  [ROW]: (one, message) => el("div", { class: "row" }, one.components.map((inner) => component(inner, message))),
  [BUTTON]: button,
  [SECTION]: (one, message) => el("div", { class: "section" },
    el("div", { class: "section-text" }, one.components.map((inner) => component(inner, message))), component(one.accessory, message)),
  [TEXT]: (one) => el("div", { class: "content" }, markdown(one.content, names)),
  [THUMB]: (one, message) => { const file = media(one, message); return picture(file, [file], "thumb"); },
  [GALLERY]: gallery,
  [FILE]: (one) => {
    const card = el("div", { class: "held" }, attachments([{ filename: one.name ?? "file", size: one.size, url: one.file.url }]));
    return one.spoiler ? covered(card) : card;
  },
  [RULE]: (one) => el("hr", { class: one.spacing === 2 ? "wide" : "", hidden: one.divider === false }),
  [CONTAINER]: (one, message) => {
    const inside = one.components.map((inner) => component(inner, message));
    const box = el("div", { class: one.accent_color === null ? "container" : "container accent" }, inside);
    if (one.accent_color !== null) box.style.setProperty("--bar", hex(one.accent_color) || "#000");
    return one.spoiler ? covered(box) : box;
  },
};

/** One component of a message as an element. */
export function component(one, message) {
  if (SELECTS[one.type]) return select(one, message);
  return DRAW[one.type]?.(one, message) ?? el("small", { class: "subtext" }, t("(component {type})", { type: one.type }));
}

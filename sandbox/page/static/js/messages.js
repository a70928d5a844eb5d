// The messages of a channel, as Discord draws them; each is replaced when it changes, and only then.

import { attachments } from "./attachments.js";
import { component } from "./components.js";
import { avatar, clear, el, hex, icon, iconButton } from "./dom.js";
import { embedCard } from "./embeds.js";
import { inline, markdown } from "./markdown.js";
import { openMenu } from "./menu.js";
import { act, tryTo } from "./net.js";
import { welcomeCard } from "./welcome.js";
import { changed, here, messagesOf, names, store } from "./store.js";
import { clock } from "./time.js";
import { locale, t } from "./words.js";

const list = document.getElementById("messages");
const scroller = document.getElementById("scroller");
const newest = document.getElementById("to-newest");
const GROUP_MS = 7 * 60 * 1000;

function nameOf(person) {
  const node = el("span", { class: "name" }, person.name);
  if (person.color) node.style.color = hex(person.color);
  return node;
}

/** The line above an answer: who used which command, or what it replies to. */
function origin(message) {
  if (message.used) {
    const { user, command, slash, options, target } = message.used;
    const shown = options.map((one) => `${one.name}: ${one.value}`).join("\n");
    const go = () => changed("jump", { channelId: message.channel_id, messageId: target });
    return el("div", { class: "origin" }, icon("reply"), avatar(user, "tiny"), el("b", {}, user.name), t(" used "),
      target ? el("button", { type: "button", class: "as-link mention", on: { click: go }, title: t("Show the message") }, command)
        : el("span", { class: "mention", title: shown || null }, slash ? `/${command}` : command));
  }
  if (!message.reply) return null;
  const source = store.messages.get(message.channel_id)?.get(message.reply);
  const go = () => changed("jump", { channelId: message.channel_id, messageId: message.reply });
  const text = source ? source.content || (source.attachments.length ? t("Click to see attachment") : t("Click to see message")) : t("Original message was deleted");
  return el("button", { type: "button", class: "origin as-link", on: { click: go } }, icon("reply"),
    source ? el("b", {}, source.author.name) : null, " ", inline(text.slice(0, 120), names));
}

function body(message) {
  if (message.loading) {
    return [el("div", { class: "thinking" }, el("span", { class: "dots", "aria-hidden": "true" }, el("i"), el("i"), el("i")), t("{name} is thinking…", { name: message.author.name }))];
  }
  const edited = message.edited_timestamp && message.content ? el("small", { class: "edited", title: message.edited_timestamp }, t(" (edited)")) : null;
  const alt = message.attachments[0]?.description;
  return [
    message.content ? el("div", { class: "content" }, markdown(message.content, names), edited) : null,
    message.flags & 32768 ? null : attachments(message.attachments),
    message.flags & 4 ? null : message.embeds.map((one) => embedCard(one, names, alt)),
    message.components.length ? el("div", { class: "components" }, message.components.map((one) => component(one, message))) : null,
  ];
}

function footers(message) {
  const failure = store.failures.get(message.id);
  const away = () => { changed("message-gone", message); tryTo(act("delete", { channel: message.channel_id, message: message.id })); };
  return [
    failure ? el("div", { class: "failure" }, failure) : null,
    message.private ? el("div", { class: "private-note" }, icon("eye"), t("Only you can see this"), message.loading ? null
      : [" · ", el("button", { type: "button", class: "as-link", on: { click: away } }, t("Dismiss message"))]) : null,
  ];
}

function toolbar(message) {
  const open = (event) => openMenu(message, event.currentTarget);
  const wire = () => changed("inspect", message.interaction);
  return el("div", { class: "toolbar" },
    message.interaction ? iconButton("wire", t("What went over the wire"), wire) : null,
    iconButton("more", t("Apps and more for this message"), open, { "aria-haspopup": "menu" }));
}

function isGrouped(message, before) {
  if (!before || message.used || message.reply || before.private !== message.private) return false;
  return before.author.id === message.author.id && new Date(message.timestamp) - new Date(before.timestamp) < GROUP_MS;
}

function draw(message, before) {
  const grouped = isGrouped(message, before);
  const node = el("li", { class: `message ${grouped ? "grouped" : ""} ${message.private ? "private" : ""}`, id: `m${message.id}`,
    data: { messageId: message.id }, tabindex: "-1", "aria-label": `${message.author.name}, ${new Date(message.timestamp).toLocaleTimeString(locale)}` },
  origin(message),
  grouped ? null : avatar(message.author),
  el("div", { class: "inside" },
    grouped ? null : el("div", { class: "byline" }, nameOf(message.author), message.author.bot ? el("span", { class: "tag" }, "APP") : null, clock(message.timestamp)),
    body(message), footers(message)),
  toolbar(message));
  node.addEventListener("contextmenu", (event) => {
    if (event.target.closest("a, input, textarea") || String(getSelection())) return;
    event.preventDefault();
    openMenu(message, node, { x: event.clientX, y: event.clientY });
  });
  return node;
}

function drawPending(one) {
  const failed = one.state === "failed";
  const away = () => { store.pending.delete(one.id); render(); };
  return el("li", { class: `message pending ${failed ? "failed" : ""}` }, avatar(store.state.bot),
    el("div", { class: "inside" },
      el("div", { class: "byline" }, nameOf(store.state.bot), el("span", { class: "tag" }, "APP")),
      failed ? el("div", { class: "failure" }, t("The application did not respond"), " · ", el("button", { type: "button", class: "as-link", on: { click: away } }, t("Dismiss")))
        : el("div", { class: "thinking" }, t("Sending {label}…", { label: one.label }))));
}

let follows = true;
let lastTop = 0;
const atFoot = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 90;
const toFoot = () => { scroller.scrollTop = scroller.scrollHeight; follows = true; newest.hidden = true; };

/** Draws the whole channel anew. */
export function render({ stay = false } = {}) {
  const keep = stay && !follows;
  const top = scroller.scrollTop;
  const messages = messagesOf(store.channel);
  const waiting = [...store.pending.values()].filter((one) => one.channel === store.channel);
  const after = (id) => waiting.filter((one) => one.after === id).map(drawPending);
  const rows = messages.map((message, index) => [draw(message, messages[index - 1]), after(message.id)]);
  const homeless = waiting.filter((one) => !messages.some((message) => message.id === one.after)).map(drawPending);
  clear(list, beginning(), rows, homeless);
  if (keep) scroller.scrollTop = top; else toFoot();
}

function beginning() {
  const channel = here();
  if (!channel) return null;
  const dm = channel.type === 1;
  return el("li", { class: "beginning" }, el("h2", {}, dm ? channel.name : t("Welcome to #{name}", { name: channel.name })),
    el("p", {}, dm ? t("Your direct messages with the bot. ") : `${(channel.topic ?? t("This is the beginning of the channel")).replace(/[.!]?$/, ".")} `,
      t("Type "), el("button", { type: "button", class: "as-link mention", on: { click: () => changed("type", "/") } }, "/"), t(" to see what the bot can do.")),
    dm ? null : welcomeCard());
}

/** Draws one message anew as it is now, keeping the place of the reader and of the keyboard. */
export function refresh({ id, channel_id: channel }) {
  const message = store.messages.get(channel)?.get(id);
  if (!message || channel !== store.channel) return;
  const old = document.getElementById(`m${id}`);
  if (!old) { render({ stay: true }); return; }
  const focus = old.contains(document.activeElement) ? document.activeElement.dataset.customId : null;
  const messages = messagesOf(store.channel);
  const index = messages.findIndex((one) => one.id === message.id);
  const node = draw(message, messages[index - 1]);
  old.replaceWith(node);
  if (focus) node.querySelector(`[data-custom-id="${CSS.escape(focus)}"]`)?.focus();
  if (follows) toFoot();
}

/** Shows a message of this channel and flashes it. */
export function reveal(messageId) {
  const node = document.getElementById(`m${messageId}`);
  if (!node) return false;
  node.scrollIntoView({ block: "center", behavior: "smooth" });
  node.classList.add("flash");
  node.focus({ preventScroll: true });
  setTimeout(() => node.classList.remove("flash"), 2000);
  return true;
}

/** One reads further up only by going there oneself: what grows, or a browser that puts a page back, does not count. */
let hand = 0;
const HAND_MS = { wheel: 1000, touchmove: 2000, keydown: 1000, pointerdown: 10000 };
for (const [kind, ms] of Object.entries(HAND_MS)) {
  // a press counts only on the scroll bar: one on a button is no wish to read further up
  scroller.addEventListener(kind, (event) => { if (kind !== "pointerdown" || event.target === scroller) hand = Math.max(hand, performance.now() + ms); }, { passive: true });
}
scroller.addEventListener("scroll", () => {
  if (atFoot()) follows = true; else if (scroller.scrollTop < lastTop && performance.now() < hand) follows = false;
  lastTop = scroller.scrollTop;
  newest.hidden = follows;
}, { passive: true });
newest.addEventListener("click", toFoot);
const grown = new ResizeObserver(() => { if (follows) toFoot(); });
grown.observe(scroller);
grown.observe(list);


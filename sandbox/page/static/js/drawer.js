// Under the hood: what really went over the wire, the ledger, and switches for everything that can go wrong.

import { clear, el, icon, iconButton, toast } from "./dom.js";
import { act, ask, tryTo } from "./net.js";
import { on, store } from "./store.js";
import { t } from "./words.js";

const drawer = document.getElementById("drawer");
const TABS = [["wire", "On the wire"], ["ledger", "Ledger"], ["faults", "Faults"]];
let tab = "wire";
let about = null;
let drawn = null;
let waiting = null;
const opened = new Set();

const body = el("div", { class: "drawer-body", role: "tabpanel", tabindex: "0" });
const tabs = el("div", { class: "tabs", role: "tablist" }, TABS.map(([id, label]) =>
  el("button", { type: "button", role: "tab", id: `tab-${id}`, class: "tab", on: { click: () => { tab = id; draw(); } } }, t(label))));
tabs.addEventListener("keydown", (event) => {
  const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!move) return;
  tab = TABS[(TABS.findIndex(([id]) => id === tab) + move + TABS.length) % TABS.length][0];
  draw();
  document.getElementById(`tab-${tab}`).focus();
});
drawer.append(el("header", {}, el("h2", {}, t("Under the hood")), iconButton("close", t("Close"), () => toggleDrawer(false))), tabs, body);

export function toggleDrawer(open = drawer.hidden) {
  drawer.hidden = !open;
  document.getElementById("app").classList.toggle("with-drawer", open);
  if (open) draw();
}

/** Opens the drawer at one of its tabs. */
export function toggleTo(wanted) {
  tab = wanted;
  toggleDrawer(true);
  document.getElementById(`tab-${tab}`).focus();
}

async function draw() {
  for (const one of tabs.children) {
    const is = one.id === `tab-${tab}`;
    one.setAttribute("aria-selected", String(is));
    one.tabIndex = is ? 0 : -1;
  }
  body.setAttribute("aria-labelledby", `tab-${tab}`);
  const foot = body.scrollHeight - body.scrollTop - body.clientHeight < 60;
  const part = { wire: drawWire, ledger: drawLedger, faults: drawFaults }[tab];
  const made = await tryTo(part());
  if (!made) return;
  clear(body, made);
  if (tab === "wire" && (foot || drawn !== tab)) body.scrollTop = body.scrollHeight;
  else if (drawn !== tab) body.scrollTop = 0;
  drawn = tab;
}

function filterLine() {
  if (!about) return el("p", { class: "drawer-about" }, t("Everything between Discord, the bot and the image service, newest last. Tokens are hidden."));
  return el("p", { class: "drawer-about" }, t("Only what belongs to one interaction. "), el("button", { type: "button", class: "as-link", on: { click: () => { about = null; draw(); } } }, t("Show everything")));
}

const LANES = { rest: "Bot → Discord", "gateway in": "Bot → gateway", "gateway out": "Discord → bot", attachment: "Bot ← file", "image service": "Bot → images" };

function pretty(value) {
  if (value === null || value === undefined) return null;
  return el("pre", { tabindex: "0" }, typeof value === "string" ? value : JSON.stringify(value, null, 2));
}

/** A title one can read: without long numbers, and with the command's name. */
function titleOf(one) {
  if (one.title !== "INTERACTION_CREATE") return one.title.replace(/\/(\d{15,}|…hidden…)(?=\/|$)/g, "/…").replace(/(\/…)+/g, "/…");
  const { type, data } = one.request ?? {};
  return `INTERACTION_CREATE · ${{ 2: data?.name, 3: `press ${data?.custom_id}`, 4: `completion for ${data?.name}`, 5: `form ${data?.custom_id}` }[type] ?? ""}`;
}

function entry(one) {
  const bad = one.status === 0 || one.status >= 400 || one.notes.length;
  const facts = [one.status === 0 ? t("dropped") : one.status, one.took_ms ? `${one.took_ms} ms` : null].filter(Boolean).join(" · ");
  const node = el("details", { class: `entry lane-${one.lane.replace(" ", "-")} ${bad ? "bad" : ""}`, open: opened.has(one.key) },
    el("summary", {}, el("span", { class: "lane" }, t(LANES[one.lane] ?? one.lane)), el("span", { class: "entry-title", title: one.title }, titleOf(one)), el("span", { class: "entry-facts" }, facts)),
    one.notes.length ? el("div", {}, el("h3", {}, t("Against the API description")), pretty(one.notes)) : null,
    one.request ? el("div", {}, el("h3", {}, one.lane === "gateway out" ? t("Event") : t("Request")), pretty(one.request)) : null,
    one.files?.length ? el("div", {}, el("h3", {}, t("Files")), pretty(one.files)) : null,
    one.answer ? el("div", {}, el("h3", {}, t("Answer")), pretty(one.answer)) : null);
  node.addEventListener("toggle", () => { if (node.open) opened.add(one.key); else opened.delete(one.key); });
  return node;
}

const HEARTBEATS = /^op (1|11)$/;

async function drawWire() {
  const { entries } = await ask("wire", about ? { interaction: about } : {});
  const shown = entries.filter((one) => !HEARTBEATS.test(one.title));
  return [filterLine(), shown.length ? el("div", { class: "entries" }, shown.map(entry)) : el("p", { class: "nothing" }, t("Nothing yet. Use a command."))];
}

const MONEY = /_micro_usd$/;
const dollars = (micro) => `$${(micro / 1e6).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 6 })}`;

function ledgerRow(row, index) {
  const money = row.charged_micro_usd ?? row.reserved_micro_usd;
  const shown = Object.entries(row).map(([key, value]) => {
    if (MONEY.test(key) && value !== null) return [key.replace(MONEY, ""), dollars(Number(value))];
    if (key.endsWith("_at") && Number(value) > 1e15) return [key, new Date(Number(value) / 1000).toISOString().replace("T", " ")];
    return [key, value];
  });
  return el("details", { class: "entry", open: index === 0 },
    el("summary", {}, el("span", { class: "lane" }, row.state ?? "row"), el("span", { class: "entry-title" }, row.model ?? row.id ?? ""),
      el("span", { class: "entry-facts" }, row.cost ?? (money === undefined || money === null ? "" : dollars(Number(money))))),
    el("table", {}, el("tbody", {}, shown.map(([key, value]) => el("tr", {}, el("th", { scope: "row" }, key.replaceAll("_", " ")),
      el("td", {}, value === null || value === "" ? "—" : typeof value === "object" ? JSON.stringify(value) : String(value)))))));
}

async function drawLedger() {
  const { rows } = await ask("ledger", about ? { interaction: about } : {});
  if (rows === null) return [el("p", { class: "nothing" }, t("This sandbox was started without a view of the ledger."))];
  const what = about ? filterLine() : el("p", { class: "drawer-about" }, t("Every job with its money, newest first: reserved before anything is sent, charged as the service reports."));
  if (!rows.length) return [what, el("p", { class: "nothing" }, t("No rows yet."))];
  return [what, el("div", { class: "entries" }, rows.map(ledgerRow))];
}

const SETTINGS = [["off", "Off"], ["once", "Once"], ["always", "Always"]];

function faultRow(one) {
  const set = async (setting) => { if (await tryTo(act("fault", { id: one.id, setting }))) draw(); };
  return el("div", { class: `fault ${one.setting}` }, el("div", {}, el("b", {}, t(one.label)), el("small", {}, t(one.about))),
    el("div", { class: "switch", role: "group", "aria-label": t(one.label) }, SETTINGS.map(([id, label]) =>
      el("button", { type: "button", "aria-pressed": String(one.setting === id), on: { click: () => set(id) } }, t(label)))));
}

function power(control, gateway) {
  const run = async (action) => {
    toast(t({ kill: "The bot was killed.", restart: "The bot is being started again…", start: "The bot is being started…" }[action]));
    if (await tryTo(act("bot", { do: action }))) draw();
  };
  const drop = () => tryTo(act("fault", { id: "gateway_drop", setting: "once" }));
  const button = (label, action, kind, when = true) => el("button", { type: "button", class: `button ${kind}`, disabled: !when, on: { click: () => run(action) } }, icon("power"), label);
  return [
    el("h3", {}, t("The bot itself")),
    control ? el("div", { class: "row" }, button(t("Kill"), "kill", "danger", control.running), button(t("Restart"), "restart", "secondary", control.running), button(t("Start"), "start", "success", !control.running))
      : el("p", { class: "nothing" }, t("The bot was not started by this sandbox.")),
    control?.last_lines ? el("div", { class: "last-lines" }, el("p", { class: "drawer-about" }, control.exit_code === null ? t("It ended. Its last lines:") : t("It ended with exit code {code}. Its last lines:", { code: control.exit_code })), pretty(control.last_lines)) : null,
    gateway ? el("div", { class: "row" }, el("button", { type: "button", class: "button secondary", on: { click: drop } }, t("Cut the gateway connection"))) : null,
    el("p", { class: "drawer-about" }, t("Buttons of old messages must work after a restart, and no paid picture may be lost.")),
  ];
}

async function drawFaults() {
  const { faults, control, gateway } = await ask("faults");
  const of = (where) => faults.filter((one) => one.where === where).map(faultRow);
  const any = faults.some((one) => one.setting !== "off");
  return [
    el("p", { class: "drawer-about" }, t("See how the bot behaves when things go wrong. “Once” meets the next call only. "),
      any ? el("button", { type: "button", class: "as-link", on: { click: async () => { await tryTo(act("fault", { id: "all", setting: "off" })); draw(); } } }, t("All off")) : null),
    ...power(control, gateway), el("h3", {}, t("The image service")), ...of("images"), el("h3", {}, t("Discord")), ...of("discord"),
  ];
}

function soon() {
  if (drawer.hidden || waiting) return;
  waiting = setTimeout(() => { waiting = null; if (tab !== "faults") draw(); }, 400);
}

on("wire", soon);
on("message", soon);
on("bot", () => { if (!drawer.hidden && tab === "faults") draw(); });
on("faults", () => { if (!drawer.hidden && tab === "faults") draw(); });
on("inspect", (interaction) => { about = interaction; tab = "wire"; toggleDrawer(true); draw(); });
on("channel", () => { if (about && !store.channel) about = null; });

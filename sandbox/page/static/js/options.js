// The fields of a slash command: one editor an option, each checking as Discord's client checks.

import { bytes, clear, el, icon, iconButton, toast } from "./dom.js";
import { Popup } from "./popup.js";
import { guildHere, here, rooms, store } from "./store.js";
import { t } from "./words.js";

export const TYPE = { STRING: 3, INTEGER: 4, BOOLEAN: 5, USER: 6, CHANNEL: 7, ROLE: 8, MENTIONABLE: 9, NUMBER: 10, FILE: 11 };
const WAIT_MS = 140;
const SHOWN = 25;

function people() {
  const members = guildHere()?.members ?? [...store.people, store.state.bot];
  return members.map((one) => ({ label: one.name, about: one.username, value: one.id }));
}
const roles = () => (guildHere()?.roles ?? []).map((one) => ({ label: `@${one.name.replace(/^@/, "")}`, value: one.id }));

/** The fixed values an option has, or null where any text goes. */
function fixed(option) {
  if (option.choices?.length) return option.choices.map((one) => ({ label: one.name, value: one.value }));
  return {
    [TYPE.BOOLEAN]: () => [{ label: t("True"), value: true }, { label: t("False"), value: false }],
    [TYPE.USER]: people,
    [TYPE.ROLE]: roles,
    [TYPE.MENTIONABLE]: () => [...people(), ...roles()],
    [TYPE.CHANNEL]: () => rooms(option.channel_types),
  }[option.type]?.() ?? null;
}

/** Why a text does not fit an option, or null. */
function misfit(option, text) {
  const name = option.label;
  if (option.type === TYPE.STRING) {
    if (text.length < (option.min_length ?? 0)) return t("{name} needs at least {count} characters", { name, count: option.min_length });
    if (text.length > (option.max_length ?? 6000)) return t("{name} takes at most {count} characters", { name, count: option.max_length ?? 6000 });
    return null;
  }
  const whole = option.type === TYPE.INTEGER;
  const number = Number(text);
  if (!/^-?\d+(\.\d+)?$/.test(text.trim()) || (whole && !Number.isSafeInteger(number))) return t(whole ? "{name} must be a whole number" : "{name} must be a number", { name });
  if (option.min_value !== undefined && number < option.min_value) return t("{name} must be at least {count}", { name, count: option.min_value });
  if (option.max_value !== undefined && number > option.max_value) return t("{name} must be at most {count}", { name, count: option.max_value });
  return null;
}

function pill(option, inside, remove) {
  return el("span", { class: `pill ${option.required ? "required" : ""}`, role: "group", "aria-label": option.label, title: option.description, data: { option: option.name } },
    el("span", { class: "pill-name", "aria-hidden": "true" }, option.label), inside,
    option.required ? null : el("button", { type: "button", class: "pill-remove", tabindex: "-1", "aria-label": t("Remove {name}", { name: option.label }), on: { click: remove } }, "×"));
}

/** What the box around the editors does for them: complete, submit, next, remove, leave. */
class Editor {
  constructor(option, box) {
    this.option = option;
    this.box = box;
  }

  say(problem) {
    this.node.classList.toggle("wrong", Boolean(problem));
    if (problem) this.node.dataset.problem = problem; else delete this.node.dataset.problem;
    return problem;
  }
}

class TextEditor extends Editor {
  constructor(option, box) {
    super(option, box);
    this.fixed = fixed(option);
    this.picked = null;
    this.asked = 0;
    this.offeredFor = null;
    const id = `option-${option.name}`;
    this.input = el("textarea", { id, rows: "1", class: "pill-input", "aria-label": `${option.label}: ${option.description}`, "aria-required": String(Boolean(option.required)),
      autocomplete: "off", spellcheck: option.type === TYPE.STRING && !this.fixed ? "true" : "false",
      inputmode: { [TYPE.INTEGER]: "numeric", [TYPE.NUMBER]: "decimal" }[option.type] ?? null });
    this.grow = el("span", { class: "grow" }, this.input);
    this.node = pill(option, this.grow, () => box.remove(this));
    const wants = this.fixed || option.autocomplete;
    this.popup = wants ? new Popup(box.host, { label: option.label, on: (item) => this.take(item), input: this.input }) : null;
    if (wants) for (const [name, value] of [["role", "combobox"], ["aria-expanded", "false"], ["aria-autocomplete", "list"], ["aria-controls", this.popup.prefix]]) this.input.setAttribute(name, value);
    this.input.addEventListener("input", (event) => { if (event.data === ":" && this.turnsInto()) return; this.typed(); this.suggest(); });
    this.input.addEventListener("focus", () => { box.explain(option); this.suggest(); });
    this.input.addEventListener("blur", () => { this.hide(); if (this.input.value) this.value(); });
    this.input.addEventListener("keydown", (event) => this.key(event));
  }

  typed() {
    this.grow.dataset.value = this.input.value;
    if (this.picked && this.picked.label !== this.input.value) this.picked = null;
    this.say(null);
    this.box.changed();
  }

  /** Typing `name:` begins that option, and the option's own name before its text is taken as what it is. */
  turnsInto() {
    const found = /^(.*?)(?:^|\s)([^\s:]+):$/s.exec(this.input.value);
    if (!found) return false;
    const name = found[2].toLowerCase();
    if ([this.option.label, this.option.name].includes(name) && !found[1]) { this.set(""); return true; }
    if (!found[1] || !this.box.turn(name)) return false;
    this.set(found[1].trimEnd());
    this.hide();
    return true;
  }

  set(text) {
    this.input.value = text;
    this.typed();
  }

  hide() {
    clearTimeout(this.timer);
    this.asked += 1;
    if (!this.popup) return;
    this.popup.hide();
    this.input.setAttribute("aria-expanded", "false");
  }

  suggest() {
    if (!this.popup) return;
    const typed = this.input.value.trim().toLowerCase();
    if (this.fixed) {
      const whole = this.picked?.label === this.input.value;
      const found = this.fixed.filter((one) => whole || !typed || one.label.toLowerCase().includes(typed));
      this.list(found.slice(0, SHOWN), 0, t("Nothing matches"));
      return;
    }
    clearTimeout(this.timer);
    this.asked += 1;
    const turn = this.asked;
    this.timer = setTimeout(async () => {
      const answer = await this.box.complete(this.option.name, this.input.value);
      if (turn !== this.asked || document.activeElement !== this.input) return;
      if (!answer) { this.hide(); return; }
      this.offeredFor = this.input.value;
      if (answer.failed) this.list([], -1, t("The bot did not answer"));
      else this.list(answer.choices.map((one) => ({ label: one.name, value: one.value })), this.input.value ? 0 : -1, null);
    }, WAIT_MS);
  }

  list(found, active, nothing) {
    if (found.length) this.popup.show(found.map((one, index) => ({ ...one, id: index, picked: this.picked?.value === one.value })), active);
    else if (nothing) this.popup.note(nothing);
    else this.popup.hide();
    this.input.setAttribute("aria-expanded", String(this.popup.open));
  }

  take(item) {
    this.picked = { label: item.label, value: item.value };
    this.set(item.label);
    this.picked = { label: item.label, value: item.value };
    this.hide();
    this.box.next(this);
  }

  key(event) {
    if (event.key === "Enter" && this.isWhole()) this.hide();
    if (this.popup && !(event.key === "Tab" && !this.input.value) && this.popup.key(event)) { event.preventDefault(); return; }
    this.box.key(event, this);
  }

  /** Whether Enter has nothing to complete: the text is one of the offers, or they answer an older one. */
  isWhole() {
    const typed = this.input.value.trim().toLowerCase();
    const offers = this.fixed ?? this.popup?.items ?? [];
    return offers.some((one) => [one.label, String(one.value)].some((text) => text.toLowerCase() === typed)) || (!this.fixed && this.offeredFor !== this.input.value);
  }

  get empty() { return this.input.value === ""; }

  focus() { this.input.focus(); }

  /** `{value}`, or `{problem}`; marks the field. */
  value() {
    const text = this.input.value;
    if (!text.trim()) return { problem: this.say(t("{name} is required", { name: this.option.label })) };
    if (this.picked) { this.say(null); return { value: this.picked.value }; }
    if (this.fixed) {
      const found = this.fixed.find((one) => [one.label.toLowerCase(), one.label.replace(/^[@#]/, "").toLowerCase(), String(one.value).toLowerCase()].includes(text.trim().toLowerCase()));
      if (!found) return { problem: this.say(t("{name} must be one of the list", { name: this.option.label })) };
      this.say(null);
      return { value: found.value };
    }
    const problem = this.say(misfit(this.option, text));
    if (problem) return { problem };
    return { value: this.option.type === TYPE.STRING ? text : Number(text) };
  }
}

class FileEditor extends Editor {
  constructor(option, box) {
    super(option, box);
    this.file = null;
    this.chooser = el("input", { type: "file", class: "hidden-file", tabindex: "-1", "aria-label": t("File for {name}", { name: option.label }) });
    this.button = el("button", { type: "button", class: "pill-file", "aria-label": `${option.label}: ${t("{about}. Choose a file", { about: option.description })}` });
    this.node = pill(option, el("span", { class: "pill-file-box" }, this.button, this.chooser), () => box.remove(this));
    this.button.addEventListener("click", () => this.chooser.click());
    this.button.addEventListener("focus", () => box.explain(option));
    this.button.addEventListener("keydown", (event) => { if (!["Enter", " "].includes(event.key)) box.key(event, this); });
    this.chooser.addEventListener("change", () => { if (this.chooser.files[0]) this.take(this.chooser.files[0]); });
    this.draw();
  }

  take(file) {
    if (!fits(file)) return false;
    this.file = file;
    this.say(null);
    this.draw();
    this.box.changed();
    this.box.next(this);
    return true;
  }

  draw() {
    if (!this.file) { clear(this.button, icon("plus"), document.createTextNode(t("Choose or drop a file"))); return; }
    const preview = /^image\/(png|jpeg|webp|gif)$/.test(this.file.type) ? el("img", { alt: "", src: URL.createObjectURL(this.file), class: "pill-preview" }) : icon("file");
    preview.addEventListener?.("load", () => URL.revokeObjectURL(preview.src));
    clear(this.button, preview, document.createTextNode(`${this.file.name} · ${bytes(this.file.size)}`));
  }

  get empty() { return this.file === null; }

  focus() { this.button.focus(); }

  hide() { /* a file has no list */ }

  value() {
    if (!this.file) return { problem: this.say(t("{name} needs a file", { name: this.option.label })) };
    return { value: this.option.name, file: this.file };
  }
}

/** Whether a file may be uploaded here; says so if not. */
export function fits(file) {
  const limit = here()?.upload_limit ?? Infinity;
  if (file.size <= limit) return true;
  toast(t("{name} has {size}. A file may have at most {most} here.", { name: file.name, size: bytes(file.size), most: bytes(limit) }), "bad");
  return false;
}

export function editorFor(option, box) {
  return option.type === TYPE.FILE ? new FileEditor(option, box) : new TextEditor(option, box);
}

/** A file waiting to be sent with a message, with a button that takes it away. */
export function trayItem(file, remove) {
  const shown = /^image\/(png|jpeg|webp|gif)$/.test(file.type) ? el("img", { alt: "", src: URL.createObjectURL(file) }) : icon("file");
  return el("li", { class: "tray-item" }, shown, el("span", {}, file.name), el("small", {}, bytes(file.size)), iconButton("close", t("Remove {name}", { name: file.name }), remove));
}

// A slash command being filled in: its name, its options as pills, and the rest of them on offer.

import { clear, el, toast } from "./dom.js";
import { act, Refused, sentence, tryTo } from "./net.js";
import { editorFor, TYPE } from "./options.js";
import { Popup } from "./popup.js";
import { changed, store } from "./store.js";
import { t } from "./words.js";

/** Every runnable form of the chat commands: `{name, leaf, description}`; subcommands under their full name. */
export function runnable(commands) {
  return commands.filter((one) => one.type === 1).flatMap((command) => {
    const subs = (command.options ?? []).filter((one) => one.type === 1 || one.type === 2);
    if (!subs.length) return [{ name: command.name, label: command.label, leaf: command, description: command.description }];
    return subs.flatMap((sub) => (sub.type === 1 ? [[sub]] : (sub.options ?? []).map((inner) => [sub, inner]))).map((path) => ({
      name: [command.name, ...path.map((one) => one.name)].join(" "), label: [command.label, ...path.map((one) => one.label)].join(" "), leaf: path.at(-1), description: path.at(-1).description }));
  });
}

/** Option values in a typed line such as `prompt:a red fox size:1024x1024`; text before the first goes to the first option. */
export function parseLine(text, options) {
  const named = new Map(options.flatMap((one) => [[one.label, one.name], [one.name, one.name]]));
  const names = [...named.keys()].sort((a, b) => b.length - a.length);
  const values = {};
  if (!names.length) return values;
  const marks = [...text.matchAll(new RegExp(`(?:^|\\s)(${names.join("|")}):`, "g"))];
  const lead = text.slice(0, marks[0]?.index ?? text.length).trim();
  const first = options.find((one) => one.type === TYPE.STRING);
  if (lead && first) values[first.name] = lead;
  for (const [index, mark] of marks.entries()) {
    values[named.get(mark[1])] = text.slice(mark.index + mark[0].length, marks[index + 1]?.index ?? text.length).trim();
  }
  return values;
}

export class CommandBox {
  /** `host` holds lists above the box; `leave(text)` goes back to plain text. */
  constructor(host, { leave }) {
    this.host = host;
    this.leave = leave;
    this.pills = el("div", { class: "pills" });
    this.extra = el("textarea", { rows: "1", class: "pill-extra", "aria-label": t("Add an option"), role: "combobox", "aria-expanded": "false", autocomplete: "off", spellcheck: "false" });
    this.more = el("button", { type: "button", class: "pill-more", on: { click: () => this.extra.focus() } });
    this.help = el("div", { class: "help" });
    this.node = el("div", { class: "command", hidden: true }, this.help, this.pills);
    this.popup = new Popup(host, { label: t("Options"), on: (item) => this.add(item.option, true), input: this.extra });
    this.extra.addEventListener("input", () => this.typedExtra());
    this.extra.addEventListener("focus", () => { this.explain(null); this.offer(); });
    this.extra.addEventListener("blur", () => this.popup.hide());
    this.extra.addEventListener("keydown", (event) => this.keyExtra(event));
    this.editors = [];
    this.current = null;
    this.sending = false;
    this.calm = false;
  }

  get open() { return this.current !== null; }

  /** `calm`: whoever reads a command that was put here for them sees no list of options before they want one. */
  begin(found, values = {}, calm = false) {
    this.current = found;
    this.calm = calm;
    this.editors = [];
    clear(this.pills, el("span", { class: "command-name" }, `/${found.label}`), this.extra, this.more);
    this.extra.value = "";
    this.node.hidden = false;
    for (const option of found.leaf.options ?? []) {
      if (option.required || option.name in values) {
        const editor = this.add(option, false);
        if (option.name in values && editor.set) editor.set(values[option.name]);
      }
    }
    this.changed();
    const next = this.editors.find((one) => one.empty);
    (next ?? this.resting() ?? this.extraOrLast()).focus();
    this.explain(next?.option ?? null);
  }

  resting() { return this.calm ? this.editors.find((one) => one.set && !one.empty) : null; }

  extraOrLast() { return this.rest().length || !this.editors.length ? this.extra : this.editors.at(-1); }

  end() {
    for (const editor of this.editors) editor.hide();
    this.popup.hide();
    this.current = null;
    this.editors = [];
    this.node.hidden = true;
  }

  rest() {
    const used = new Set(this.editors.map((one) => one.option.name));
    return (this.current?.leaf.options ?? []).filter((one) => !used.has(one.name));
  }

  add(option, focus) {
    const editor = editorFor(option, this);
    this.editors.push(editor);
    this.pills.insertBefore(editor.node, this.extra);
    this.extra.value = "";
    this.popup.hide();
    if (focus) editor.focus();
    this.changed();
    return editor;
  }

  remove(editor) {
    if (editor.option.required) return;
    const at = this.editors.indexOf(editor);
    this.editors.splice(at, 1);
    editor.hide();
    editor.node.remove();
    (this.editors[at - 1] ?? this.extra).focus();
    this.changed();
  }

  /** Goes to the option of this name, adding it if need be; false if there is none or it is filled in. */
  turn(name) {
    const there = this.editors.find((one) => [one.option.label, one.option.name].includes(name));
    if (there) { if (there.empty) there.focus(); return there.empty; }
    const option = this.rest().find((one) => [one.label, one.name].includes(name));
    if (option) this.add(option, true);
    return Boolean(option);
  }

  changed() {
    const left = this.rest().length;
    this.extra.hidden = this.more.hidden = !left;
    this.more.textContent = t("+{count} more", { count: left });
    this.more.setAttribute("aria-label", t("{count} more options", { count: left }));
  }

  explain(option) {
    const text = option ? option.description : this.current?.description ?? "";
    clear(this.help, el("b", {}, option ? option.label : `/${this.current?.label ?? ""}`), ` ${text}`,
      option && !option.required ? el("span", { class: "optional" }, t("optional")) : null);
  }

  offer() {
    const typed = this.extra.value.trim().toLowerCase();
    const found = this.rest().filter((one) => [one.label, one.name].some((name) => name.includes(typed)));
    const items = found.map((one, index) => ({ id: one.name, option: one, label: one.label, about: one.description,
      head: index === 0 ? (typed ? t("Options that match") : t("Options")) : null }));
    if (typed && !items.length) this.popup.note(t("There is no such option")); else this.popup.show(items, typed ? 0 : -1);
    this.extra.setAttribute("aria-expanded", String(this.popup.open));
  }

  typedExtra() {
    const found = /^\s*([^\s:]+):(.*)$/s.exec(this.extra.value);
    const option = found && this.rest().find((one) => [one.label, one.name].includes(found[1].toLowerCase()));
    if (!option) { this.offer(); return; }
    const values = parseLine(this.extra.value, this.rest());
    const options = this.rest().filter((one) => one.name in values);
    let last = null;
    for (const one of options) { last = this.add(one, false); last.set?.(values[one.name]); }
    last?.focus();
  }

  keyExtra(event) {
    if (!(event.key === "Tab" && !this.extra.value) && this.popup.key(event)) { event.preventDefault(); return; }
    if (event.key === "Backspace" && !this.extra.value) {
      event.preventDefault();
      const last = this.editors.at(-1);
      if (last && !last.option.required) this.remove(last);
      else if (last) last.focus();
      else this.leave(`/${this.current.name}`);
      return;
    }
    this.key(event, null);
  }

  key(event, editor) {
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); this.submit(); return; }
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      const list = editor?.popup ?? this.popup;
      if (list.open && editor) editor.hide(); else this.leave("");
      return;
    }
    if (event.key === "Backspace" && editor?.empty) {
      event.preventDefault();
      if (!editor.option.required) this.remove(editor);
      else if (this.editors.indexOf(editor) === 0) this.leave(`/${this.current.name}`);
      else this.editors[this.editors.indexOf(editor) - 1].focus();
    }
  }

  next(editor) {
    const waiting = this.editors.find((one) => one !== editor && one.option.required && one.empty);
    if (waiting) waiting.focus(); else if (this.resting()) this.resting().focus(); else if (!this.extra.hidden) this.extra.focus(); else editor.focus();
  }

  /** Completions of an option from the bot, knowing what else is filled in; null when it could not be asked. */
  async complete(focused, typed) {
    const options = {};
    for (const editor of this.editors) {
      if (editor.option.name === focused || editor.empty || editor.option.type === TYPE.FILE) continue;
      const { value, problem } = editor.value();
      if (!problem) options[editor.option.name] = value;
    }
    try {
      return await act("complete", { channel: store.channel, name: this.current?.name ?? "", focused, typed, options });
    } catch (error) {
      if (error instanceof Refused) return null;
      throw error;
    }
  }

  /** Puts a dropped file where it belongs: the first empty file option, else the next one there is. */
  takeFile(file) {
    const waiting = this.editors.find((one) => one.option.type === TYPE.FILE && one.empty);
    if (waiting) return waiting.take(file);
    const option = this.rest().find((one) => one.type === TYPE.FILE);
    if (!option) { toast(t("/{name} takes no further file.", { name: this.current.label }), "bad"); return false; }
    const editor = this.add(option, false);
    if (editor.take(file)) return true;
    this.remove(editor);
    return false;
  }

  async submit() {
    if (this.sending) return;
    const typed = this.extra.value.trim();
    if (typed) { toast(t("There is no option “{name}”.", { name: typed }), "bad"); this.extra.focus(); return; }
    const options = {};
    const files = new Map();
    const problems = [];
    for (const editor of this.editors) {
      if (editor.empty && !editor.option.required) continue;
      const { value, file, problem } = editor.value();
      if (problem) { problems.push([problem, editor]); continue; }
      options[editor.option.name] = value;
      if (file) files.set(editor.option.name, file);
    }
    if (problems.length) {
      toast(sentence(problems.map(([text]) => text).join("; ")), "bad");
      problems[0][1].focus();
      return;
    }
    this.sending = true;
    const name = this.current.name;
    const channel = store.channel;
    const done = await tryTo(act("slash", { channel, name, options }, files));
    this.sending = false;
    if (!done) return;
    this.remember(name, options);
    this.leave("");
    changed("started", { id: done.interaction, channel, label: `/${name}` });
  }

  remember(name, options) {
    const words = Object.fromEntries(Object.entries(options).filter(([key]) => this.editors.find((one) => one.option.name === key)?.set).map(([key]) => [key, this.editors.find((one) => one.option.name === key).input.value]));
    CommandBox.last = { name, words };
  }
}

CommandBox.last = null;

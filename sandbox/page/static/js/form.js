// Forms the bot opens: text, menus, files and check boxes, sent as one.

import { selectMenu } from "./components.js";
import { bytes, clear, el, icon, iconButton, toast } from "./dom.js";
import { markdown } from "./markdown.js";
import { act, tryTo } from "./net.js";
import { fits } from "./options.js";
import { changed, names, store } from "./store.js";
import { t } from "./words.js";

const ROW = 1, TEXT_INPUT = 4, DISPLAY = 10, LABEL = 18, FILES = 19, RADIO = 21, CHECKS = 22, CHECK = 23;
const MENUS = [3, 5, 6, 7, 8];
let counted = 0;

function textField(one, id) {
  const shared = { id, class: "form-text", placeholder: one.placeholder, maxlength: one.max_length ?? 4000, minlength: one.min_length, required: one.required !== false };
  const input = one.style === 2 ? el("textarea", { ...shared, rows: "5" }) : el("input", { ...shared, type: "text" });
  input.value = one.value ?? "";
  const count = el("small", { class: "count", "aria-hidden": "true" });
  const tell = () => { count.textContent = `${input.value.length} / ${one.max_length ?? 4000}`; };
  input.addEventListener("input", tell);
  tell();
  return { node: el("div", { class: "form-text-box" }, input, one.style === 2 ? count : null), focus: input, read: () => ({ value: input.value }) };
}

function fileField(one, id) {
  let files = [];
  const most = one.max_values ?? 1;
  const chosen = el("ul", { class: "form-files" });
  const input = el("input", { id, type: "file", multiple: most > 1, class: "hidden-file", tabindex: "-1" });
  const button = el("button", { type: "button", class: "drop-field", on: { click: () => input.click() } }, icon("plus"),
    el("span", {}, t(most > 1 ? "Drop up to {count} files here, or choose them" : "Drop a file here, or choose one", { count: most })));
  const take = (list) => {
    for (const file of list) if (fits(file)) files = most === 1 ? [file] : [...files, file].slice(0, most);
    draw();
  };
  function draw() {
    clear(chosen, files.map((file) => el("li", {}, icon("file"), el("span", {}, file.name), el("small", {}, bytes(file.size)),
      iconButton("close", t("Remove {name}", { name: file.name }), () => { files = files.filter((other) => other !== file); draw(); }))));
  }
  input.addEventListener("change", () => { take(input.files); input.value = ""; });
  button.addEventListener("dragover", (event) => { event.preventDefault(); button.classList.add("over"); });
  button.addEventListener("dragleave", () => button.classList.remove("over"));
  button.addEventListener("drop", (event) => { event.preventDefault(); event.stopPropagation(); button.classList.remove("over"); take(event.dataTransfer.files); });
  const read = () => {
    const least = one.required === false ? 0 : one.min_values ?? 1;
    if (files.length < least) return { problem: t("a file is needed") };
    return { files };
  };
  return { node: el("div", {}, button, input, chosen), focus: button, read, take };
}

function menuField(one) {
  let values = (one.options ?? []).filter((option) => option.default).map((option) => option.value);
  const node = selectMenu(one, { chosen: (picked) => { values = picked; } });
  const read = () => {
    const least = one.required === false ? 0 : one.min_values ?? 1;
    return values.length < least ? { problem: t("a choice is needed") } : { value: values, skip: !values.length };
  };
  return { node, focus: node.querySelector("button"), read };
}

function tickField(one, id, kind) {
  const boxes = one.options.map((option) => el("input", { type: kind, name: id, value: option.value }));
  boxes.forEach((box, index) => { box.checked = Boolean(one.options[index].default); });
  const node = el("div", { class: "ticks" }, one.options.map((option, index) => el("label", {}, boxes[index],
    el("span", {}, option.label, option.description ? el("small", {}, option.description) : null))));
  const read = () => {
    const values = boxes.filter((box) => box.checked).map((box) => box.value);
    if (kind === "radio") return !values.length && one.required !== false ? { problem: t("a choice is needed") } : { value: values[0], skip: !values.length };
    return { value: values, skip: !values.length };
  };
  return { node, focus: boxes[0], read };
}

function checkField(one, id) {
  const box = el("input", { type: "checkbox", id });
  box.checked = Boolean(one.default);
  return { node: box, focus: box, read: () => ({ value: box.checked }) };
}

function field(one) {
  counted += 1;
  const id = `form-${counted}`;
  if (one.type === TEXT_INPUT) return { id, ...textField(one, id) };
  if (one.type === FILES) return { id, ...fileField(one, id) };
  if (MENUS.includes(one.type)) return { id, ...menuField(one) };
  if (one.type === RADIO || one.type === CHECKS) return { id, ...tickField(one, id, one.type === RADIO ? "radio" : "checkbox") };
  if (one.type === CHECK) return { id, ...checkField(one, id) };
  return null;
}

function block(label, description, one, fields) {
  const made = field(one);
  if (!made) return el("p", { class: "subtext" }, `(a field of kind ${one.type})`);
  fields.push({ ...made, one, label });
  const needed = one.required === false ? null : el("span", { class: "needed", "aria-hidden": "true" }, " *");
  const head = el("label", { class: "form-label", for: made.id }, label, needed);
  const wrong = el("p", { class: "form-wrong", role: "alert", hidden: true });
  fields.at(-1).wrong = wrong;
  if (!made.node.querySelector?.(`#${made.id}`) && made.node.id !== made.id) made.focus?.setAttribute("aria-label", label);
  return el("div", { class: "form-block" }, head, description ? el("p", { class: "form-about" }, description) : null, made.node, wrong);
}

function blocks(components, fields) {
  return components.flatMap((part) => {
    if (part.type === LABEL) return [block(part.label, part.description, part.component, fields)];
    if (part.type === ROW) return part.components.map((one) => block(one.label ?? one.custom_id, null, one, fields));
    if (part.type === DISPLAY) return [el("div", { class: "content" }, markdown(part.content, names))];
    return [];
  });
}

function gather(fields) {
  const values = {};
  const files = new Map();
  let first = null;
  for (const one of fields) {
    const { value, files: chosen, problem, skip } = one.read();
    one.wrong.hidden = !problem;
    one.wrong.textContent = problem ? `${one.label}: ${problem}.` : "";
    if (problem) { first = first ?? one; continue; }
    if (chosen) {
      values[one.one.custom_id] = chosen.map((file, index) => { const key = `${one.one.custom_id}#${index}`; files.set(key, file); return key; });
    } else if (!skip) values[one.one.custom_id] = value;
  }
  return { values, files, first };
}

/** Opens a form of the bot. */
export function openForm(form) {
  const fields = [];
  const dialog = el("dialog", { class: "form", "aria-labelledby": `title-${form.id}` });
  const inside = blocks(form.components, fields);
  const submit = el("button", { type: "submit", class: "button primary" }, t("Submit"));
  const body = el("form", { novalidate: true }, el("header", {}, el("h2", { id: `title-${form.id}` }, form.title), iconButton("close", t("Close"), () => dialog.close())),
    el("div", { class: "form-body" }, inside),
    el("footer", {}, el("button", { type: "button", class: "button plain", on: { click: () => dialog.close() } }, t("Cancel")), submit));
  body.addEventListener("submit", async (event) => {
    event.preventDefault();
    const invalid = body.querySelector(".form-text:invalid");
    if (invalid) { invalid.reportValidity(); return; }
    const { values, files, first } = gather(fields);
    if (first) { first.focus?.focus(); return; }
    submit.disabled = true;
    const done = await tryTo(act("form", { form: form.id, values }, files));
    submit.disabled = false;
    if (!done) return;
    dialog.close();
    changed("started", { id: done.interaction, channel: store.channel, label: form.title });
  });
  dialog.addEventListener("dragover", (event) => event.preventDefault());
  dialog.addEventListener("drop", (event) => {
    event.preventDefault();
    const target = fields.find((one) => one.take);
    if (target) target.take(event.dataTransfer.files); else toast(t("This form takes no file."), "bad");
  });
  dialog.addEventListener("close", () => dialog.remove());
  clear(dialog, body);
  document.body.append(dialog);
  dialog.showModal();
  fields[0]?.focus?.focus();
}

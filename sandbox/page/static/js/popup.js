// A list one chooses from with arrows, Enter or the pointer; it belongs to the field it hangs on.

import { clear, el } from "./dom.js";

let counted = 0;

/**
 * `items`: `{id, label, about, before, head, picked}`; `head` starts a group. `on(item)` is called with the chosen one.
 * With `input`, that field is told (aria) which item is active.
 */
export class Popup {
  constructor(host, { label, on, multiple = false, input = null }) {
    counted += 1;
    this.prefix = `popup-${counted}`;
    this.on = on;
    this.host = host;
    this.multiple = multiple;
    this.input = input;
    this.items = [];
    this.active = -1;
    this.list = el("ul", { id: this.prefix, class: "popup", role: "listbox", "aria-label": label, "aria-multiselectable": multiple ? "true" : null, hidden: true });
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    host.append(this.list);
  }

  get open() { return !this.list.hidden; }

  /** Shows these items; `active` is the index to begin at (-1: none). */
  show(items, active = 0) {
    this.items = items;
    this.active = items.length ? Math.min(active, items.length - 1) : -1;
    if (!items.length) { this.hide(); return; }
    clear(this.list, items.flatMap((item, index) => this.row(item, index)));
    this.list.hidden = false;
    this.place();
    this.mark();
  }

  /** A menu's list opens downward where it fits, upward where there is more room above. */
  place() {
    if (!this.host.classList.contains("select")) return;
    const room = this.host.closest("#scroller, .form-body").getBoundingClientRect();
    const box = this.host.getBoundingClientRect();
    const below = room.bottom - box.bottom - 8;
    const above = box.top - room.top - 8;
    this.list.style.maxHeight = "";
    const up = this.list.offsetHeight > below && above > below;
    this.list.classList.toggle("up", up);
    this.list.style.maxHeight = `${Math.max(120, Math.min(this.list.offsetHeight, up ? above : below))}px`;
  }

  /** A line that says why there is nothing to choose. */
  note(text) {
    this.items = [];
    this.active = -1;
    clear(this.list, el("li", { class: "popup-note", role: "presentation" }, text));
    this.list.hidden = false;
  }

  hide() {
    this.list.hidden = true;
    this.items = [];
    this.active = -1;
    this.input?.removeAttribute("aria-activedescendant");
  }

  row(item, index) {
    const row = el("li", {
      id: `${this.prefix}-${index}`,
      class: item.picked ? "popup-item picked" : "popup-item",
      role: "option",
      "aria-selected": String(this.multiple && Boolean(item.picked)),
      on: { click: () => this.on(item), mousemove: () => { if (this.active !== index) { this.active = index; this.mark(false); } } },
    }, item.before ?? null, el("span", { class: "popup-label" }, item.label),
    item.hint ? el("span", { class: "popup-hint" }, item.hint) : null,
    item.about ? el("span", { class: "popup-about" }, item.about) : null);
    return item.head ? [el("li", { class: "popup-head", role: "presentation" }, item.head), row] : [row];
  }

  mark(scroll = true) {
    for (const row of this.list.querySelectorAll(".popup-item")) {
      const is = row.id === `${this.prefix}-${this.active}`;
      row.classList.toggle("active", is);
      if (!this.multiple) row.setAttribute("aria-selected", String(is));
      if (is && scroll) row.scrollIntoView({ block: "nearest" });
    }
    if (this.active >= 0) this.input?.setAttribute("aria-activedescendant", `${this.prefix}-${this.active}`);
    else this.input?.removeAttribute("aria-activedescendant");
  }

  /** Handles a key; true when it was for the list. */
  key(event) {
    if (!this.open || !this.items.length || event.isComposing) return false;
    const move = { ArrowDown: 1, ArrowUp: -1, PageDown: 6, PageUp: -6 }[event.key];
    if (move) {
      const count = this.items.length;
      this.active = Math.abs(move) === 1 ? (this.active + move + count) % count : Math.max(0, Math.min(count - 1, this.active + move));
      this.mark();
      return true;
    }
    if ((event.key === "Enter" && !event.shiftKey) || event.key === "Tab" && !event.shiftKey) {
      if (this.active < 0) return false;
      this.on(this.items[this.active]);
      return true;
    }
    return false;
  }
}

// Files under a message: pictures in a grid, with their alt text; everything else as a card.

import { bytes, el, icon } from "./dom.js";
import { openViewer } from "./viewer.js";
import { t } from "./words.js";

const PICTURES = /^image\/(png|jpeg|webp|gif)\b/;

export function isPicture(file) {
  return PICTURES.test(file.content_type ?? "");
}

/** A picture that opens the viewer at its place among `all`. */
export function picture(file, all, className = "") {
  const alt = file.description || "";
  const image = el("img", { src: file.url, alt, width: file.width, height: file.height });
  const open = () => openViewer(all, all.indexOf(file));
  const hidden = (file.flags ?? 0) & 8 || file.filename?.startsWith("SPOILER_") || file.spoiler;
  const button = el("button", {
    type: "button",
    class: `picture ${className} ${hidden ? "veiled" : ""} ${alt ? "described" : ""}`,
    "aria-label": `${hidden ? `${t("Spoiler")}. ` : ""}${alt ? t("Open picture: {alt}", { alt }) : t("Open picture {name}", { name: file.filename ?? "" })}`,
    title: alt || file.filename,
    on: { click: () => { if (button.classList.contains("veiled")) button.classList.remove("veiled"); else open(); } },
  }, image,
  hidden ? el("span", { class: "veil" }, t("Spoiler")) : null);
  image.addEventListener("error", () => {
    button.replaceChildren(el("span", { class: "broken" }, t("This picture is no longer there.")));
  });
  return button;
}

function card(file) {
  const name = el("a", { href: `${file.url}?download`, download: file.filename }, file.filename);
  return el("div", { class: "file-card" }, icon("file"),
    el("div", {}, name, el("small", {}, bytes(file.size ?? 0), file.description ? ` · ${file.description}` : "")),
    el("a", { class: "icon-button", href: `${file.url}?download`, download: file.filename, "aria-label": t("Download {name}", { name: file.filename }) },
      icon("download")));
}

/** Pictures as a mosaic: those that do not fill a row of three come first, larger. */
export function pictures(files) {
  const rows = files.length === 4 ? "four" : ["even", "first", "pair"][files.length % 3];
  const shape = files.length === 1 ? "one" : files.length === 3 ? "three" : rows;
  return el("div", { class: `pictures ${shape}` }, files.map((file) => picture(file, files)));
}

/** Everything attached to a message, or nothing. */
export function attachments(files) {
  const shown = files.filter(isPicture);
  const others = files.filter((file) => !isPicture(file));
  return [shown.length ? pictures(shown) : null, ...others.map(card)];
}

// Files under a message: pictures in a grid, with their alt text; everything else as a card.

import { bytes, el, icon } from "./dom.js";
import { openViewer } from "./viewer.js";

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
    class: `picture ${className} ${hidden ? "veiled" : ""}`,
    "aria-label": `Open picture${alt ? `: ${alt}` : ` ${file.filename ?? ""}`}`,
    title: alt || file.filename,
    on: { click: () => { if (button.classList.contains("veiled")) button.classList.remove("veiled"); else open(); } },
  }, image, alt ? el("span", { class: "alt-badge", "aria-hidden": "true" }, "ALT") : null,
  hidden ? el("span", { class: "veil" }, "Spoiler") : null);
  image.addEventListener("error", () => {
    button.replaceChildren(el("span", { class: "broken" }, "This picture is no longer there."));
  });
  return button;
}

function card(file) {
  const name = el("a", { href: `${file.url}?download`, download: file.filename }, file.filename);
  return el("div", { class: "file-card" }, icon("file"),
    el("div", {}, name, el("small", {}, bytes(file.size ?? 0), file.description ? ` · ${file.description}` : "")),
    el("a", { class: "icon-button", href: `${file.url}?download`, download: file.filename, "aria-label": `Download ${file.filename}` },
      icon("download")));
}

/** Everything attached to a message, or nothing. */
export function attachments(files) {
  const pictures = files.filter(isPicture);
  const others = files.filter((file) => !isPicture(file));
  const out = [];
  if (pictures.length) {
    const shape = pictures.length === 1 ? "one" : pictures.length === 2 || pictures.length === 4 ? "two" : "three";
    out.push(el("div", { class: `pictures ${shape}` }, pictures.map((file) => picture(file, pictures))));
  }
  return [...out, ...others.map(card)];
}

// The picture viewer: the whole picture, zoom, the next one, and its file.

import { clear, el, icon, iconButton } from "./dom.js";
import { t } from "./words.js";

let dialog = null;
let files = [];
let place = 0;

function build() {
  dialog = el("dialog", { class: "viewer", "aria-label": t("Picture") });
  dialog.addEventListener("click", (event) => { if (event.target === dialog || event.target.classList.contains("stage")) dialog.close(); });
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowRight") step(1);
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "+" || event.key === "-") zoom(event.key === "+" ? 1.25 : 0.8);
  });
  document.body.append(dialog);
}

function step(by) {
  if (files.length < 2) return;
  place = (place + by + files.length) % files.length;
  draw();
}

function zoom(factor) {
  const image = dialog.querySelector("img");
  const now = Number(image.dataset.zoom ?? 0) || image.clientWidth / (image.naturalWidth || 1);
  const next = Math.min(8, Math.max(0.1, now * factor));
  image.dataset.zoom = String(next);
  image.classList.add("zoomed");
  image.style.width = `${image.naturalWidth * next}px`;
}

function fit(image) {
  delete image.dataset.zoom;
  image.classList.remove("zoomed");
  image.style.width = "";
}

function draw() {
  const file = files[place];
  const image = el("img", { src: file.url, alt: file.description || file.filename || t("Picture"), title: t("Press to zoom") });
  image.addEventListener("click", () => { if (image.dataset.zoom) fit(image); else zoom(Math.max(1.6, (image.naturalWidth || 1) / (image.clientWidth || 1))); });
  const stage = el("div", { class: "stage" }, image);
  stage.addEventListener("wheel", (event) => { event.preventDefault(); zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15); }, { passive: false });
  const facts = el("span", { class: "viewer-facts" });
  const tell = () => { facts.textContent = [file.filename, image.naturalWidth ? `${image.naturalWidth} × ${image.naturalHeight}` : ""].filter(Boolean).join(" · "); };
  image.addEventListener("load", tell);
  tell();
  clear(dialog, stage,
    el("div", { class: "viewer-bar" },
      files.length > 1 ? iconButton("left", t("Previous picture"), () => step(-1)) : null,
      files.length > 1 ? el("span", {}, `${place + 1} / ${files.length}`) : null,
      files.length > 1 ? iconButton("right", t("Next picture"), () => step(1)) : null,
      facts,
      el("a", { class: "icon-button", href: `${file.url}?download`, download: file.filename, "aria-label": t("Download"), title: t("Download") }, icon("download")),
      iconButton("close", t("Close"), () => dialog.close())),
    file.description ? el("p", { class: "viewer-alt" }, file.description) : null);
}

/** Opens the viewer on `all` files at an index. */
export function openViewer(all, index) {
  if (!dialog) build();
  files = all;
  place = Math.max(0, index);
  draw();
  dialog.showModal();
}

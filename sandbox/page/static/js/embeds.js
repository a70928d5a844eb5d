// Embeds: the coloured cards of a bot.

import { el, hex } from "./dom.js";
import { inline, markdown } from "./markdown.js";
import { clock } from "./time.js";
import { openViewer } from "./viewer.js";
import { t } from "./words.js";

function safe(url) {
  return typeof url === "string" && /^(https?:\/\/|\/files\/)/.test(url) ? url : null;
}

function image(media, alt, className) {
  const url = safe(media?.url);
  if (!url) return null;
  if (!url.startsWith("/files/")) return el("small", { class: "subtext" }, `picture: ${url}`);
  const file = { url, description: alt, filename: decodeURIComponent(url.split("/").at(-1)) };
  const picture = el("img", { src: url, alt: alt ?? "", width: media.width, height: media.height });
  return el("button", { type: "button", class: className, "aria-label": alt ? t("Open picture: {alt}", { alt }) : t("Open picture {name}", { name: file.filename }),
    on: { click: () => openViewer([file], 0) } }, picture);
}

function titled(embed, names) {
  if (!embed.title) return null;
  const text = inline(embed.title, names);
  const url = safe(embed.url);
  return el("div", { class: "embed-title" }, url ? el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, text) : text);
}

function fields(embed, names) {
  if (!embed.fields?.length) return null;
  return el("div", { class: "embed-fields" }, embed.fields.map((field) =>
    el("div", { class: field.inline ? "embed-field inline" : "embed-field" },
      el("div", { class: "embed-name" }, inline(field.name, names)),
      el("div", { class: "embed-value" }, markdown(field.value, names)))));
}

function foot(embed) {
  if (!embed.footer?.text && !embed.timestamp) return null;
  const parts = [embed.footer?.text];
  if (embed.timestamp) parts.push(embed.footer?.text ? " • " : null, clock(embed.timestamp));
  return el("div", { class: "embed-foot" }, parts);
}

/** One embed. `alt` describes its picture where the embed itself cannot. */
export function embedCard(embed, names, alt) {
  const card = el("article", { class: "embed" },
    el("div", { class: "embed-body" },
      embed.author?.name ? el("div", { class: "embed-author" }, embed.author.name) : null,
      titled(embed, names),
      embed.description ? el("div", { class: "embed-text" }, markdown(embed.description, names)) : null,
      fields(embed, names),
      image(embed.image, embed.image?.description ?? alt, "embed-image"),
      foot(embed)),
    image(embed.thumbnail, embed.thumbnail?.description, "embed-thumb"));
  if (embed.color) card.style.setProperty("--bar", hex(embed.color));
  return card;
}

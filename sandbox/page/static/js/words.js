// The page's own words in the language of the person one is; what the bot says comes in its own.

import { german } from "./german.js";

async function asked() {
  try {
    return (await (await fetch("/api/people")).json()).people ?? [];
  } catch {
    return []; // the page says by itself that the sandbox does not answer
  }
}

const people = await asked();
const [id] = location.hash.slice(1).split("/");

/** How times and numbers are written for somebody of that locale. */
export const written = (locale) => (locale === "en-US" ? "en-GB" : locale);

/** The locale of the person whose page this is. It stays as long as the page: another language is another page. */
export const locale = written((people.find((one) => one.id === id) ?? people[0])?.locale ?? "en-US");
const table = locale.startsWith("de") ? german : {};
document.documentElement.lang = locale.startsWith("de") ? "de" : "en";

/** A text in that language, or as it stands here; `{name}` is filled in. */
export function t(text, values = {}) {
  return (table[text] ?? text).replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

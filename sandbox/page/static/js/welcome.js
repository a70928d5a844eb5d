// The card that greets somebody new: what to try first, each a press away.

import { begun, takeFiles } from "./composer.js";
import { toggleTo } from "./drawer.js";
import { el, icon, iconButton } from "./dom.js";
import { ask, tryTo } from "./net.js";
import { changed, on, store } from "./store.js";
import { t } from "./words.js";

const WAITING = "sandbox-step";
let known = null;

/** The card of the person one is, or null where this sandbox has none. */
async function steps() {
  if (known?.viewer !== store.state.viewer) known = { viewer: store.state.viewer, ...(await tryTo(ask("welcome"))) };
  return known.steps ? known : null;
}

/** Puts the step's command into the message box, with its photo. */
async function begin(step) {
  if (step.faults) { toggleTo("faults"); return; }
  await begun(step.line);
  if (!step.photo) return;
  const bytes = await (await fetch(step.photo)).blob();
  takeFiles([new File([bytes], step.photo.split("/").at(-1), { type: bytes.type })]);
}

async function press(index) {
  const card = await steps();
  const step = card.steps[index];
  document.querySelector("dialog.pinned")?.close();
  if (store.channel !== card.channel) changed("go", card.channel);
  if (!step.person || step.person === store.state.viewer) { begin(step); return; }
  sessionStorage.setItem(WAITING, String(index));
  changed("become", step.person);
}

/** Goes on with a step for which one had to become somebody else, who may have another page. */
on("became", async () => {
  const index = sessionStorage.getItem(WAITING);
  sessionStorage.removeItem(WAITING);
  const card = index === null ? null : await steps();
  if (card) begin(card.steps[Number(index)]);
});

async function drawInto(node) {
  const card = await steps();
  if (!card) { node.remove(); return; }
  node.replaceChildren(
    el("h3", {}, icon("pin"), t("Try it: press one, then Enter")),
    el("p", {}, t(card.samples ? "Discord and the image service are pretended here, the bot between them is real. Pictures are samples, drawn from the words without any AI, and cost nothing."
      : "Discord is pretended here, the bot is real, and so is the image service: pictures may cost money.")),
    el("div", { class: "row" }, card.steps.map((step, index) => el("button", { type: "button", class: `button ${index ? "secondary" : "primary"}`, on: { click: () => press(index) } }, step.label))));
}

/** The card for the beginning of its channel; empty until it is known. */
export function welcomeCard() {
  const node = el("section", { class: "welcome", "aria-label": t("Try it") });
  steps().then((card) => { if (card?.channel === store.channel) drawInto(node); else node.remove(); });
  return node;
}

/** The pin beside the channel's name, which shows the card wherever one is. */
export function pin() {
  return iconButton("pin", t("Pinned"), () => {
    const node = el("section", { class: "welcome" });
    const dialog = el("dialog", { class: "pinned", "aria-label": t("Pinned") }, el("header", {}, el("h2", {}, t("Pinned")), iconButton("close", t("Close"), () => dialog.close())), node);
    dialog.addEventListener("close", () => dialog.remove());
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    drawInto(node);
    document.body.append(dialog);
    dialog.showModal();
  });
}

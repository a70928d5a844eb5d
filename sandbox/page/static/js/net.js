// Talking to the sandbox: questions, deeds, and the live socket.

import { toast } from "./dom.js";
import { t } from "./words.js";

export const tab = crypto.getRandomValues(new Uint32Array(2)).join("-");
let viewer = "";

export function actAs(id) { viewer = id; }

/** Something the sandbox did not do, with its reason in words. */
export class Refused extends Error {}

async function read(answer) {
  let body = {};
  try { body = await answer.json(); } catch { /* an answer without JSON has no reason to tell */ }
  if (!answer.ok) throw new Refused(body.problem ?? t("The sandbox answered {status}.", { status: answer.status }));
  return body;
}

async function send(path, options) {
  try {
    return await read(await fetch(path, { ...options, headers: { ...options.headers, "X-Viewer": viewer, "X-Tab": tab } }));
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new Refused(t("The sandbox does not answer. Is it still running in the terminal?"));
  }
}

export function ask(name, query = {}) {
  const words = new URLSearchParams({ viewer, ...query });
  return send(`/api/${name}?${words}`, {});
}

/** Does something; `files` is a Map of names to File, sent beside the JSON. */
export function act(name, body, files = new Map()) {
  if (!files.size) {
    const headers = { "Content-Type": "application/json" };
    return send(`/api/${name}`, { method: "POST", headers, body: JSON.stringify(body) });
  }
  const form = new FormData();
  form.append("ask", JSON.stringify(body));
  for (const [key, file] of files) form.append(key, file, file.name);
  return send(`/api/${name}`, { method: "POST", body: form });
}

/** Does something and says so if it was refused; answers null then. */
export async function tryTo(promise) {
  try {
    return await promise;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    toast(sentence(error.message), "bad");
    return null;
  }
}

export function sentence(text) {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(whole) ? whole : `${whole}.`;
}

let socket = null;
let wait = 500;

/** Opens the live socket as this person; comes back by itself. `heard` gets every message, `lost` each interruption. */
export function listen(heard, lost) {
  socket?.close();
  const own = new WebSocket(`ws://${location.host}/live?viewer=${viewer}&tab=${tab}`);
  socket = own;
  own.addEventListener("open", () => { wait = 500; });
  own.addEventListener("message", (event) => { if (socket === own) heard(JSON.parse(event.data)); });
  own.addEventListener("close", () => {
    if (socket !== own) return;
    lost();
    setTimeout(() => { if (socket === own) listen(heard, lost); }, wait);
    wait = Math.min(wait * 1.6, 5000);
  });
}

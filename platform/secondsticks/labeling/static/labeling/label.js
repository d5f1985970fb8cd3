// The label page: one frame after the other, by keyboard, mouse or touch. What is drawn is kept as a draft on
// the server all along; an answer is sent until the server has it; the next frame is fetched ahead.

import { Canvas } from "./canvas.js";
import { Flipping } from "./flipping.js";
import { Refused, ask, loadPicture, newKey, send } from "./requests.js";

const DRAFT_MS = 700;
const LEASE_MS = 60_000;
const AGAIN_MS = 20_000;
const SKIPS = ["unsure", "blurred", "hidden", "damaged", "other"];

const page = document.getElementById("label");
const byId = (id) => document.getElementById(id);
const addressOf = (frame, what) => page.dataset.frame.replace("00000000-0000-0000-0000-000000000000", frame.uuid) + `${what}/`;

let now = null; // the frame on screen: {frame, image, madeOn, opened, looked, key}
let ahead = null; // a promise of the one after it
let past = []; // boxes before each change, for undo
let last = null; // the last answer of this page: {frame, version, boxes}
let busy = false;
let kept = 0;
let draftTimer = null;
let seen = null; // when the page became visible; what is not looked at is not counted

// --- words ----------------------------------------------------------------------------------------------------

const say = (words, kind = "") => { byId("said").textContent = words; byId("said").className = `said small ${kind}`; };
const counted = (boxes) => {
  if (!boxes.length) return "no slate";
  return ["open", "closed"].map((state) => [boxes.filter((box) => box.state === state).length, state])
    .filter(([count]) => count).map(([count, state]) => (count > 1 ? `${count} ${state}` : state)).join(", ");
};
const waiting = (number) => say(number ? "No connection to the server. What you did is here; trying again…" : "Keeping it…", "warning");

// --- what is on screen ------------------------------------------------------------------------------------------

const canvas = new Canvas(byId("canvas"), {
  changing: () => { past.push(canvas.boxes.map((box) => ({ ...box }))); past = past.slice(-200); },
  changed: () => { showBoxes(); keepDraft(); },
  chosen: () => showBoxes(),
});
const flipping = new Flipping(canvas, byId("flip"));

const touched = () => past.length > 0 || canvas.boxes.some((box) => !box.proposed);
const showBoxes = () => {
  if (!now) return;
  const list = byId("boxes");
  list.replaceChildren(...canvas.boxes.map((box, number) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "box-line";
    button.setAttribute("aria-pressed", String(number === canvas.selected));
    button.dataset.box = number;
    const badge = document.createElement("span");
    badge.className = `badge ${box.state ?? "undecided"}`;
    badge.textContent = box.state ?? "open or closed?";
    const rest = document.createElement("span");
    rest.className = "quiet small";
    rest.textContent = box.proposed ? `proposed, ${Math.round(box.score * 100)} %` : `${Math.round(box.w)} × ${Math.round(box.h)}`;
    button.append(badge, rest);
    const line = document.createElement("li");
    line.append(button);
    return line;
  }));
  byId("no-boxes").hidden = canvas.boxes.length > 0;
  const accept = page.querySelector("[data-act=accept]");
  accept.firstChild.textContent = touched() || !canvas.boxes.length ? "Save " : "Accept ";
  accept.disabled = !canvas.boxes.length;
  page.querySelector("[data-act=remove]").disabled = canvas.selected < 0;
};

const showFrame = () => {
  const { frame } = now;
  byId("clip-name").textContent = frame.clip.name;
  byId("where").textContent = `${frame.timecode} · frame ${frame.frame}`;
  byId("reasons").replaceChildren(...(frame.reasons.length ? frame.reasons : ["Taken by chance, so that the measure of the others stays honest."]).map((reason) => {
    const line = document.createElement("li");
    line.textContent = reason;
    return line;
  }));
  byId("opinions").textContent = frame.opinions.wanted > 1 ? `${frame.opinions.wanted} people are asked about this frame, each without seeing the others' answers.` : "";
};

const showOnly = (id) => { for (const part of ["work", "nothing", "loading"]) byId(part).hidden = part !== id; };

// --- drafts and leases --------------------------------------------------------------------------------------------

const plain = (boxes) => boxes.map(({ x, y, w, h, state }) => ({ x, y, w, h, state }));
const sendDraft = () => {
  clearTimeout(draftTimer);
  if (draftTimer === null || !now) return;
  draftTimer = null;
  send("PUT", addressOf(now.frame, "draft"), { boxes: plain(canvas.boxes), made_on: now.madeOn });
};
const keepDraft = () => { clearTimeout(draftTimer); draftTimer = setTimeout(sendDraft, DRAFT_MS); };
const lookedFor = () => now.looked + (seen === null ? 0 : performance.now() - seen) / 1000;

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") {
    sendDraft();
    if (now && seen !== null) now.looked += (performance.now() - seen) / 1000;
    seen = null;
  } else seen = performance.now();
});
window.addEventListener("pagehide", sendDraft);
setInterval(async () => {
  const frames = [now?.frame, (await Promise.resolve(ahead))?.frame].filter(Boolean);
  for (const frame of frames) send("POST", addressOf(frame, "keep-lease"), { token: frame.lease.token });
}, LEASE_MS);

// --- frames -------------------------------------------------------------------------------------------------------

const dress = async (frame, boxes) => {
  if (!frame) return null;
  return { frame, boxes, image: await loadPicture(frame.picture), madeOn: frame.version };
};
const fetchNext = async (holding) => {
  const { frame } = await ask("POST", page.dataset.next, { holding }, { waiting });
  return dress(frame);
};

const open = (dressed) => {
  now = { ...dressed, key: newKey(), looked: 0 };
  seen = document.visibilityState === "hidden" ? null : performance.now();
  past = [];
  draftTimer = null;
  const { frame } = now;
  const proposals = frame.proposals.map((box) => ({ ...box, proposed: true }));
  byId("conflict").hidden = true;
  canvas.ghosts(null);
  canvas.draw(false);
  showOnly("work");
  canvas.show(now.image, frame.width, frame.height);
  canvas.fit();
  canvas.set(now.boxes ?? frame.draft?.boxes ?? proposals);
  flipping.open(frame, now.image);
  showFrame();
  showBoxes();
  byId("versions").hidden = true;
  ahead = fetchNext([frame.uuid]).catch(() => null);
};

const goOn = async () => {
  const slow = setTimeout(() => showOnly("loading"), 300);
  try {
    const next = (await ahead) ?? (await fetchNext([]));
    ahead = null;
    if (next) open(next);
    else { now = null; showOnly("nothing"); setTimeout(() => { if (!now) goOn(); }, AGAIN_MS); }
  } catch (error) {
    showOnly("nothing");
    byId("nothing-why").textContent = error instanceof Refused ? error.message : "The picture of the next frame could not be loaded. It is tried again in a moment.";
    setTimeout(() => { if (!now) goOn(); }, AGAIN_MS);
  } finally {
    clearTimeout(slow);
  }
};

// --- answers ------------------------------------------------------------------------------------------------------

const answer = async (what, body, words) => {
  if (busy || !now) return;
  busy = true;
  page.classList.add("busy");
  clearTimeout(draftTimer);
  draftTimer = null;
  const { frame } = now;
  try {
    const sent = { ...body, key: now.key, token: frame.lease.token, made_on: now.madeOn, seconds: lookedFor() };
    const { annotation } = await ask("POST", addressOf(frame, what), sent, { waiting });
    last = { frame, version: annotation.version, boxes: canvas.boxes.map((box) => ({ ...box })) };
    kept += 1;
    byId("count").textContent = `${kept} done`;
    say(`Kept: ${words}. U takes it back.`, "good");
    now = null;
    await goOn();
  } catch (error) {
    if (error instanceof Refused) refused(error);
    else say("Something went wrong on this page. Reload it: your draft is kept.", "bad");
  } finally {
    busy = false;
    page.classList.remove("busy");
  }
};

const refused = (error) => {
  say(error.message, "bad");
  if (now) now.key = newKey(); // what is sent next is another answer
  if (error.status === 401) return;
  if (error.status !== 409) return;
  const theirs = error.said.theirs;
  byId("conflict").hidden = false;
  byId("conflict-words").textContent = error.message;
  byId("conflict-theirs").textContent = theirs ? `${theirs.by} said: ${theirs.boxes ? counted(theirs.boxes) : "skipped"} (dotted in the picture). You: ${counted(canvas.boxes)}.` : "";
  canvas.ghosts(theirs?.boxes);
};

const takeAgain = async () => {
  const mine = canvas.boxes.map((box) => ({ ...box }));
  try {
    const { frame } = await ask("POST", addressOf(now.frame, "take"), {}, { waiting });
    open({ ...(await dress(frame)), boxes: mine });
    past = [mine];
    showBoxes();
    say("Yours is on screen again: look, then save it.");
  } catch (error) { refused(error); }
};

const accept = () => {
  if (!canvas.boxes.length) return say("Nothing is marked. Draw a box, or press N if there is no slate.");
  const without = canvas.boxes.findIndex((box) => !box.state);
  if (without >= 0) { canvas.select(without); return say("Is it open or closed? Press O or C."); }
  return answer("save", { boxes: plain(canvas.boxes) }, counted(canvas.boxes));
};
const noSlate = () => answer("save", { boxes: [] }, "no slate");
const skip = (reason) => { byId("skipping").close(); return answer("skip", { reason }, `skipped, ${reason}`); };

const undo = async () => {
  if (past.length) {
    canvas.set(past.pop(), canvas.selected);
    showBoxes();
    return keepDraft();
  }
  if (!last) return say("Nothing to undo.");
  if (busy) return null;
  busy = true;
  try {
    const { frame } = await ask("POST", addressOf(last.frame, "undo"), { key: newKey(), made_on: last.version }, { waiting });
    const { boxes } = last;
    last = null;
    kept -= 1;
    byId("count").textContent = kept ? `${kept} done` : "";
    const left = now; // it stays leased, and comes next
    sendDraft();
    open({ ...(await dress(frame)), boxes });
    if (left) ahead = Promise.resolve(left);
    say("Taken back. Change it and save it again.");
  } catch (error) {
    if (error instanceof Refused) { last = null; say(error.message, "bad"); }
  } finally { busy = false; }
  return null;
};

const setState = (state) => {
  if (flipping.away) flipping.home();
  if (!canvas.setState(state)) say(canvas.boxes.length ? "Choose a box first: Tab." : "Draw a box around the slate first.");
};

const redraw = () => {
  if (flipping.away) flipping.home();
  canvas.draw(!canvas.drawing);
  say(canvas.drawing ? `Drag around the slate${canvas.selected < 0 ? "" : ", to replace the chosen box"}. Esc lets it be.` : "");
};

const showVersions = async () => {
  const list = byId("versions");
  if (!list.hidden || !now) { list.hidden = true; canvas.ghosts(null); return; }
  const { versions } = await ask("GET", addressOf(now.frame, "history"), undefined, { tries: 2 });
  list.replaceChildren(...versions.map((version) => {
    const line = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "box-line";
    button.textContent = `${version.version}. ${version.by}: ${version.boxes ? counted(version.boxes) : version.undoes ? `took back ${version.undoes}` : `skipped, ${version.skip_reason}`} · ${version.origin} · ${new Date(version.at).toLocaleString()}`;
    button.addEventListener("click", () => canvas.ghosts(version.boxes));
    line.append(button);
    return line;
  }));
  if (!versions.length) list.textContent = "Nobody has answered yet.";
  list.hidden = false;
};

// --- keys and buttons -----------------------------------------------------------------------------------------------

const acts = {
  accept, noSlate, undo, redraw,
  open: () => setState("open"), closed: () => setState("closed"),
  remove: () => canvas.remove(),
  skip: () => { if (now) byId("skipping").showModal(); },
  earlier: () => flipping.by(-1), later: () => flipping.by(1), home: () => { flipping.home(); canvas.draw(false); canvas.ghosts(null); },
  chooseNext: () => canvas.select((canvas.selected + 1) % canvas.boxes.length),
  chooseLast: () => canvas.select((canvas.selected - 1 + canvas.boxes.length) % canvas.boxes.length),
  zoom: () => canvas.zoomToBox(), closer: () => canvas.zoom(1.4), wider: () => canvas.zoom(1 / 1.4),
  left: () => canvas.nudge(-1, 0), right: () => canvas.nudge(1, 0), up: () => canvas.nudge(0, -1), down: () => canvas.nudge(0, 1),
  versions: showVersions, keys: () => byId("keys").showModal(),
  mine: takeAgain, theirs: () => { ask("POST", addressOf(now.frame, "release"), { token: now.frame.lease.token }, { tries: 1 }).catch(() => {}); now = null; goOn(); },
};
const keys = {
  Enter: "accept", o: "open", c: "closed", n: "noSlate", r: "redraw", d: "redraw", Delete: "remove", Backspace: "remove", x: "remove",
  u: "undo", s: "skip", ArrowLeft: "earlier", ArrowRight: "later", ",": "earlier", ".": "later", Escape: "home", z: "zoom", "+": "closer",
  "=": "closer", "-": "wider", h: "versions", "?": "keys",
};
const shifted = { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" };

document.addEventListener("keydown", (event) => {
  const undoes = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z";
  if (!undoes && (event.ctrlKey || event.metaKey || event.altKey)) return;
  if (byId("skipping").open) {
    const reason = SKIPS[Number(event.key) - 1];
    if (reason) { event.preventDefault(); skip(reason); }
    return;
  }
  if (document.querySelector("dialog[open]") || event.target.closest("input, textarea, select, summary")) return;
  if (event.repeat && ["Enter", "n", "s"].includes(event.key)) return; // a key held down answers once
  if (event.key === "Enter" && event.target.closest("button, a")) return;
  const tab = event.key === "Tab" && document.activeElement === document.body && canvas.boxes.length > 1;
  const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const act = undoes ? "undo" : tab ? (event.shiftKey ? "chooseLast" : "chooseNext") : event.shiftKey && shifted[name] ? shifted[name] : keys[name];
  if (!act || (!now && !["undo", "keys"].includes(act))) return;
  event.preventDefault();
  acts[act]();
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("#label [data-act], #label [data-box], #skipping [data-reason]");
  if (!button || (!now && button.dataset.act !== "undo")) return;
  if (button.dataset.reason) skip(button.dataset.reason);
  else if (button.dataset.box) canvas.select(Number(button.dataset.box));
  else acts[button.dataset.act]();
  button.blur(); // the keys stay with the page
});

// --- begin ------------------------------------------------------------------------------------------------------------

const begin = async () => {
  if (!page.dataset.wanted) return goOn();
  const wanted = { uuid: page.dataset.wanted };
  try {
    const { frame, annotation } = await ask("POST", addressOf(wanted, "take"), {}, { waiting });
    return open({ ...(await dress(frame)), boxes: annotation?.boxes ?? undefined });
  } catch (error) {
    say(error.message, "bad");
    return goOn();
  }
};
begin();

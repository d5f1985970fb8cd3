"use strict";
// Reviewing by keyboard, mouse or touch: the filmstrip, the waveform, and the decisions.
// A nudge is only a draft until Enter keeps it.

(() => {
  const AROUND = 4; // frames on each side of the strip's middle
  const byId = (id) => document.getElementById(id);
  const review = () => byId("review");
  const player = window.player ?? null;
  let state = null;
  let chosen = 0; // which clap
  let draft = null; // the frame that the chosen clap has been nudged to
  let middle = 0; // of the strip
  let busy = false;

  const clap = () => state.claps[chosen] ?? null;
  const here = () => draft ?? clap()?.frame ?? player?.frame() ?? middle;
  const clamp = (frame) => Math.min(Math.max(frame, 0), state.frames - 1);
  const addressOf = (frame) => state.frameAddress.replace("/frames/0.jpg", `/frames/${frame}.jpg`);

  const say = (words) => { byId("draft").textContent = words; };

  const showStrip = () => {
    const outlined = clap() ? here() : null;
    byId("strip").querySelectorAll("li").forEach((item, n) => {
      const frame = middle - AROUND + n;
      const inside = frame >= 0 && frame < state.frames;
      const picture = item.querySelector("img");
      item.classList.toggle("closed", frame === outlined);
      item.classList.toggle("at", frame === here());
      item.querySelector("button").disabled = !inside;
      item.querySelector("span").textContent = inside ? frame : "";
      picture.alt = inside ? `Frame ${frame}${frame === outlined ? ", the first closed one" : ""}` : "";
      if (!inside) picture.removeAttribute("src");
      else if (picture.getAttribute("src") !== addressOf(frame)) picture.src = addressOf(frame);
    });
  };

  const drawWave = (sound) => {
    const wave = byId("wave");
    wave.toggleAttribute("hidden", !sound);
    if (!sound) return;
    const loudest = Math.max(...sound.columns, 24); // silence stays flat
    const from = (sound.first - (middle - AROUND)) * sound.perFrame;
    const bar = (value, n) => {
      const half = Math.max((value / loudest) * 19, 0.4);
      return `M${from + n + 0.1} ${20 - half}h.8v${half * 2}h-.8z`;
    };
    wave.querySelector(".loud").setAttribute("d", sound.columns.map(bar).join(""));
  };
  let asked = null;
  const fetchWave = async () => {
    const mine = `${state.soundAddress}?first=${clamp(middle - AROUND)}&last=${clamp(middle + AROUND)}`;
    asked = mine;
    const answered = await fetch(mine).catch(() => null);
    const sound = answered?.status === 200 ? await answered.json() : null;
    if (asked === mine) drawWave(sound);
  };
  const markWave = () => {
    byId("wave").querySelector(".chosen").setAttribute("x", (here() - middle + AROUND) * 8);
    const heard = clap()?.heard;
    const line = byId("wave").querySelector(".heard");
    const at = heard === null || heard === undefined ? -1 : (heard - middle + AROUND) * 8;
    line.toggleAttribute("hidden", at < 0 || at > 72);
    for (const end of ["x1", "x2"]) line.setAttribute(end, at);
  };

  // The strip stays where it is while its outline moves, and follows when that leaves it.
  const show = (recentre = false) => {
    const moved = recentre || Math.abs(here() - middle) > AROUND;
    if (moved) middle = here();
    showStrip();
    markWave();
    if (moved) fetchWave();
    review().querySelectorAll(".go").forEach((tab, n) => tab.setAttribute("aria-pressed", String(n === chosen)));
    const by = draft === null || !clap() ? 0 : draft - clap().frame;
    say(by ? `Moved ${Math.abs(by)} frame${Math.abs(by) > 1 ? "s" : ""} ${by > 0 ? "later" : "earlier"}, to frame ${draft}. Enter keeps it, Esc drops it.` : "");
  };
  const follow = () => {
    const own = clap();
    if (own && draft === null) player?.seek(own.frame, own.seconds);
    else player?.seek(here());
  };

  const choose = (number) => {
    if (!state.claps.length) return;
    chosen = (number + state.claps.length) % state.claps.length;
    draft = null;
    show(true);
    follow();
  };
  const place = (frame) => {
    if (!clap()) { player ? player.seek(clamp(frame)) : (middle = clamp(frame), show(true)); return; }
    draft = clamp(frame) === clap().frame ? null : clamp(frame);
    show();
    follow();
  };
  const drop = () => { if (draft !== null) { draft = null; show(true); follow(); } };

  const load = () => {
    state = JSON.parse(byId("review-state").textContent);
    chosen = Math.max(state.claps.findIndex((one) => !one.confirmed), 0);
    draft = null;
    player?.setClaps(state.claps);
    middle = clap()?.frame ?? state.start;
    show(true);
    const scroll = review().querySelector(".strip-scroll");
    scroll.scrollLeft = (scroll.scrollWidth - scroll.clientWidth) / 2;
    for (const address of state.prefetch) fetch(address).catch(() => {}); // kept by the browser for the next page
  };

  const decide = async (kind, fields = {}) => {
    if (busy) return;
    busy = true;
    const slow = setTimeout(() => say("Keeping it…"), 400);
    const form = new FormData();
    // Sent again after a lost answer, it is the same decision; anything else is another one.
    const key = `${byId("decide").elements.key.value}/${chosen}/${fields.frame ?? ""}`;
    const sent = { ...fields, kind, made_on: state.decisions, key };
    for (const [name, value] of Object.entries(sent)) form.append(name, value);
    form.append("csrfmiddlewaretoken", byId("decide").elements.csrfmiddlewaretoken.value);
    try {
      const request = { method: "POST", body: form, headers: { Accept: "application/json" } };
      const answered = await fetch(review().dataset.decide, request);
      const type = answered.headers.get("Content-Type") ?? "";
      if (answered.redirected || !type.includes("json")) return window.location.reload();
      const said = await answered.json();
      if (said.next) return window.location.assign(said.next);
      review().outerHTML = said.html;
      load();
      follow();
    } catch {
      say("No connection to the server: this was not kept. Try again.");
    } finally {
      clearTimeout(slow);
      busy = false;
    }
  };

  const accept = () => {
    const own = clap();
    if (!own) {
      if (["mos", "no slate"].includes(state.verdict)) return decide(state.verdict);
      return say("There is no clap to accept. A adds one at the playhead; M says MOS, N no slate.");
    }
    if (draft !== null) return decide("move", { clap: own.id, frame: draft });
    if (own.confirmed && state.confirmed) return window.location.assign(byId("skip").href);
    if (own.confirmed) return choose(state.claps.findIndex((one) => !one.confirmed));
    return decide("accept", { clap: own.id });
  };
  const add = () => (player ? decide("add", { frame: player.frame() }) : say("The player is not ready yet."));
  const reject = () => { if (clap()) decide("reject", { clap: clap().id }); };
  const undo = () => {
    if (draft !== null) return drop();
    if (!byId("decide").querySelector("[data-act=undo]").disabled) return decide("undo");
    return say(byId("came-from") ? "Nothing to undo on this clip. B goes back to the one before." : "Nothing to undo on this clip.");
  };
  const go = (id) => { const link = byId(id); if (link) window.location.assign(link.href); };

  const acts = {
    earlier: () => place(here() - 1), later: () => place(here() + 1),
    accept, add, reject, undo,
    mos: () => decide("mos"), "no slate": () => decide("no slate"),
    keys: () => byId("keys").showModal(),
    nextClap: () => choose(chosen + 1), lastClap: () => choose(chosen - 1),
    drop, skip: () => go("skip"), back: () => go("came-from"),
  };
  const keys = {
    Enter: "accept", ArrowLeft: "earlier", ArrowRight: "later", m: "mos", n: "no slate", a: "add", x: "reject",
    Delete: "reject", u: "undo", "]": "nextClap", "[": "lastClap", Escape: "drop", s: "skip", b: "back", "?": "keys",
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat && event.key === "Enter") return;
    if (document.querySelector("dialog[open]") || event.target.closest("input, textarea, select, summary")) return;
    const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!review()) { if (act === "back") go("came-from"); return; }
    if (event.key === "Enter" && event.target.closest("button, a")) return; // presses what is focused
    // Tab chooses between claps until something on the page has the focus; then it moves the focus as always.
    const tab = event.key === "Tab" && document.activeElement === document.body && state.claps.length > 1;
    if (!act && !tab) return;
    event.preventDefault();
    if (tab) choose(chosen + (event.shiftKey ? -1 : 1));
    else acts[act]();
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("#review [data-act]");
    const tab = event.target.closest("#review .go");
    const frame = event.target.closest("#strip button");
    if (!button && !tab && !frame) return;
    event.preventDefault();
    if (button) acts[button.dataset.act]();
    else if (tab) choose([...review().querySelectorAll(".go")].indexOf(tab));
    else place(Number(frame.querySelector("span").textContent));
    event.target.closest("button")?.blur(); // the keys stay with the page
  });

  // A frame that is being made for somebody else is there a moment later.
  document.addEventListener("error", (event) => {
    const picture = event.target;
    const tries = Number(picture.dataset?.tries ?? 0);
    if (!picture.matches?.("#strip img") || tries >= 6) return;
    const wanted = picture.getAttribute("src");
    picture.dataset.tries = tries + 1;
    setTimeout(() => { if (picture.getAttribute("src") === wanted) picture.src = wanted; }, 700 * (tries + 1));
  }, true);
  document.addEventListener("load", (event) => { delete event.target.dataset?.tries; }, true);

  if (!review()) return;
  load();
  if (player) {
    // Without a clap, the strip shows where the player stands.
    player.onStep = (frame) => { if (!clap()) { middle = frame; show(true); } };
    if (!new URLSearchParams(window.location.search).has("frame")) {
      clap() ? follow() : player.seek(state.start);
    }
  }
})();

"use strict";
// The clip page's player: exact frames, timecode, keys, the bar with slates and claps.

(() => {
  const clip = JSON.parse(document.getElementById("clip-facts").textContent);
  const byId = (id) => document.getElementById(id);
  const video = byId("video");
  const bar = byId("timeline");
  const perSecond = clip.rate[0] / clip.rate[1];
  const half = 0.5 / perSecond;
  let frame = 0;
  let wanted = null; // the frame we are going to, until the browser shows it

  const clamp = (number) => Math.min(Math.max(number, 0), clip.frames - 1);

  const show = (number) => {
    frame = clamp(number);
    byId("frame").textContent = frame;
    byId("timecode").textContent = timecodeAt(frame, clip);
    for (const end of ["x1", "x2"]) byId("head").setAttribute(end, frame + 0.5);
    const at = clip.claps.findIndex((clap) => clap.frame === frame);
    document.querySelectorAll(".clap-tabs .clap").forEach((item, n) => item.classList.toggle("here", n === at));
  };

  // Half a frame into the frame: no rounding, ours or the browser's, then shows its neighbour.
  const seek = (number, seconds = clamp(number) / perSecond) => {
    video.pause();
    wanted = clamp(number);
    video.currentTime = Math.max(0, Math.min(seconds + half, (video.duration || Infinity) - half / 2));
    show(wanted);
    window.player?.onStep?.(wanted);
  };
  const step = (by) => seek((wanted ?? frame) + by);
  const seekToClap = (clap) => { if (clap) seek(clap.frame, clap.seconds); };
  const nextClap = () => seekToClap(clip.claps.find((clap) => clap.frame > frame));
  const lastClap = () => seekToClap(clip.claps.findLast((clap) => clap.frame < frame));

  // What the screen really shows, where the browser tells; the clock otherwise.
  if ("requestVideoFrameCallback" in HTMLVideoElement.prototype) {
    const seen = (now, shown) => {
      if (wanted === null) show(Math.round(shown.mediaTime * perSecond));
      video.dataset.shown = Math.round(shown.mediaTime * perSecond);
      video.requestVideoFrameCallback(seen);
    };
    video.requestVideoFrameCallback(seen);
  } else {
    video.addEventListener("timeupdate", () => {
      if (wanted === null) show(Math.floor(video.currentTime * perSecond + 1e-6));
    });
  }
  video.addEventListener("play", () => { wanted = null; byId("play").textContent = "Pause"; });
  video.addEventListener("pause", () => { byId("play").textContent = "Play"; });
  video.addEventListener("volumechange", () => { byId("mute").textContent = video.muted ? "Unmute" : "Mute"; });
  video.addEventListener("click", () => toggle());
  // An address in the footage store is good for minutes: where it has run out, our own leads to a new one.
  let renewed = -Infinity;
  video.addEventListener("error", () => {
    if (performance.now() - renewed < 10000) return;
    renewed = performance.now();
    const at = wanted ?? frame;
    video.load();
    video.addEventListener("loadedmetadata", () => seek(at), { once: true });
  });

  const toggle = () => { if (video.paused) { video.playbackRate = 1; video.play(); } else video.pause(); };
  const faster = () => {
    video.playbackRate = video.paused ? 1 : Math.min(video.playbackRate * 2, 8);
    video.play();
  };
  const mute = () => { video.muted = !video.muted; };

  const keys = {
    " ": toggle,
    k: () => video.pause(),
    l: faster,
    j: () => step(-Math.round(perSecond)),
    ",": () => step(-1),
    ".": () => step(1),
    ArrowUp: lastClap,
    ArrowDown: nextClap,
  };
  // Where there is nothing to review, the arrows are free for the player.
  if (!byId("review")) Object.assign(keys, { ArrowLeft: () => step(-1), ArrowRight: () => step(1) });
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    // By where the key is: with Shift the same key is < on some keyboards and ; on others.
    const second = event.shiftKey && { Comma: -1, Period: 1 }[event.code];
    const act = second ? () => step(second * Math.round(perSecond)) : keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    const typing = event.target.closest("input, textarea, select, summary");
    const pressing = event.key === " " && event.target.closest("button, a");
    if (!act || typing || pressing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });

  byId("back").addEventListener("click", () => step(-1));
  byId("forth").addEventListener("click", () => step(1));
  byId("play").addEventListener("click", toggle);
  byId("mute").addEventListener("click", mute);
  // Press or drag on the bar.
  const frameUnder = (event) => {
    const box = bar.getBoundingClientRect();
    return Math.floor(((event.clientX - box.left) / box.width) * clip.frames);
  };
  bar.addEventListener("pointerdown", (event) => { bar.setPointerCapture(event.pointerId); seek(frameUnder(event)); });
  bar.addEventListener("pointermove", (event) => { if (event.buttons) seek(frameUnder(event)); });

  video.controls = false; // the browser's own are for pages without scripts
  show(0);
  // review.js goes where its claps are, and says where they have gone.
  window.player = {
    seek,
    frame: () => wanted ?? frame,
    setClaps: (claps) => {
      clip.claps = claps;
      byId("clap-lines").replaceChildren(...claps.map((clap) => {
        const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
        for (const [name, value] of Object.entries({ class: "clap", x1: clap.frame, x2: clap.frame, y1: 0, y2: 24 })) {
          line.setAttribute(name, value);
        }
        return line;
      }));
    },
    onStep: null, // called with the frame when the person moves
  };
  const asked = new URLSearchParams(window.location.search).get("frame");
  if (asked !== null) seek(Number(asked) || 0);
})();

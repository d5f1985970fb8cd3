"use strict";
// Uploads clips in pieces (tus, or parts for a bucket), several at a time, and goes on after a lost connection or a reload.
// Sends `clip-uploaded` on the body when a clip has arrived, so that a list of clips can refresh itself.

(() => {
  const PIECE = 16 * 1024 * 1024; // one cut costs at most this much
  const AT_ONCE = 2;
  const RETRY_MS = [0, 1000, 2000, 4000, 8000, 15000, 30000, 30000, 60000, 60000, 60000];
  const STALLED_MS = 30000; // a connection may die without a word: after so long without progress, take a new one
  const FINAL = new Set([400, 401, 403, 404, 411, 412, 413, 415, 507]); // asking again changes nothing

  const drop = document.getElementById("upload");
  if (!drop) return;
  const list = document.getElementById("uploads");
  const row = document.getElementById("upload-row");
  const picker = document.getElementById("upload-files");
  const waiting = [];
  const running = new Set();

  const size = (bytes) => {
    const units = ["B", "kB", "MB", "GB", "TB"];
    let at = 0;
    while (bytes >= 1000 && at < units.length - 1) { bytes /= 1000; at += 1; }
    return `${at && bytes < 100 ? bytes.toFixed(1) : Math.round(bytes)} ${units[at]}`;
  };
  const time = (seconds) => {
    if (seconds < 60) return `${Math.ceil(seconds)} s`;
    if (seconds < 3600) return `${Math.ceil(seconds / 60)} min`;
    return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
  };

  class Transfer {
    constructor(file) {
      this.file = file;
      this.marks = []; // [when, bytes] of the last seconds, for the speed
      this.moved = Infinity; // when bytes last moved
      this.row = row.content.firstElementChild.cloneNode(true);
      this.row.querySelector(".name").textContent = file.name;
      this.row.querySelector(".name").title = file.name;
      this.bar = this.row.querySelector("progress");
      this.bar.setAttribute("aria-label", file.name);
      for (const button of this.row.querySelectorAll("button")) {
        button.addEventListener("click", () => this[button.dataset.do]());
        button.setAttribute("aria-label", `${button.textContent} ${file.name}`);
      }
      this.upload = this.make();
      list.append(this.row);
      this.say(`Waiting · ${size(file.size)}`);
    }

    make() {
      const Upload = drop.dataset.multipart ? window.MultipartUpload : tus.Upload;
      return new Upload(this.file, {
        endpoint: drop.dataset.multipart || drop.dataset.upload,
        chunkSize: PIECE,
        retryDelays: RETRY_MS,
        metadata: { filename: this.file.name },
        headers: { "X-CSRFToken": drop.dataset.token },
        removeFingerprintOnSuccess: true,
        fingerprint: async (file) => ["clip", drop.dataset.project, file.name, file.size, file.lastModified].join("/"),
        onShouldRetry: (error) => {
          const status = error.originalResponse ? error.originalResponse.getStatus() : 0;
          if (FINAL.has(status)) return false;
          this.moved = performance.now() + RETRY_MS[RETRY_MS.length - 1]; // it waits on purpose
          this.say(status === 423 ? "Being uploaded in another tab…" : "Connection lost. Trying again…");
          return true;
        },
        onProgress: (sent, total) => this.progress(sent, total),
        onSuccess: () => this.done(),
        onError: (error) => this.failed(error),
      });
    }

    say(text) { this.row.querySelector(".status").textContent = text; }
    show(name, shown) { this.row.querySelector(`[data-do="${name}"]`).hidden = !shown; }

    async start() {
      running.add(this);
      this.show("pause", true);
      this.show("resume", false);
      this.marks = [];
      this.say("Starting…");
      if (!this.upload.url) {
        const known = await this.upload.findPreviousUploads();
        if (!running.has(this)) return;
        if (known.length) this.upload.resumeFromPreviousUpload(known[known.length - 1]);
      }
      this.go();
    }

    go() {
      this.moved = performance.now();
      this.upload.start();
    }

    /** Begin anew where the server is, on a new connection. */
    async reconnect() {
      this.moved = Infinity; // not twice at once
      this.marks = [];
      this.say("Connection lost. Trying again…");
      await this.upload.abort();
      if (running.has(this)) this.go();
    }

    progress(sent, total) {
      const now = performance.now();
      this.moved = now;
      this.marks.push([now, sent]);
      while (this.marks.length > 2 && now - this.marks[0][0] > 8000) this.marks.shift();
      this.bar.value = total ? sent / total : 1;
      const [then, before] = this.marks[0];
      const speed = now > then ? (sent - before) / ((now - then) / 1000) : 0;
      const rest = speed > 0 && now - then > 1000 ? ` · ${size(speed)}/s · ${time((total - sent) / speed)} left` : "";
      this.say(`${size(sent)} of ${size(total)}${rest}`);
    }

    done() {
      this.bar.value = 1;
      this.bar.classList.add("done");
      this.say(`Uploaded · ${size(this.file.size)}`);
      this.end();
      this.row.querySelector(".actions").hidden = true;
      document.body.dispatchEvent(new CustomEvent("clip-uploaded"));
      setTimeout(() => this.row.remove(), 6000);
    }

    failed(error) {
      const answer = error.originalResponse;
      const status = answer ? answer.getStatus() : 0;
      const sentence = answer && FINAL.has(status) && (answer.getHeader("Content-Type") || "").startsWith("text/plain")
        ? answer.getBody().trim() : "";
      this.say(sentence || (status === 401 || status === 403 || status === 404
        ? "The server refused it. Sign in again, or ask for your role in this project."
        : "It could not be sent. Resume to try again."));
      this.show("pause", false);
      this.show("resume", status !== 413);
      this.end();
    }

    async pause() {
      const at = waiting.indexOf(this);
      if (at >= 0) waiting.splice(at, 1);
      this.show("pause", false);
      this.show("resume", true);
      this.end();
      await this.upload.abort();
      this.say(`Paused at ${Math.floor(this.bar.value * 100)} %`);
    }

    resume() {
      this.show("resume", false);
      this.say("Waiting");
      waiting.push(this);
      next();
    }

    async cancel() {
      const at = waiting.indexOf(this);
      if (at >= 0) waiting.splice(at, 1);
      this.row.remove();
      this.end();
      try { await this.upload.abort(true); } catch { /* it is swept up on the server after some days */ }
    }

    end() {
      running.delete(this);
      next();
    }
  }

  const next = () => {
    while (running.size < AT_ONCE && waiting.length) waiting.shift().start();
  };
  const take = (files) => {
    for (const file of files) waiting.push(new Transfer(file));
    next();
  };

  setInterval(() => {
    for (const transfer of running) if (performance.now() - transfer.moved > STALLED_MS) transfer.reconnect();
  }, 2000);
  window.addEventListener("online", () => { for (const transfer of running) transfer.reconnect(); });

  picker.addEventListener("change", () => { take(picker.files); picker.value = ""; });
  drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    take([...event.dataTransfer.items].filter((item) => item.kind === "file" && !item.webkitGetAsEntry()?.isDirectory)
      .map((item) => item.getAsFile()));
  });
  // A file dropped beside the zone must not replace the page and lose the uploads.
  for (const name of ["dragover", "drop"]) window.addEventListener(name, (event) => event.preventDefault());
  window.addEventListener("beforeunload", (event) => { if (running.size) event.preventDefault(); });
})();

"use strict";
// Sends a file in parts straight into the footage store (S3), to addresses that the server signs part by part.
// Used as tus.Upload is used, so that the page does not care which of the two it has.

window.MultipartUpload = (() => {
  const PARTS_AT_ONCE = 3;
  const ROUNDS = 3; // parts that the store has lost are sent again so many times

  class Refused extends Error {
    constructor(request, sentence) {
      super(sentence || "no answer");
      if (!request?.status) return;
      this.originalResponse = {
        getStatus: () => request.status,
        getBody: () => request.responseText,
        getHeader: (name) => request.getResponseHeader(name),
      };
    }
  }
  class Stopped extends Error {}

  return class MultipartUpload {
    constructor(file, options) {
      this.file = file;
      this.options = options;
      this.url = null;
      this.turn = 0; // a new one with every start: what belongs to an older one stops
      this.requests = new Set();
    }

    async place() { return `multipart::${await this.options.fingerprint(this.file)}`; }

    async findPreviousUploads() {
      const url = localStorage.getItem(await this.place());
      return url ? [{ url }] : [];
    }

    resumeFromPreviousUpload(previous) { this.url = previous.url; }

    start() {
      const turn = ++this.turn;
      this.run(turn).then(
        () => { if (turn === this.turn) this.options.onSuccess(); },
        (error) => {
          if (turn !== this.turn || error instanceof Stopped) return;
          this.stop();
          this.options.onError(error);
        },
      );
    }

    stop() {
      this.turn += 1;
      for (const request of this.requests) request.abort();
      this.requests.clear();
    }

    async abort(forGood = false) {
      this.stop();
      if (!forGood || !this.url) return;
      const url = this.url;
      this.url = null;
      localStorage.removeItem(await this.place());
      await this.send("DELETE", url, { headers: this.options.headers });
    }

    async run(turn) {
      for (let round = 0; ; round += 1) {
        const state = await this.state(turn);
        if (!state.done) await this.sendParts(turn, state);
        const answer = state.done || await this.again(turn, () => this.ask("POST", `${this.url}complete/`, {}), [409]);
        if (answer !== "again") break;
        if (round === ROUNDS) throw new Refused(null, "parts are lost again and again");
      }
      localStorage.removeItem(await this.place());
    }

    /** What the server knows of the upload; a new one if there is none yet, or not any more. */
    async state(turn) {
      if (this.url) {
        const known = await this.again(turn, () => this.ask("GET", this.url), [404]);
        if (known !== "again") return known;
      }
      const begun = await this.again(turn, () =>
        this.ask("POST", this.options.endpoint, { name: this.file.name, size: this.file.size }));
      this.url = begun.url;
      localStorage.setItem(await this.place(), begun.url);
      return this.again(turn, () => this.ask("GET", this.url));
    }

    async sendParts(turn, { part_bytes: each, arrived }) {
      const here = new Set(arrived);
      const count = Math.ceil(this.file.size / each);
      const left = [];
      for (let number = 1; number <= count; number += 1) if (!here.has(number)) left.push(number);
      const piece = (number) => this.file.slice((number - 1) * each, number * each);
      let sent = arrived.reduce((sum, number) => sum + piece(number).size, 0);
      const moving = new Map();
      const report = () => {
        let now = sent;
        for (const bytes of moving.values()) now += bytes;
        if (turn === this.turn) this.options.onProgress(Math.min(now, this.file.size), this.file.size);
      };
      report();
      const send = async (number, body) => {
        // Signed part by part, just before it is used: an address is good for minutes only.
        const { addresses } = await this.ask("POST", `${this.url}parts/`, { numbers: [number] });
        const onprogress = (event) => { moving.set(number, event.loaded); report(); };
        try {
          await this.send("PUT", addresses[number], { body, onprogress });
        } catch (error) {
          // What the store says is not for people, and may be an address that is too old: worth another try.
          throw error instanceof Stopped ? error : new Refused(null, error.message);
        } finally {
          moving.delete(number);
        }
      };
      const work = async () => {
        for (let number = left.shift(); number; number = left.shift()) {
          const body = piece(number);
          const answer = await this.again(turn, () => send(number, body), [409]);
          if (answer === "again") return; // another tab has sent all of it
          sent += body.size;
          report();
        }
      };
      await Promise.all(Array.from({ length: PARTS_AT_ONCE }, work));
    }

    /** Does it, again after a while where that may help; "again" for an answer that the caller expects. */
    async again(turn, act, expected = []) {
      for (let tries = 0; ; tries += 1) {
        if (turn !== this.turn) throw new Stopped();
        try {
          const answer = await act();
          if (turn !== this.turn) throw new Stopped();
          return answer;
        } catch (error) {
          if (turn !== this.turn) throw new Stopped();
          const status = error.originalResponse?.getStatus();
          if (expected.includes(status)) return "again";
          const delays = this.options.retryDelays;
          if (error instanceof Stopped || tries >= delays.length || !this.options.onShouldRetry(error)) throw error;
          await new Promise((wake) => setTimeout(wake, delays[tries]));
        }
      }
    }

    async ask(method, url, what) {
      const headers = { ...this.options.headers, "Content-Type": "application/json" };
      const request = await this.send(method, url, { headers, body: what && JSON.stringify(what) });
      return JSON.parse(request.responseText);
    }

    /** XMLHttpRequest, because fetch does not say how much of a body has left. */
    send(method, url, { headers = {}, body = null, onprogress = null }) {
      return new Promise((resolve, reject) => {
        const request = new XMLHttpRequest();
        request.open(method, url);
        for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
        if (onprogress) request.upload.onprogress = onprogress;
        const fail = (error) => {
          this.requests.delete(request);
          reject(error);
        };
        request.onload = () => {
          this.requests.delete(request);
          if (request.status >= 200 && request.status < 300) resolve(request);
          else fail(new Refused(request));
        };
        request.onerror = () => fail(new Refused(null));
        request.onabort = () => fail(new Stopped());
        this.requests.add(request);
        request.send(body);
      });
    }
  };
})();

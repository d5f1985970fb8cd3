// What the label page asks the server (docs/labelling.md). A lost connection, or a server that is away for a
// moment, is tried again with the same key, so that nothing is kept twice and nothing is lost.

const PAUSES = [400, 1000, 2500, 5000];
const page = () => document.getElementById("label");

export class Refused extends Error {
  constructor(status, said) {
    super(said?.error ?? "The server gave an answer that cannot be read.");
    this.status = status;
    this.said = said ?? {};
  }
}

// Not crypto.randomUUID: browsers have it for HTTPS and localhost only.
export const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

const once = async (method, address, body, more) => {
  const headers = { Accept: "application/json", "X-CSRFToken": page().dataset.token };
  const sent = body === undefined ? undefined : JSON.stringify(body);
  const answered = await fetch(address, { method, headers, body: sent, ...more });
  const said = await answered.json().catch(() => null);
  if (!answered.ok || said === null) throw new Refused(answered.status, said);
  return said;
};

// `waiting` is told when the answer takes its time: 0 for the first try that failed, 1 for the next ...
export const ask = async (method, address, body, { waiting = () => {}, tries = Infinity } = {}) => {
  for (let number = 0; ; number += 1) {
    try {
      return await once(method, address, body);
    } catch (error) {
      const passing = !(error instanceof Refused) || error.status >= 500;
      if (!passing || number + 1 >= tries) throw error;
      waiting(number);
      await new Promise((go) => setTimeout(go, PAUSES[Math.min(number, PAUSES.length - 1)]));
    }
  }
};

// Sent even while the page goes away.
export const send = (method, address, body) => once(method, address, body, { keepalive: true }).catch(() => null);

export const loadPicture = async (address, tries = 6) => {
  for (let number = 0; ; number += 1) {
    const image = new Image();
    image.src = address;
    try {
      await image.decode();
      return image;
    } catch (error) {
      if (number + 1 >= tries) throw error;
      await new Promise((go) => setTimeout(go, 500 * (number + 1)));
    }
  }
};

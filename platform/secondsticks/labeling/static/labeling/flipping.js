// Neighbouring frames to flip through: open or closed is often only clear in motion. They are for looking only.

import { loadPicture } from "./requests.js";

const AHEAD = [1, -1, 2, -2]; // fetched before anybody asks

export class Flipping {
  constructor(canvas, slider) {
    this.canvas = canvas;
    this.slider = slider;
    this.words = document.getElementById("flip-words");
    slider.addEventListener("input", () => this.to(this.frame.frame + Number(slider.value)));
    slider.addEventListener("change", () => slider.blur());
  }

  open(frame, own) {
    this.frame = frame;
    this.own = own;
    this.at = frame.frame;
    this.pictures = new Map();
    this.slider.min = frame.neighbours.first - frame.frame;
    this.slider.max = frame.neighbours.last - frame.frame;
    this.show();
    // One after the other, and only when nothing else waits: each costs the server a decode.
    const mine = frame;
    setTimeout(async () => {
      for (const by of AHEAD) if (this.frame === mine) await this.picture(mine.frame + by)?.catch(() => null);
    }, 600);
  }

  get away() {
    return this.at !== this.frame.frame;
  }

  picture(number) {
    const { first, last, picture } = this.frame.neighbours;
    if (number < first || number > last || number === this.frame.frame) return null;
    if (!this.pictures.has(number)) {
      const loaded = loadPicture(picture.replace("{frame}", number));
      loaded.catch(() => this.pictures.delete(number));
      this.pictures.set(number, loaded);
    }
    return this.pictures.get(number);
  }

  by(step) {
    this.to(this.at + step);
  }

  home() {
    this.to(this.frame.frame);
  }

  async to(number) {
    const { first, last } = this.frame.neighbours;
    const { frame } = this;
    this.at = Math.min(Math.max(number, first), last);
    const wanted = this.at;
    if (!this.away) return this.show();
    this.say("loading…");
    try {
      const image = await this.picture(wanted);
      if (this.frame === frame && this.at === wanted) this.show(image);
      const further = wanted + Math.sign(wanted - frame.frame);
      this.picture(further)?.catch(() => null);
    } catch {
      if (this.frame === frame && this.at === wanted) this.say("this frame cannot be shown");
    }
    return null;
  }

  show(image = null) {
    this.canvas.flip(image, this.own);
    this.slider.value = this.at - this.frame.frame;
    this.say("");
  }

  say(more) {
    const by = this.at - this.frame.frame;
    const place = by ? `${Math.abs(by)} frame${Math.abs(by) > 1 ? "s" : ""} ${by > 0 ? "later" : "earlier"}, only to look; Esc comes back` : "the frame that is asked about";
    this.words.textContent = more ? `${place}: ${more}` : place;
    this.words.classList.toggle("away", by !== 0);
  }
}

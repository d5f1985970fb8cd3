// The picture with its boxes: select, move, resize, draw, zoom. Boxes are {x, y, w, h, state} in pixels of the
// picture; one with `proposed` is as the champion saw it and loses that when it is touched. Knows no server.

const COLOURS = { open: "#f0b429", closed: "#5fd38d", undecided: "#e9ebed" };
const SMALLEST = 4; // pixels of the picture
const MOST_ZOOM = 12;
const COARSE = window.matchMedia("(pointer: coarse)").matches;

const between = (value, low, high) => Math.min(Math.max(value, low), high);

export class Canvas {
  // `changing` is called before boxes change, `changed` after; `chosen` when another box is selected.
  constructor(holder, { changing, changed, chosen }) {
    this.holder = holder;
    this.tell = { changing, changed, chosen };
    this.boxes = [];
    this.selected = -1;
    this.drawing = false;
    this.size = { width: 16, height: 9 };
    this.stage = new Konva.Stage({ container: holder, width: 16, height: 9 });
    this.pictures = new Konva.Layer({ listening: false });
    this.marks = new Konva.Layer();
    this.stage.add(this.pictures, this.marks);
    this.picture = new Konva.Image();
    this.pictures.add(this.picture);
    this.frame = new Konva.Transformer({
      rotateEnabled: false, flipEnabled: false, keepRatio: false, ignoreStroke: true, borderEnabled: false,
      anchorSize: COARSE ? 16 : 9, anchorCornerRadius: 2, anchorStroke: "#0f1113", anchorFill: "#fff",
      boundBoxFunc: (old, wanted) => {
        const least = SMALLEST * this.stage.scaleX();
        return wanted.width < least || wanted.height < least ? old : wanted;
      },
    });
    this.marks.add(this.frame);
    this.watchPointer();
    new ResizeObserver(() => this.resize()).observe(holder);
    this.resize();
  }

  // --- what is shown -----------------------------------------------------------------------------------------

  show(image, width, height) {
    const other = width !== this.size.width || height !== this.size.height;
    this.size = { width, height };
    this.picture.setAttrs({ image, width, height });
    if (other) this.fit(); else this.refresh();
  }

  // A neighbouring frame in place of the picture, to look at only; null brings the picture back.
  flip(image, own) {
    this.picture.image(image ?? own);
    this.marks.listening(!image);
    this.marks.opacity(image ? 0.35 : 1);
    this.frame.visible(!image);
    this.stage.batchDraw();
  }

  set(boxes, selected = boxes.length ? 0 : -1) {
    this.boxes = boxes.map((box) => ({ ...box }));
    this.select(selected);
  }

  // Boxes of another version, to compare: seen and not touched.
  ghosts(boxes) {
    this.others = boxes ?? [];
    this.refresh();
  }

  select(number) {
    this.selected = number >= 0 && number < this.boxes.length ? number : -1;
    this.refresh();
    this.tell.chosen(this.selected);
  }

  draw(on) {
    this.drawing = on;
    this.holder.classList.toggle("drawing", on);
    this.refresh();
  }

  // --- changes ------------------------------------------------------------------------------------------------

  change(make) {
    this.tell.changing();
    make();
    this.refresh();
    this.tell.changed();
  }

  setState(state) {
    const box = this.boxes[this.selected];
    if (box) this.change(() => { box.state = state; delete box.proposed; });
    return Boolean(box);
  }

  remove() {
    if (this.selected < 0) return false;
    this.change(() => {
      this.boxes.splice(this.selected, 1);
      this.selected = Math.min(this.selected, this.boxes.length - 1);
    });
    this.tell.chosen(this.selected);
    return true;
  }

  nudge(x, y) {
    const box = this.boxes[this.selected];
    if (box) this.change(() => this.place(box, { ...box, x: box.x + x, y: box.y + y }));
  }

  place(box, { x, y, w, h }) {
    const { width, height } = this.size;
    box.w = between(w, SMALLEST, width);
    box.h = between(h, SMALLEST, height);
    box.x = between(x, 0, width - box.w);
    box.y = between(y, 0, height - box.h);
    delete box.proposed;
  }

  // A box that was drawn replaces the selected one where that was asked for, and is a new one otherwise.
  drawn(place) {
    this.change(() => {
      const old = this.drawing ? this.boxes[this.selected] : null;
      const box = old ?? { state: null };
      this.place(box, place);
      if (!old) this.selected = this.boxes.push(box) - 1;
    });
    this.draw(false);
    this.tell.chosen(this.selected);
  }

  // --- zoom ---------------------------------------------------------------------------------------------------

  get fitting() {
    return Math.min(this.stage.width() / this.size.width, this.stage.height() / this.size.height);
  }

  resize() {
    const fits = Math.abs(this.stage.scaleX() - this.fitting) < 1e-6 || this.stage.width() < 20;
    this.stage.size({ width: this.holder.clientWidth || 16, height: this.holder.clientHeight || 9 });
    if (fits) this.fit(); else this.keepInside();
  }

  fit() {
    this.stage.scale({ x: this.fitting, y: this.fitting });
    this.keepInside();
  }

  zoom(factor, at = { x: this.stage.width() / 2, y: this.stage.height() / 2 }) {
    const before = this.stage.scaleX();
    const scale = between(before * factor, this.fitting, this.fitting * MOST_ZOOM);
    const point = { x: (at.x - this.stage.x()) / before, y: (at.y - this.stage.y()) / before };
    this.stage.scale({ x: scale, y: scale });
    this.stage.position({ x: at.x - point.x * scale, y: at.y - point.y * scale });
    this.keepInside();
  }

  // To the selected box, with room around it; back to the whole picture when it is zoomed already.
  zoomToBox() {
    const box = this.boxes[this.selected];
    if (!box || this.stage.scaleX() > this.fitting * 1.01) return this.fit();
    const room = 1.8;
    const scale = Math.min(this.stage.width() / (box.w * room), this.stage.height() / (box.h * room));
    const zoomed = between(scale, this.fitting, this.fitting * MOST_ZOOM);
    this.stage.scale({ x: zoomed, y: zoomed });
    this.stage.position({
      x: this.stage.width() / 2 - (box.x + box.w / 2) * zoomed,
      y: this.stage.height() / 2 - (box.y + box.h / 2) * zoomed,
    });
    return this.keepInside();
  }

  // The picture never leaves the view; where it is smaller than the view it stays in the middle.
  keepInside() {
    const scale = this.stage.scaleX();
    const along = (at, view, length) => (length <= view ? (view - length) / 2 : between(at, view - length, 0));
    this.stage.position({
      x: along(this.stage.x(), this.stage.width(), this.size.width * scale),
      y: along(this.stage.y(), this.stage.height(), this.size.height * scale),
    });
    this.refresh();
  }

  // --- drawing it ---------------------------------------------------------------------------------------------

  refresh() {
    this.marks.find(".box, .name, .other").forEach((shape) => shape.destroy());
    const shapes = this.boxes.map((box, number) => this.shapeOf(box, number));
    for (const other of this.others ?? []) this.marks.add(this.outline(other, { name: "other", dash: [2, 4], opacity: 0.8, listening: false }));
    this.boxes.forEach((box) => this.marks.add(this.nameOf(box)));
    this.frame.nodes(this.selected >= 0 && !this.drawing ? [shapes[this.selected]] : []);
    this.frame.moveToTop();
    this.stage.batchDraw();
  }

  outline(box, more) {
    return new Konva.Rect({
      x: box.x, y: box.y, width: box.w, height: box.h, stroke: COLOURS[box.state ?? "undecided"],
      strokeWidth: 2, strokeScaleEnabled: false, ...more,
    });
  }

  shapeOf(box, number) {
    const shape = this.outline(box, {
      name: "box", draggable: number === this.selected, listening: !this.drawing, fill: "rgba(0,0,0,0.001)",
      strokeWidth: number === this.selected ? 3 : 2, dash: box.proposed ? [8, 5] : [],
    });
    const read = () => ({
      x: shape.x(), y: shape.y(), w: shape.width() * shape.scaleX(), h: shape.height() * shape.scaleY(),
    });
    shape.on("mousedown touchstart", () => { if (number !== this.selected) this.select(number); });
    shape.on("dragend transformend", () => this.change(() => this.place(box, read())));
    this.marks.add(shape);
    return shape;
  }

  nameOf(box) {
    const scale = 1 / this.stage.scaleX();
    const words = `${box.state ?? "open or closed?"}${box.proposed ? ` · proposed ${Math.round(box.score * 100)} %` : ""}`;
    const name = new Konva.Label({ name: "name", x: box.x, y: box.y, scaleX: scale, scaleY: scale, listening: false });
    name.add(new Konva.Tag({ fill: "rgba(15,17,19,0.82)", cornerRadius: 3 }));
    name.add(new Konva.Text({ text: words, padding: 4, fontSize: 13, fontFamily: "system-ui, sans-serif", fill: COLOURS[box.state ?? "undecided"] }));
    const above = box.y - name.height() * scale;
    name.y(above > -this.stage.y() * scale ? above : box.y);
    return name;
  }

  // --- the pointer --------------------------------------------------------------------------------------------

  watchPointer() {
    let from = null; // where a box was begun, in pixels of the picture
    let hand = null; // where the picture was taken hold of
    let pinch = null;
    const rubber = new Konva.Rect({ stroke: COLOURS.undecided, strokeWidth: 2, strokeScaleEnabled: false, visible: false, listening: false });
    this.marks.add(rubber);
    const point = () => {
      const at = this.stage.getRelativePointerPosition();
      return { x: between(at.x, 0, this.size.width), y: between(at.y, 0, this.size.height) };
    };
    const rectangle = (to) => ({ x: Math.min(from.x, to.x), y: Math.min(from.y, to.y), w: Math.abs(to.x - from.x), h: Math.abs(to.y - from.y) });
    const stop = () => { from = hand = pinch = null; rubber.visible(false); this.stage.batchDraw(); };

    this.stage.on("mousedown touchstart", ({ evt, target }) => {
      if (!this.marks.listening() || evt.touches?.length > 1) return stop();
      if (target !== this.stage && !this.drawing) return;
      const finger = evt.type === "touchstart";
      const pans = evt.button === 1 || evt.shiftKey || (finger && !this.drawing && this.boxes.length);
      if (pans) hand = { at: this.stage.getPointerPosition(), was: this.stage.position() };
      else if (!evt.button) from = point();
    });
    this.stage.on("mousemove touchmove", ({ evt }) => {
      if (evt.touches?.length === 2) {
        const box = this.holder.getBoundingClientRect();
        const [one, two] = evt.touches;
        const apart = Math.hypot(one.clientX - two.clientX, one.clientY - two.clientY);
        const at = { x: (one.clientX + two.clientX) / 2 - box.x, y: (one.clientY + two.clientY) / 2 - box.y };
        if (pinch) {
          this.stage.position({ x: this.stage.x() + at.x - pinch.at.x, y: this.stage.y() + at.y - pinch.at.y });
          this.zoom(apart / pinch.apart, at);
        }
        pinch = { apart, at };
        from = hand = null;
        return;
      }
      if (hand) {
        const at = this.stage.getPointerPosition();
        this.stage.position({ x: hand.was.x + at.x - hand.at.x, y: hand.was.y + at.y - hand.at.y });
        this.keepInside();
      }
      if (!from) return;
      const { x, y, w, h } = rectangle(point());
      rubber.setAttrs({ x, y, width: w, height: h, visible: true });
      this.marks.batchDraw();
    });
    const end = () => {
      const place = from && this.stage.getPointerPosition() ? rectangle(point()) : null;
      const begun = from !== null;
      stop();
      const least = SMALLEST / Math.min(this.stage.scaleX(), 1);
      if (place && place.w >= least && place.h >= least) this.drawn(place);
      else if (begun && !this.drawing) this.select(-1);
    };
    window.addEventListener("mouseup", (event) => { if (from || hand) { this.stage.setPointersPositions(event); end(); } });
    this.stage.on("touchend touchcancel", end);
    this.stage.on("wheel", ({ evt }) => {
      evt.preventDefault();
      this.zoom(Math.exp(-between(evt.deltaY, -100, 100) / 300), this.stage.getPointerPosition());
    });
  }
}

import { percent } from "../../src/cli/text.js";
import { loadNetwork, type Network } from "../../src/run/index.js";
import { bar, color, element, onColors } from "./dom.js";
import { best, type Reader, SIDE } from "./network.js";
import { imageOf, type Point } from "./strokes.js";

// The drawing area, and what the network reads on it.

/** Width of the pen's line, of the pad's side. */
const PEN = 0.06;

/** How far an arrow key moves the pen. */
const STEP = 0.04;

const ARROWS: Readonly<Record<string, Point>> = {
  ArrowLeft: { x: -STEP, y: 0 },
  ArrowRight: { x: STEP, y: 0 },
  ArrowUp: { x: 0, y: -STEP },
  ArrowDown: { x: 0, y: STEP },
};

export class Pad {
  readonly #canvas: HTMLCanvasElement = element<HTMLCanvasElement>("pad");
  #strokes: Point[][] = [];
  #network: Network | undefined;
  /** Says which network reads. */
  #reader = "";
  #drawing = false;
  /** Where the pen of the keyboard is, and whether it draws. */
  #pen: Point = { x: 0.5, y: 0.3 };
  #penDown = false;
  #penShown = false;
  #asked = false;

  constructor() {
    const canvas = this.#canvas;
    canvas.setAttribute("role", "application"); // the keys below are its own
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => void (this.#drawing = false));
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("focus", () => this.#showPen(canvas.matches(":focus-visible")));
    canvas.addEventListener("blur", () => this.#showPen(false));
    element("clear").addEventListener("click", () => this.clear());
    onColors(() => this.#draw());
    new ResizeObserver(() => this.#draw()).observe(canvas);
    this.#answer();
  }

  /** Reads with another network, once it is loaded: from its archive, without that its weights are ever unpacked. */
  async use({ archive, spec }: Reader, name: string): Promise<void> {
    const network = await loadNetwork(archive, spec, { softmax: true });
    this.#network?.dispose();
    this.#network = network;
    const weighted = network.layers.filter(({ weights }) => weights > 0);
    const start = weighted[0].type === "linear" ? network.inputs : network.inputShape.slice(1).join("×");
    const widths = [start, ...weighted.map(({ shape }) => shape[0])].join("–");
    const kept = weighted.reduce((sum, { survivors }) => sum + survivors, 0);
    this.#reader = `Read by the ${widths} network out of ${name}, with the ${kept.toLocaleString("en-US")} weights that survive in it.`;
    element("reader").textContent = this.#reader;
    this.#answer();
  }

  /** Goes on with the network that it has, where another file brings none. */
  keep(why: string): void {
    if (this.#network) element("reader").textContent = `${why}. ${this.#reader.replace(/^Read/, "Still read")}`;
  }

  clear(): void {
    this.#strokes = [];
    this.#penDown = false;
    this.#changed();
  }

  #at(event: PointerEvent): Point {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    return { x: (event.clientX - left) / width, y: (event.clientY - top) / height };
  }

  #down(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#showPen(false);
    this.#drawing = true;
    this.#penDown = false;
    this.#strokes.push([this.#at(event)]);
    this.#changed();
  }

  #move(event: PointerEvent): void {
    if (!this.#drawing) return;
    for (const one of event.getCoalescedEvents?.() ?? [event]) this.#strokes.at(-1)!.push(this.#at(one));
    this.#changed();
  }

  #key(event: KeyboardEvent): void {
    const { key } = event;
    const by = ARROWS[key];
    if (by) {
      const within = (value: number): number => Math.min(1, Math.max(0, value));
      this.#pen = { x: within(this.#pen.x + by.x), y: within(this.#pen.y + by.y) };
      if (this.#penDown) this.#strokes.at(-1)!.push(this.#pen);
    } else if (key === " ") {
      this.#penDown = !this.#penDown;
      if (this.#penDown) this.#strokes.push([this.#pen]);
    } else if (key === "Delete" || key === "Backspace") {
      this.clear();
    } else return;
    event.preventDefault();
    this.#penShown = true;
    this.#changed();
  }

  #showPen(shown: boolean): void {
    this.#penShown = shown;
    this.#draw();
  }

  /** At most once for a frame, however fast the pointer is. */
  #changed(): void {
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame(() => {
      this.#asked = false;
      this.#draw();
      this.#answer();
    });
  }

  #draw(): void {
    const side = Math.round(this.#canvas.clientWidth * devicePixelRatio);
    if (side === 0) return;
    this.#canvas.width = this.#canvas.height = side;
    const context = this.#canvas.getContext("2d")!;
    context.strokeStyle = color("ink");
    context.lineWidth = PEN * side;
    context.lineCap = context.lineJoin = "round";
    for (const stroke of this.#strokes) {
      context.beginPath();
      for (const { x, y } of stroke) context.lineTo(x * side, y * side);
      const [{ x, y }] = stroke;
      if (stroke.length === 1) context.lineTo(x * side + 0.01, y * side);
      context.stroke();
    }
    if (this.#strokes.length === 0 && !this.#penShown) {
      context.font = `${16 * devicePixelRatio}px ${getComputedStyle(this.#canvas).fontFamily}`;
      context.textAlign = "center";
      context.fillStyle = color("soft");
      context.fillText("draw here", side / 2, side / 2);
    }
    if (!this.#penShown) return;
    context.beginPath();
    context.lineWidth = 2 * devicePixelRatio;
    context.strokeStyle = color("amber");
    context.fillStyle = color("amber");
    context.arc(this.#pen.x * side, this.#pen.y * side, (PEN * side) / 2, 0, 2 * Math.PI);
    if (this.#penDown) context.fill();
    context.stroke();
  }

  #answer(): void {
    const image = imageOf(this.#strokes);
    this.#showSeen(image);
    const blank = this.#strokes.length === 0;
    const likely = this.#network && !blank ? this.#network.run(image) : new Float32Array(10);
    const most = best(likely);
    // The same text again would be read aloud again.
    const text = likely[most] > 0 ? String(most) : "";
    if (element("digit").textContent !== text) element("digit").textContent = text;
    element("likely").hidden = blank;
    element("blank").hidden = !blank;
    const bars = Array.from(likely, (part, digit) =>
      bar(digit === most && part > 0 ? "ours" : "", String(digit), part, part > 0 ? percent(part) : ""),
    );
    element("likely").replaceChildren(...bars);
  }

  #showSeen(image: Float32Array): void {
    const context = element<HTMLCanvasElement>("seen").getContext("2d")!;
    const pixels = context.createImageData(SIDE, SIDE);
    for (const [i, ink] of image.entries()) pixels.data.fill(Math.round(255 * ink), 4 * i, 4 * i + 3).fill(255, 4 * i + 3, 4 * i + 4);
    context.putImageData(pixels, 0, 0);
  }
}

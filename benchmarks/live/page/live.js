// The page: brings connection, picture, painter and controls together, and draws a frame when the screen wants one.

import { Controls } from "./controls.js";
import { Film } from "./film.js";
import { Link } from "./link.js";
import { Painter } from "./painter.js";
import { Picture, WIRE_VERSION } from "./picture.js";
import { Words } from "./words.js";

// While a window is being resized, the picture is only enlarged; afterwards the server lays it out anew.
const SETTLED_MS = 150;

const canvas = document.getElementById("picture");
const still = matchMedia("(prefers-reduced-motion: reduce)");
const picture = new Picture();
const painter = new Painter(canvas);
const words = new Words();
const film = new Film(canvas, (note) => words.note(note));
const controls = new Controls(canvas, document.getElementById("buttons"), press);

// What tests and the curious may read: frames drawn and pictures received since the start, and what is shown.
export const meter = { frames: 0, pictures: 0 };
export const current = () => ({ hello: greeting, picture, state });

let greeting = null;
let state = {};
let drawn = -1;
let stale = true;
let settling = 0;

const link = new Link(location.hash.slice(1), {
  hello(hello) {
    if (hello.wire !== WIRE_VERSION) location.reload();
    greeting = hello;
    controls.learn(hello);
    words.learn(hello);
  },
  message(message) {
    if (message.refused !== undefined) words.note(message.refused);
    else if (message.trouble) words.banner(message.trouble);
    else if (message.number !== undefined) show(message);
  },
  state(kind, why) {
    document.body.classList.toggle("away", kind !== "here");
    document.body.dataset.link = kind;
    words.banner(kind === "here" && picture.number < 0 ? "The first picture is on its way …" : why);
    if (kind === "here") {
      drawn = -1;
      ask();
    }
  },
});

// Asks the server for a picture of the window's size, within what it draws.
function ask() {
  if (!greeting) return;
  const within = (value, place) => Math.min(Math.max(Math.round(value), greeting.smallest[place]), greeting.largest[place]);
  link.send({ size: [within(innerWidth, 0), within(innerHeight, 1)] });
}

function show(message) {
  const changed = picture.take(message, performance.now());
  state = message.state;
  canvas.hidden = false;
  words.banner("");
  meter.pictures += 1;
  if (!fit()) painter.repaint(picture, changed);
  controls.place(picture, painter.enlarged, state);
  words.state(state.sentence);
  stale = true;
}

// Fits the picture into the window; returns whether that painted it anew.
function fit() {
  if (!painter.fit(picture, innerWidth, innerHeight, devicePixelRatio)) return false;
  painter.repaint(picture, Object.keys(picture.layers));
  controls.place(picture, painter.enlarged, state);
  stale = true;
  return true;
}

function press(name, zone) {
  if (name === "help") words.help();
  else if (name === "screenshot") film.photo();
  else if (name === "record") film.toggle();
  else if (name === "quit") words.confirmEnd(() => link.send({ control: "quit" }));
  else if (name !== "unselect" || state.selected !== null) link.send({ control: name, zone });
}

function frame(nowMs) {
  requestAnimationFrame(frame);
  if (picture.number < 0) return;
  const phase = still.matches ? 1 : picture.phaseAt(nowMs);
  if (!stale && phase === frame.phase) return;
  painter.show(picture, phase);
  [stale, frame.phase] = [false, phase];
  meter.frames += 1;
  if (drawn !== picture.number) {
    drawn = picture.number;
    link.send({ drawn });
  }
}

addEventListener("resize", () => {
  fit();
  clearTimeout(settling);
  settling = setTimeout(ask, SETTLED_MS);
});
addEventListener("hashchange", () => location.reload());
still.addEventListener("change", () => { stale = true; });
requestAnimationFrame(frame);
link.open();

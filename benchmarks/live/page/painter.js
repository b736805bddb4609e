// From shapes to pixels. Layers are painted when they change and kept as bitmaps; a frame is two of those and the dots.

import { drawDots } from "./dots.js";

// All as wide as FreeSans Bold, for which the picture is laid out; what is wider after all is squeezed.
const FONTS = 'FreeSans, "Nimbus Sans", Helvetica, Arial, "Liberation Sans", Arimo, sans-serif';

// Of a capital letter above the line that it stands on, per size; half of it brings a text to its middle.
const CAPITAL = 0.72;

const ALIGN = { left: "left", middle: "center", right: "right" };

export class Painter {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.under = document.createElement("canvas");
    this.over = document.createElement("canvas");
    this.scale = 0;
  }

  // Gives the canvas the picture's size, as large as fits into a box in CSS px; returns whether anything changed.
  fit(picture, width, height, ratio) {
    if (!picture.width) return false;
    const enlarged = Math.min(width / picture.width, height / picture.height);
    const scale = enlarged * ratio;
    const pixels = [Math.round(picture.width * scale), Math.round(picture.height * scale)];
    const same = this.scale === scale && this.canvas.width === pixels[0] && this.canvas.height === pixels[1];
    if (same) return false;
    this.scale = scale;
    this.enlarged = enlarged;
    for (const canvas of [this.canvas, this.under, this.over]) [canvas.width, canvas.height] = pixels;
    this.canvas.style.width = `${picture.width * enlarged}px`;
    this.canvas.style.height = `${picture.height * enlarged}px`;
    return true;
  }

  // Paints layers anew; names of all that changed.
  repaint(picture, names) {
    if (!this.scale) return;
    if (names.includes("ground") || names.includes("below")) {
      const context = this.#cleared(this.under);
      context.fillStyle = picture.colours.paper;
      context.fillRect(0, 0, picture.width, picture.height);
      this.#draw(context, picture, [...picture.layers.ground, ...picture.layers.below]);
    }
    if (names.includes("above")) this.#draw(this.#cleared(this.over), picture, picture.layers.above);
  }

  // Shows a moment of the picture.
  show(picture, phase) {
    const { context } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(this.under, 0, 0);
    if (picture.dots.count) {
      context.setTransform(this.scale, 0, 0, this.scale, 0, 0);
      drawDots(context, picture.dots, picture.colours, phase);
      context.setTransform(1, 0, 0, 1, 0, 0);
    }
    if (picture.layers.above.length) context.drawImage(this.over, 0, 0);
  }

  #cleared(canvas) {
    const context = canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.setTransform(this.scale, 0, 0, this.scale, 0, 0);
    context.lineJoin = "round";
    context.textBaseline = "alphabetic";
    return context;
  }

  #draw(context, picture, shapes) {
    const pen = { context, colours: picture.colours, snap: (value) => Math.round(value * this.scale) / this.scale };
    for (const [kind, ...rest] of shapes) DRAW[kind](pen, ...rest);
  }
}

// An edge lies inside, of discs and of rectangles.
function circle({ context, colours }, x, y, radius, fill, edge, thickness) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  if (fill !== null) {
    context.fillStyle = colours[fill];
    context.fill();
  }
  if (edge != null) {
    context.beginPath();
    context.arc(x, y, Math.max(radius - thickness / 2, 0), 0, 2 * Math.PI);
    context.strokeStyle = colours[edge];
    context.lineWidth = thickness;
    context.stroke();
  }
}

// Sides lie on whole device pixels, so that they are crisp.
function rectangle({ context, colours, snap }, x, y, width, height, fill, edge, thickness, corner) {
  const [left, top] = [snap(x), snap(y)];
  const [wide, high] = [snap(x + width) - left, snap(y + height) - top];
  if (fill !== null) {
    outline(context, left, top, wide, high, corner);
    context.fillStyle = colours[fill];
    context.fill();
  }
  if (edge != null) {
    const half = thickness / 2;
    outline(context, left + half, top + half, wide - thickness, high - thickness, Math.max(corner - half, 0));
    context.strokeStyle = colours[edge];
    context.lineWidth = thickness;
    context.stroke();
  }
}

function outline(context, left, top, width, height, corner) {
  context.beginPath();
  if (corner > 0) context.roundRect(left, top, Math.max(width, 0), Math.max(height, 0), corner);
  else context.rect(left, top, Math.max(width, 0), Math.max(height, 0));
}

function trace(context, points) {
  context.beginPath();
  for (let place = 0; place < points.length; place += 2) context.lineTo(points[place], points[place + 1]);
}

function line({ context, colours }, points, colour, thickness) {
  trace(context, points);
  context.strokeStyle = colours[colour];
  context.lineWidth = thickness;
  context.stroke();
}

function polygon({ context, colours }, points, fill) {
  trace(context, points);
  context.fillStyle = colours[fill];
  context.fill();
}

function text({ context, colours }, x, y, words, size, colour, align, width) {
  context.font = `bold ${size}px ${FONTS}`;
  context.textAlign = ALIGN[align];
  context.fillStyle = colours[colour];
  context.fillText(words, x, y + (CAPITAL / 2) * size, Math.max(width, 1));
}

const DRAW = { c: circle, r: rectangle, l: line, p: polygon, t: text };

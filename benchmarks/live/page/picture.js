// What is shown: the last picture, put together from what came. What a message does not name stays as it was.

import { decodeDots } from "./dots.js";

export const WIRE_VERSION = 1;

// A longer time between two pictures is a pause, and says nothing about how fast they come.
const LONGEST_GAP_S = 1;

// How much of the time between two pictures the last one counts; the times before fade.
const SHARE = 0.3;

// Pictures are late only if they come more slowly than ticks by more than this: their times vary.
const SLACK = 1.1;

export class Picture {
  constructor() {
    this.gapS = 0;
    this.number = -1;
    this.width = 0;
    this.height = 0;
    this.colours = {};
    this.layers = { ground: [], below: [], above: [] };
    this.dots = decodeDots(null);
    this.hits = [];
    this.phase = 1;
    this.phasePerS = 0;
    this.arrivedMs = 0;
  }

  // Takes a message in; returns which layers have to be painted anew.
  take(message, nowMs) {
    const resized = message.width !== this.width || message.height !== this.height;
    Object.assign(this.layers, message.layers);
    for (const name of ["number", "width", "height", "colours", "hits"]) {
      if (message[name] !== undefined) this[name] = message[name];
    }
    if (message.dots !== undefined) this.dots = decodeDots(message.dots);
    this.phasePerS = this.#pace(message.phase_per_s, 1 - message.phase, nowMs);
    this.phase = message.phase;
    this.arrivedMs = nowMs;
    return resized ? Object.keys(this.layers) : Object.keys(message.layers);
  }

  // Returns how fast dots move: as ticks pass, or, where pictures come more slowly than those, so that they do not stand
  // still at the end of their way until the next one.
  #pace(ticksPerS, way, nowMs) {
    const gapS = (nowMs - this.arrivedMs) / 1000;
    if (!ticksPerS || !this.phasePerS || gapS > LONGEST_GAP_S) this.gapS = 0;
    else this.gapS += SHARE * (gapS - this.gapS);
    return this.gapS ? Math.min(ticksPerS, (SLACK * way) / this.gapS) : ticksPerS;
  }

  // How far between the last tick (0) and this one (1) the dots are.
  phaseAt(nowMs) {
    const passedMs = Math.max(0, nowMs - this.arrivedMs); // a frame may be older than the picture that came meanwhile
    return Math.min(1, this.phase + (this.phasePerS * passedMs) / 1000);
  }

  // What lies at a place, in px of the picture: [x, y, width, height, name, zone], or undefined.
  hitAt(x, y) {
    return this.hits.findLast(([left, top, width, height]) =>
      left <= x && x < left + width && top <= y && y < top + height);
  }
}

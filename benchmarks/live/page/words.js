// What is said in words: the state for screen readers, what is wrong, and the help.

import { keyName } from "./controls.js";

const NOTE_MS = 6000;

// Most often that the state is spoken: a screen reader that is interrupted all the time says nothing.
const SPOKEN_MS = 4000;

const at = (id) => document.getElementById(id);

export class Words {
  constructor() {
    this.spokenMs = -SPOKEN_MS;
    this.pending = "";
    this.timer = 0;
    this.noteTimer = 0;
  }

  // Says how the metaverse fares, at once if nothing was said for a while, else the newest words in time.
  state(sentence) {
    this.pending = sentence;
    if (this.timer || sentence === at("state").textContent) return;
    const wait = Math.max(0, this.spokenMs + SPOKEN_MS - performance.now());
    this.timer = setTimeout(() => {
      this.timer = 0;
      this.spokenMs = performance.now();
      at("state").textContent = this.pending;
    }, wait);
  }

  // Says for some seconds why something was not done.
  note(words) {
    clearTimeout(this.noteTimer);
    at("note").textContent = words;
    at("note").hidden = !words;
    this.noteTimer = setTimeout(() => { at("note").hidden = true; }, NOTE_MS);
  }

  // Says why nothing is shown, or nothing new; nothing with empty words.
  banner(words) {
    if (at("banner").textContent !== words) at("banner").textContent = words;
    at("banner").hidden = !words;
  }

  learn(hello) {
    at("help-rows").replaceChildren(...hello.controls.map(({ keys, help }) => helpRow(keys, help)));
  }

  // Asks before the session ends for everybody.
  confirmEnd(end) {
    const dialog = at("end");
    dialog.onclose = () => { if (dialog.returnValue === "end") end(); };
    dialog.returnValue = "";
    dialog.showModal();
  }

  help() {
    const dialog = at("help");
    if (dialog.open) dialog.close();
    else dialog.showModal();
  }
}

function helpRow(keys, help) {
  const row = document.createElement("li");
  const names = document.createElement("span");
  for (const key of keys) {
    const name = document.createElement("kbd");
    name.textContent = keyName(key);
    names.append(name, " ");
  }
  row.append(names, help);
  return row;
}

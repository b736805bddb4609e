// Keys, buttons and clicks: all of them become names of controls, from the one table that the server sends.

export class Controls {
  // on(name, zone) is called with the name of a control; zone is -1 but for a click on one.
  constructor(canvas, buttons, on) {
    this.canvas = canvas;
    this.buttons = buttons;
    this.on = on;
    this.keys = {};
    this.labels = {};
    this.places = "";
    this.picture = null;
    document.addEventListener("keydown", (event) => this.#pressed(event));
    canvas.addEventListener("click", (event) => this.#clicked(event));
    canvas.addEventListener("pointermove", (event) => this.#hover(event));
  }

  learn(hello) {
    this.labels = Object.fromEntries(hello.controls.map((control) => [control.name, control]));
    this.keys = Object.fromEntries(hello.controls.flatMap(({ name, keys }) => keys.map((key) => [key, name])));
  }

  // Puts a button over every place where the picture draws one; those that stay are moved, so that focus stays.
  place(picture, enlarged, state) {
    this.picture = picture;
    const shown = picture.hits.filter(([, , , , name]) => name in this.labels);
    const places = JSON.stringify([shown, enlarged, state]);
    if (places === this.places) return;
    this.places = places;
    const kept = [...this.buttons.children];
    for (const [x, y, width, height, name] of shown) {
      const place = kept.findIndex((button) => button.dataset.control === name);
      const button = place < 0 ? this.#button(name) : kept.splice(place, 1)[0];
      const box = { left: x, top: y, width, height };
      for (const [side, value] of Object.entries(box)) button.style[side] = `${value * enlarged}px`;
      this.#tell(button, name, state);
    }
    for (const button of kept) button.remove();
  }

  #button(name) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.control = name;
    button.addEventListener("click", (event) => {
      if (event.detail) button.blur(); // after a mouse, Space means pause again, and not this button
      this.on(name, -1);
    });
    this.buttons.append(button);
    return button;
  }

  // What a screen reader says of a button, and whether it is pressed.
  #tell(button, name, state) {
    const { help, keys } = this.labels[name];
    button.setAttribute("aria-label", help);
    button.title = keys.length ? `${help} (${keys.map(keyName).join(" or ")})` : help;
    const layer = name.startsWith("layer:") ? name.slice("layer:".length) : null;
    const pressed = layer === null ? { pause: state.paused }[name] : state.layers.includes(layer);
    if (pressed !== undefined) button.setAttribute("aria-pressed", String(pressed));
  }

  #pressed(event) {
    const dialog = document.querySelector("dialog[open]");
    if (event.ctrlKey || event.metaKey || event.altKey || (dialog && dialog.id !== "help")) return;
    if (dialog && event.key === "Escape") return; // the browser closes the help, and only that
    const key = event.shiftKey && event.key.length > 1 ? `Shift+${event.key}` : event.key;
    const onButton = event.target instanceof HTMLButtonElement && (key === " " || key === "Enter");
    const name = this.keys[key] ?? this.keys[key.toLowerCase()];
    if (name === undefined || onButton) return;
    event.preventDefault();
    this.on(name, -1);
  }

  #hit(event) {
    if (!this.picture) return undefined;
    const box = this.canvas.getBoundingClientRect();
    const enlarged = box.width / this.picture.width;
    return this.picture.hitAt((event.clientX - box.left) / enlarged, (event.clientY - box.top) / enlarged);
  }

  #clicked(event) {
    const hit = this.#hit(event);
    if (hit?.[4] === "zone") this.on("zone", hit[5]);
  }

  #hover(event) {
    this.canvas.classList.toggle("over-zone", this.#hit(event)?.[4] === "zone");
  }
}

// A key as people call it.
export function keyName(key) {
  const names = { " ": "Space", ArrowRight: "→", ArrowLeft: "←", ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc", "-": "−" };
  return names[key] ?? (key.length === 1 ? key.toUpperCase() : key);
}

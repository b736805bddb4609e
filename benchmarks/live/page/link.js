// The connection: greets, listens, tries again when the server is away, and says which of these it does.

const PROTOCOL = "metaverse-live-1";
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 4000;

// The server says something every two seconds, if only that it is there.
const SILENT_MS = 6000;

// What makes further tries useless until somebody does something.
const WRONG_TOKEN = 401;
const NOT_OURS = 403;

export class Link {
  // on: {hello, message, state}; state(kind, words) with kind "here", "away" or "refused".
  constructor(token, on) {
    this.token = token;
    this.on = on;
    this.socket = null;
    this.waitMs = FIRST_WAIT_MS;
    this.heardMs = 0;
    this.silent = false;
    setInterval(() => this.#listen(), 1000);
  }

  async open() {
    if (!this.token) {
      this.on.state("refused", "This address holds no token.\nOpen the one that `metaverse live --web` printed.");
      return;
    }
    let greeting;
    try {
      greeting = await fetch("/hello", { headers: { Authorization: `Bearer ${this.token}` }, cache: "no-store" });
      if (greeting.status === WRONG_TOKEN || greeting.status === NOT_OURS) {
        this.on.state("refused", (await greeting.json()).detail);
        return;
      }
    } catch {
      this.#retry("The server is away.");
      return;
    }
    if (greeting.ok) {
      this.on.hello(await greeting.json());
      this.#connect();
    } else {
      this.#retry((await greeting.json()).detail);
    }
  }

  // Tells the server something; what is said while it is away is lost, as the picture shows.
  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  #connect() {
    const socket = new WebSocket(`ws://${location.host}/ws`, [PROTOCOL, `token.${this.token}`]);
    let opened = false;
    this.socket = socket;
    socket.onopen = () => {
      opened = true;
      this.waitMs = FIRST_WAIT_MS;
      this.heardMs = performance.now();
      this.on.state("here", "");
    };
    socket.onmessage = (event) => {
      this.heardMs = performance.now();
      if (this.silent) this.#listen();
      const message = JSON.parse(event.data);
      if (message.ended !== undefined) this.#finish(message.ended);
      else this.on.message(message);
    };
    socket.onclose = (event) => {
      [this.socket, this.silent] = [null, false];
      if (event.code === 1000) this.on.state("refused", event.reason);
      else this.#retry(opened ? "The connection is lost." : "There is no seat free, or the server is away.");
    };
  }

  // The session has ended, and nobody is to come back.
  #finish(words) {
    this.socket.onclose = null;
    this.socket.close(1000);
    this.socket = null;
    this.on.state("refused", words);
  }

  // Notices a server that is still connected but says nothing, and one that speaks again.
  #listen() {
    const silent = this.socket?.readyState === WebSocket.OPEN && performance.now() - this.heardMs > SILENT_MS;
    if (silent === this.silent) return;
    this.silent = silent;
    if (silent) this.on.state("away", "The server is silent. Waiting …");
    else if (this.socket) this.on.state("here", "");
  }

  #retry(words) {
    this.on.state("away", `${words} Trying again …`);
    setTimeout(() => this.open(), this.waitMs);
    this.waitMs = Math.min(2 * this.waitMs, LONGEST_WAIT_MS);
  }
}

// Screenshots and films, made by the browser and saved where it saves downloads.

const FRAMES_PER_S = 30;
const BITS_PER_S = 8_000_000;
const KINDS = ["video/webm;codecs=vp9", "video/webm", "video/mp4"];

export class Film {
  constructor(canvas, note) {
    this.canvas = canvas;
    this.note = note;
    this.recorder = null;
  }

  photo() {
    this.canvas.toBlob((blob) => save(blob, "png"), "image/png");
  }

  toggle() {
    if (this.recorder) this.recorder.stop();
    else this.#begin();
  }

  #begin() {
    const kind = KINDS.find((each) => globalThis.MediaRecorder?.isTypeSupported(each));
    if (!kind) {
      this.note("This browser cannot record; use a window: metaverse live");
      return;
    }
    const parts = [];
    const recorder = new MediaRecorder(this.canvas.captureStream(FRAMES_PER_S), { mimeType: kind, videoBitsPerSecond: BITS_PER_S });
    recorder.ondataavailable = (event) => parts.push(event.data);
    recorder.onstop = () => {
      this.recorder = null;
      document.body.classList.remove("recording");
      save(new Blob(parts, { type: kind }), kind.includes("mp4") ? "mp4" : "webm");
    };
    recorder.start(1000);
    this.recorder = recorder;
    document.body.classList.add("recording");
  }
}

function save(blob, ending) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `metaverse-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.${ending}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

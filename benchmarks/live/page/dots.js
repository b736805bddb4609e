// Users as moving dots: read from their compact form once a tick, placed by the page's own clock in every frame.

const FIELDS = 10;
const BYTES = 2;
const QUARTERS = 4;
const THOUSANDTHS = 1000;

// Reads {"weight", "radius", "colours", "moves"}: see metaverse_env/rendering/wire.py.
export function decodeDots(dots) {
  if (!dots) return { count: 0, moves: new Float32Array(0), kinds: [], radius: 0, colours: [] };
  const bytes = Uint8Array.from(atob(dots.moves), (character) => character.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const count = bytes.length / (FIELDS * BYTES);
  const moves = new Float32Array(count * FIELDS);
  const kinds = dots.colours.map(() => []);
  for (let dot = 0; dot < count; dot += 1) {
    for (let field = 0; field < FIELDS; field += 1) {
      const place = dot * FIELDS + field;
      moves[place] = view.getInt16(place * BYTES, true) / (field < 6 ? QUARTERS : THOUSANDTHS);
    }
    kinds[view.getInt16((dot * FIELDS + 9) * BYTES, true)].push(dot);
  }
  return { count, moves, kinds, radius: dots.radius, colours: dots.colours };
}

// Draws them as they are at a phase in [0, 1]; one path for each colour.
export function drawDots(context, dots, colours, phase) {
  const { moves, radius } = dots;
  dots.kinds.forEach((members, kind) => {
    if (!members.length) return;
    context.beginPath();
    for (const dot of members) {
      const at = dot * FIELDS;
      const turn = moves[at + 6];
      const first = Math.min(phase / turn, 1);
      const second = Math.max((phase - turn) / (1 - turn), 0);
      const size = radius * (moves[at + 7] + (moves[at + 8] - moves[at + 7]) * phase);
      if (size <= 0) continue;
      const x = moves[at] + (moves[at + 2] - moves[at]) * first + (moves[at + 4] - moves[at + 2]) * second;
      const y = moves[at + 1] + (moves[at + 3] - moves[at + 1]) * first + (moves[at + 5] - moves[at + 3]) * second;
      context.moveTo(x + size, y);
      context.arc(x, y, size, 0, 2 * Math.PI);
    }
    context.fillStyle = colours[dots.colours[kind]];
    context.fill();
  });
}

// Frames of the server taken apart, and a socket that finds its way back to the same place.

const KINDS = { float64: Float64Array, float32: Float32Array, uint8: Uint8Array, int32: Int32Array };

function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const start = 8 * Math.ceil((4 + length) / 8);
  const arrays = {};
  for (const { name, dtype, shape, offset } of header.arrays) {
    const size = shape.reduce((product, n) => product * n, 1);
    arrays[name] = new KINDS[dtype](buffer, start + offset, size);
  }
  return { ...header, type: "frame", arrays };
}

const ORDERS = new Set(["open", "play", "pause", "step", "epoch", "wind"]); // what says whether the run goes on
const FULL = 4429;
const HOPELESS = new Set([1011, 4400]); // a fault of ours, or a message the server does not take

// `opening()` gives the messages that open the run where it now stands; `receive(message)` gets all that arrives;
// `lost(text)` tells what is wrong, with "" once the connection stands again.
class LiveSocket {
  constructor(url, { opening, receive, lost }) {
    Object.assign(this, { url, opening, receive, lost, attempts: 0, ended: false });
    this.connect();
  }

  connect() {
    clearTimeout(this.timer);
    const socket = new WebSocket(this.url);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    this.orders = 0; // sent on this connection; the server says how many it had obeyed when it reports rest
    this.runs = 0; // opened on this connection; the server counts along and says which one a message is about
    socket.onopen = () => {
      this.runs += 1;
      this.opening().forEach((message) => this.send(message));
    };
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") return this.hear(JSON.parse(data));
      if (this.attempts) this.lost("");
      this.attempts = 0;
      this.receive(unpack(data));
    };
    socket.onclose = ({ code }) => {
      if (this.ended || socket !== this.socket || HOPELESS.has(code)) return;
      this.attempts += 1;
      const wait = code === FULL ? 10 : Math.min(8, 0.25 * 2 ** this.attempts);
      if (code !== FULL) this.lost("The connection to the server is lost. Trying again; the run will go on from here.");
      this.timer = setTimeout(() => this.whenSeen(), 1000 * wait);
    };
  }

  hear(message) {
    if (message.type === "error") this.lost(message.message);
    else this.receive(message);
  }

  // A hidden page has no use for a place on the server.
  whenSeen() {
    if (this.ended) return;
    if (document.visibilityState === "visible") this.connect();
    else document.addEventListener("visibilitychange", () => this.whenSeen(), { once: true });
  }

  send(message) {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    if (message instanceof Uint8Array) return this.socket.send(message);
    this.orders += ORDERS.has(message.type);
    this.socket.send(JSON.stringify(message));
  }

  // Opens a run on the connection that stands, or on a new one.
  reopen() {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.onopen();
    else if (this.socket.readyState !== WebSocket.CONNECTING) this.connect();
  }

  end() {
    this.ended = true;
    clearTimeout(this.timer);
    this.socket.close(1000);
  }
}

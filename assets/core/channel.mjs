/* Windows from the server: one request in flight, the newest wins, the last answers are remembered. */

const HEADER_INTEGERS = 8;
const REMEMBERED_BYTES = 64 * 2 ** 20;
// How a window was computed, by the number that comes with it.
export const PATHS = ["", "exact chain", "exact window", "full image (global method)", "atlas (rounded to 0.05 %)"];
const RETRY_MILLISECONDS = 1500;

/** The window that begins at this byte of an answer, as app/routes/binary.py encodes it; `end` is where the next begins. */
export function decodeWindow(buffer, start) {
  const [row, col, top, left, height, width, suspicious, path] = new Int32Array(buffer, start, HEADER_INTEGERS);
  const first = start + 4 * HEADER_INTEGERS;
  const values = new Float32Array(buffer, first, 2 * height * width);
  const end = first + values.byteLength;
  return { row, col, top, left, height, width, suspicious: suspicious === 1, path, values, end };
}

/** The images of an answer, as app/routes/binary.py encodes them; `band(index)` is one of them, row by row. */
export function decodeImages(buffer) {
  const [bands, height, width, complete, thousandths] = new Int32Array(buffer, 0, HEADER_INTEGERS);
  const values = new Float32Array(buffer, 4 * HEADER_INTEGERS);
  const size = height * width;
  const band = (index) => values.subarray(index * size, (index + 1) * size);
  return { bands, height, width, complete: complete === 1, fraction: thousandths / 1000, values, band };
}

/** How long the server took for the numbers of an answer, milliseconds; null where it does not say. */
function computing(answer) {
  const found = /compute;dur=([\d.]+)/.exec(answer.headers.get("Server-Timing") || "");
  return found ? Number(found[1]) : null;
}

/** How long an answer was waited for, in words. Less than computing it took: what was asked for before, as the first
 *  view's window, or comes out of the browser's cache. */
export function waiting(milliseconds, compute) {
  const earlier = typeof compute === "number" && compute > milliseconds + 1 ? " (begun earlier)" : "";
  return `answered in ${milliseconds.toFixed(0)} ms${earlier}`;
}

async function reason(answer) {
  try {
    return (await answer.json()).error || `The server answered ${answer.status}.`;
  } catch {
    return `The server answered ${answer.status}.`;
  }
}

/** After how many milliseconds a server that is too busy wants to be asked again; null where it is something else. */
function patience(answer) {
  const seconds = Number(answer.headers.get("Retry-After"));
  return answer.status === 503 && seconds > 0 ? 1000 * seconds : null;
}

/** What the browser says of an answer that does not come means nothing to anybody who has not written a browser. */
function unreachable() {
  throw Object.assign(new Error("The server does not answer. Is it still running?"), { retry: RETRY_MILLISECONDS });
}

/** Fetch a binary answer; an error has the server's own words, and in `retry` when to ask again, if that may help. */
export async function fetchBinary(address) {
  const answer = await fetch(address, { credentials: "same-origin" }).catch(unreachable);
  if (!answer.ok) throw Object.assign(new Error(await reason(answer)), { retry: patience(answer) });
  return { buffer: await answer.arrayBuffer().catch(unreachable), compute: computing(answer) };
}

/**
 * Make a channel for requests of one kind.
 *
 * `nameOf(request)` is what an answer is remembered by, `addressOf(request)` where it is asked for, `decode(buffer,
 * request)` makes an object of it, `isCurrent(request)` says whether it is still wanted, `deliver(answer, request,
 * milliseconds)` gets it and `fail(message)` an error. `held(request)`, if there is such a function, gives an answer that is here
 * already, or null. Requests are numbered, so that a late answer never takes a
 * newer one's place.
 */
export function make({ nameOf, addressOf, decode, isCurrent, deliver, fail, held }) {
  const memory = new Map(); // answers by name, the oldest first
  let remembered = 0;
  let asked = 0;
  let inFlight = false;
  let waiting = null;

  function remember(name, answer) {
    memory.set(name, answer);
    remembered += answer.bytes;
    while (remembered > REMEMBERED_BYTES && memory.size > 1) {
      const [oldest, { bytes }] = memory.entries().next().value;
      memory.delete(oldest);
      remembered -= bytes;
    }
  }

  function ask(request) {
    if (request.number === undefined) request.number = asked += 1;
    const name = nameOf(request);
    const known = memory.get(name) || (held && held(request));
    if (known) {
      waiting = null;
      deliver(known, request, 0);
    } else if (inFlight) {
      waiting = request;
    } else {
      send(request, name);
    }
  }

  async function send(request, name) {
    inFlight = true;
    const sent = performance.now();
    let received;
    try {
      const { buffer, compute } = await fetchBinary(addressOf(request));
      received = Object.assign(decode(buffer, request), { compute, bytes: buffer.byteLength });
    } catch (error) {
      fail(error.retry ? `${error.message} Trying again …` : error.message);
      if (error.retry) {
        // The server is not reachable, or too busy: slowly, and the same, unless the pointer goes on.
        waiting = waiting || request;
        await new Promise((resolve) => setTimeout(resolve, error.retry));
      }
      askNext();
      return;
    }
    const milliseconds = performance.now() - sent;
    remember(name, received);
    // The server computes the next one while this one is painted.
    askNext();
    deliver(received, request, milliseconds);
  }

  function askNext() {
    inFlight = false;
    const next = waiting;
    waiting = null;
    if (next && isCurrent(next)) ask(next);
  }

  return { ask };
}

/* Jacobian windows from the server: one request in flight, the newest wins, the last ones are remembered. */
window.fusevis = window.fusevis || {};
(function (fusevis) {
  "use strict";

  const HEADER_INTEGERS = 8;
  const REMEMBERED_BYTES = 64 * 2 ** 20;
  const RETRY_MILLISECONDS = 1500;
  const memory = new Map(); // windows by scene and pixel, the oldest first
  let remembered = 0;
  let asked = 0;
  let inFlight = false;
  let waiting = null;
  let prefix = null;

  function base() {
    if (prefix === null) {
      const config = document.getElementById("_dash-config");
      prefix = (config && JSON.parse(config.textContent).requests_pathname_prefix) || "/";
    }
    return prefix;
  }

  function decode(buffer) {
    const [row, col, top, left, height, width, suspicious, path] = new Int32Array(buffer, 0, HEADER_INTEGERS);
    const values = new Float32Array(buffer, 4 * HEADER_INTEGERS, 2 * height * width);
    return { row, col, top, left, height, width, suspicious: suspicious === 1, path, values };
  }

  function remember(name, answer) {
    memory.set(name, answer);
    remembered += answer.values.byteLength;
    while (remembered > REMEMBERED_BYTES && memory.size > 1) {
      const [oldest, { values }] = memory.entries().next().value;
      memory.delete(oldest);
      remembered -= values.byteLength;
    }
  }

  /**
   * Ask for the window of a request { scene, pixel, start }; deliver(window, request, milliseconds) gets it.
   * Requests are numbered, so that a late answer never takes a newer one's place.
   */
  function ask(request) {
    if (request.number === undefined) request.number = asked += 1;
    const name = `${request.scene.key}/${request.pixel.row}/${request.pixel.col}`;
    const known = memory.get(name);
    if (known) {
      waiting = null;
      fusevis.transport.deliver(known, request, 0);
      return;
    }
    if (inFlight) {
      waiting = request;
      return;
    }
    send(request, name);
  }

  async function send(request, name) {
    inFlight = true;
    const sent = performance.now();
    let pause = 0;
    try {
      const path = `${base()}${request.scene.jacobian_path}/${request.pixel.row}/${request.pixel.col}`;
      const answer = await fetch(path, { credentials: "same-origin" });
      if (!answer.ok) throw new Error(await reason(answer));
      const received = decode(await answer.arrayBuffer());
      received.key = request.scene.key;
      received.compute = computing(answer);
      remember(name, received);
      fusevis.transport.deliver(received, request, performance.now() - sent);
    } catch (error) {
      fusevis.readout.fail(error.message);
      if (error instanceof TypeError) {
        // The server is not reachable: try the same again, slowly, unless the pointer goes on.
        waiting = waiting || request;
        pause = RETRY_MILLISECONDS;
      }
    }
    if (pause) await new Promise((resolve) => setTimeout(resolve, pause));
    inFlight = false;
    const next = waiting;
    waiting = null;
    if (next && fusevis.state.scene && next.scene.key === fusevis.state.scene.key) ask(next);
  }

  /** How long the server took for the numbers of an answer, milliseconds; null where it does not say. */
  function computing(answer) {
    const found = /compute;dur=([\d.]+)/.exec(answer.headers.get("Server-Timing") || "");
    return found ? Number(found[1]) : null;
  }

  async function reason(answer) {
    try {
      return (await answer.json()).error || `The server answered ${answer.status}.`;
    } catch {
      return `The server answered ${answer.status}.`;
    }
  }

  fusevis.transport = { ask, deliver: () => {} };
})(window.fusevis);

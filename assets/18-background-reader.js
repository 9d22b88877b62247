/* Fetching large answers in a worker: on the page's own thread each takes milliseconds that a moving pointer would miss. */
window.fusevis = window.fusevis || {};
(function (fusevis) {
  "use strict";

  const SOURCE = `onmessage = async ({ data: { number, address } }) => {
    try {
      const answer = await fetch(address, { credentials: "same-origin" });
      if (!answer.ok) throw new Error(String(answer.status));
      const buffer = await answer.arrayBuffer();
      postMessage({ number, buffer }, [buffer]);
    } catch (error) {
      postMessage({ number, error: error.message });
    }
  };`;
  const waiting = new Map(); // by number: { address, resolve, reject }
  let worker = null;
  let possible = typeof Worker === "function"; // some pages are shown where none may be started
  let numbers = 0;

  function start() {
    try {
      worker = new Worker(URL.createObjectURL(new Blob([SOURCE], { type: "text/javascript" })));
    } catch {
      possible = false;
      return;
    }
    worker.onmessage = ({ data: { number, buffer, error } }) => {
      const { resolve, reject } = waiting.get(number);
      waiting.delete(number);
      if (buffer) resolve(buffer);
      else reject(new Error(error));
    };
    worker.onerror = () => {
      worker.terminate();
      worker = null;
      possible = false;
      const left = [...waiting.values()];
      waiting.clear();
      left.forEach(({ address, resolve, reject }) => fetchHere(address).then(resolve, reject));
    };
  }

  async function fetchHere(address) {
    return (await fusevis.channel.fetchBinary(address)).buffer;
  }

  /** Fetch a binary answer: a promise of its buffer, or of an error where there is none. */
  function fetchBuffer(path) {
    const address = new URL(path, window.location.href).href;
    if (possible && !worker) start();
    if (!worker) return fetchHere(address);
    return new Promise((resolve, reject) => {
      numbers += 1;
      waiting.set(numbers, { address, resolve, reject });
      worker.postMessage({ number: numbers, address });
    });
  }

  fusevis.backgroundReader = { fetchBuffer };
})(window.fusevis);

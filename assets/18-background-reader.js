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
  const waiting = new Map(); // by number: { resolve, reject }
  let worker = null;
  let numbers = 0;

  function start() {
    const home = URL.createObjectURL(new Blob([SOURCE], { type: "text/javascript" }));
    worker = new Worker(home);
    worker.onmessage = ({ data: { number, buffer, error } }) => {
      const { resolve, reject } = waiting.get(number);
      waiting.delete(number);
      if (buffer) resolve(buffer);
      else reject(new Error(error));
    };
    worker.onerror = () => {
      waiting.forEach(({ reject }) => reject(new Error("The worker has ended.")));
      waiting.clear();
      worker = null;
    };
  }

  /** Fetch a binary answer: a promise of its buffer, or of an error where there is none. */
  function fetchBuffer(address) {
    if (!worker) start();
    return new Promise((resolve, reject) => {
      numbers += 1;
      waiting.set(numbers, { resolve, reject });
      worker.postMessage({ number: numbers, address: new URL(address, window.location.href).href });
    });
  }

  fusevis.backgroundReader = { fetchBuffer };
})(window.fusevis);

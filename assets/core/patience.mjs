/* Requests to a server that may be too busy for a moment: asked again as it says, and told while that lasts. */

const MOST_TRIES = 100;
const SPREAD = 0.5; // those who were refused together shall not come back together

/**
 * After how many milliseconds a server that is too busy wants to be asked again; null where it is something else.
 * @param {Response} answer
 */
export function pause(answer) {
  const seconds = Number(answer.headers.get("Retry-After"));
  return answer.status === 503 && seconds > 0 ? 1000 * seconds : null;
}

/**
 * Ask until the server is not too busy any more; the answer to the last try is given as it is.
 * @param {() => Promise<Response>} ask
 * @param {(words: string) => void} [delayed] - Told before each pause.
 * @param {(milliseconds: number) => Promise<unknown>} [sleep]
 */
export async function patiently(ask, delayed = () => {}, sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))) {
  for (let tries = 1; ; tries += 1) {
    const answer = await ask();
    const milliseconds = pause(answer);
    if (milliseconds === null || tries >= MOST_TRIES) return answer;
    delayed("The server is busy; it is asked again in a moment");
    await sleep(milliseconds * (1 + SPREAD * Math.random()));
  }
}

/* When the table is painted: once a frame, everything or only what moves. */

const MEASURE = "compare-to-paint";
const KEPT_MEASURES = 1000;
let paint = () => false; // paint(everything), whether it could
let stale = true;
let asked = false;
let start = null; // of the event that the next painting answers
let measures = 0;

/** Let paint(everything) draw the table; it returns whether there is one. */
export function paintBy(painter) {
  paint = painter;
}

function frame() {
  asked = false;
  const everything = stale;
  stale = false; // drawing may ask for more
  if (!paint(everything)) {
    stale = stale || everything;
    return;
  }
  if (start !== null) measure(start);
  start = null;
}

function measure(began) {
  requestAnimationFrame(() => {
    performance.measure(MEASURE, { start: began, end: Math.max(performance.now(), began) });
    measures += 1;
    if (measures <= KEPT_MEASURES) return;
    performance.clearMeasures(MEASURE);
    measures = 0;
  });
}

function soon() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(frame);
}

/** Paint what moves at the next frame; `began`: when the event happened that a measurement starts from. */
export function move(began) {
  if (began !== undefined) start = began;
  soon();
}

/** Lay out and paint everything at the next frame. */
export function redraw() {
  stale = true;
  soon();
}

/* Undo and redo: what the regions of a pair were before each change, and after those that were undone. */
window.fusevis = window.fusevis || {};
(function (fusevis) {
  "use strict";

  const MOST_STEPS = 50;
  const LEAST_STEPS = 5;
  const MOST_PIXELS = 200_000_000; // of a mask for each step: large images have fewer steps

  /** The history of a pair whose images have so many pixels. States are kept as they are, so nobody may change them. */
  function start(pixels) {
    const most = Math.min(MOST_STEPS, Math.max(LEAST_STEPS, Math.floor(MOST_PIXELS / pixels)));
    const past = [];
    const future = [];
    const moved = (from, to, now) => {
      const found = from.pop();
      if (found) to.push(now);
      return found || null;
    };
    return {
      /** Note what was before a change. */
      add(before) {
        past.push(before);
        if (past.length > most) past.shift();
        future.length = 0;
      },
      /** The state before the last change, null where there is none; `now` is the one to come back to. */
      undo: (now) => moved(past, future, now),
      /** The state before the last undo, null where there is none. */
      redo: (now) => moved(future, past, now),
      canUndo: () => past.length > 0,
      canRedo: () => future.length > 0,
    };
  }

  fusevis.regionHistory = { start };
})(window.fusevis);

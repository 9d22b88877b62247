/*
 * When Plotly draws. Dash draws every graph as soon as it is on the page, at first without any figure, and all of them
 * in one turn: two seconds in which the page shows and answers nothing. Here a graph without a figure is not drawn at
 * all, and the others are drawn one a turn, in the order in which they were asked for.
 */

import { forgetFirstRanges, isDrawn } from "./plotly-internals.mjs";

const waiting = []; // { draw, done, failed }
const listeners = new Map(); // by graph not drawn yet: what Dash wants to hear from it
const turns = new MessageChannel();
let drawn = () => {};
let running = false;
let loaded;

function hasFigure({ data, layout }) {
  return Boolean((data && data.length) || (layout && layout.annotations));
}

/** Let Dash listen to a graph that has not been drawn: Plotly takes the listeners over when it is. */
function standIn(graph) {
  if (!listeners.has(graph)) {
    const kept = [];
    listeners.set(graph, kept);
    graph.on = (...listener) => kept.push(listener);
  }
  return Promise.resolve(graph);
}

async function drawFirst(react, graph, spec) {
  const kept = listeners.get(graph) || [];
  listeners.delete(graph);
  delete graph.on;
  await react(graph, spec);
  kept.forEach((listener) => graph.on(...listener));
  drawn(graph);
  return graph;
}

function drawAgain(react, graph, spec) {
  forgetFirstRanges(graph);
  return react(graph, spec);
}

function turn() {
  const next = waiting.shift();
  if (next) {
    next.draw().then(next.done, next.failed);
    turns.port2.postMessage(null);
  } else running = false;
}

function queued(draw) {
  return new Promise((done, failed) => {
    waiting.push({ draw, done, failed });
    if (running) return;
    running = true;
    turns.port2.postMessage(null);
  });
}

function wrapped(plotly) {
  const react = plotly.react;
  const later = (graph, spec) => {
    if (isDrawn(graph)) return queued(() => drawAgain(react, graph, spec));
    return hasFigure(spec) ? queued(() => drawFirst(react, graph, spec)) : standIn(graph);
  };
  // Plotly's own object lets nobody change it.
  return Object.create(plotly, { react: { value: later } });
}

turns.port1.onmessage = turn;
Object.defineProperty(window, "Plotly", {
  configurable: true,
  get: () => loaded,
  set: (plotly) => { loaded = wrapped(plotly); },
});

/** Call listener(graph) after the first drawing of each graph. */
export function whenDrawn(listener) {
  drawn = listener;
}

/*
 * The pole of a method's fusion rule: at which pixels a feature's denominator is nearly 0, as the note of the principal pixel and, on
 * request, as marks over the fused image.
 */

import * as graphs from "./graphs.mjs";
import * as overlays from "./overlays.mjs";
import * as readout from "./readout.mjs";
import { link, state } from "./state.mjs";
import * as channel from "../core/channel.mjs";
import { closest } from "../core/elements.mjs";
import { NEAR_POLE } from "../painter/colours.mjs";
import { contextOf, picture } from "../painter/pixels.mjs";

const FUSED = "panel-fused";
/** @type {string | null} */
let asked = null; // key of the scene whose pole was asked for last
/** @type {boolean[] | null} */
let opened = null;

/** @returns {HTMLElement | null} */
function button() {
  return document.querySelector(".panel-pole");
}

/** Draw the marks over the fused image, or take them away. */
function draw() {
  const one = overlays.placed(FUSED);
  const { poles, scene } = state;
  const known = poles && scene && poles.key === scene.key ? poles : null;
  const look = button();
  if (look) {
    look.hidden = !known;
    look.setAttribute("aria-pressed", String(link.parts.pole.value));
  }
  if (!one) return;
  /** @type {HTMLCanvasElement | null} */
  let canvas = one.element.querySelector(".pole-canvas");
  if (!known || !link.parts.pole.value) {
    canvas?.remove();
    return;
  }
  const { width, height } = known.image;
  if (!canvas) {
    canvas = Object.assign(document.createElement("canvas"), { className: "pole-canvas" });
    one.canvas.after(canvas);
  }
  Object.assign(canvas, { width: Math.round(one.area.width), height: Math.round(one.area.height) });
  const values = known.image.band(0);
  const marks = picture(width, height, (pixels) => {
    for (let at = 0; at < values.length; at += 1) if (values[at]) pixels[at] = NEAR_POLE;
  });
  const { x, y } = one.area;
  const context = contextOf(canvas);
  context.imageSmoothingEnabled = false;
  context.drawImage(marks, x[0] + 0.5, y[1] + 0.5, x[1] - x[0], y[0] - y[1], 0, 0, canvas.width, canvas.height);
}

/**
 * Fetch what is known of a scene's pole, once; what cannot be had is asked for again with the next scene.
 * @param {string} key
 * @param {string} place
 */
async function fetchPoles(key, place) {
  try {
    const { buffer } = await channel.fetchBinary(`images/${place}/pole`);
    if (asked !== key) return;
    state.poles = { key, image: channel.decodeImages(buffer) };
  } catch {
    if (asked === key) asked = null;
    return;
  }
  readout.show();
  draw();
}

/**
 * Follow the scene, and mark the pixels as a link says, once.
 * @param {boolean[] | null} linked
 */
export function follow(linked) {
  const { scene } = state;
  if (linked && linked !== opened) {
    opened = linked;
    [, link.parts.pole.value] = linked;
  }
  if (scene && scene.key !== asked) {
    asked = scene.key;
    state.poles = null;
    // Of a large pair the page has no image as a whole.
    if (scene.pole && !scene.large) fetchPoles(scene.key, channel.placeOf(scene));
  }
  draw();
}

document.addEventListener("click", (event) => {
  if (closest(event, ".panel-pole")) link.parts.pole.value = !link.parts.pole.value;
});
link.parts.pole.subscribe(draw);
graphs.listen({
  drawn(panel) {
    if (panel === FUSED) draw();
  },
  relayout(panel) {
    if (panel === FUSED) draw();
  },
});

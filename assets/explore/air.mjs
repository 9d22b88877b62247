/* What of the shown pair is air, which guidance images leave out unless a link or the switch says otherwise. */

import { shownScene, state } from "./state.mjs";
import * as channel from "../core/channel.mjs";
import { hatched } from "../painter/pixels.mjs";

/**
 * @import { Colour } from "../painter/pixels.mjs"
 * @import { Scene } from "./state.mjs"
 */

/** @type {{ pair: string, answer: Promise<Float32Array> } | null} */
let asked = null;

/**
 * What guidance images of a scene leave out, 1 at each pixel of air, once it is here; null where that is nothing. Those of
 * large pairs, which come by tiles, leave nothing out.
 * @param {Scene} scene
 * @returns {Promise<Float32Array | null>}
 */
export async function leftOut(scene) {
  if (state.display.air || scene.large) return null;
  if (asked?.pair !== scene.pair) {
    const answer = channel.fetchBinary(`images/${channel.placeOf(scene)}/air`).then(({ buffer }) => channel.decodeImages(buffer).values);
    asked = { pair: scene.pair, answer };
  }
  try {
    const values = await asked.answer;
    state.air = { pair: scene.pair, values };
    return values;
  } catch (error) {
    asked = null; // the next one asks again
    throw error;
  }
}

/**
 * The colours of a guidance image of the shown scene, hatched where it leaves something out.
 * @param {Colour} colour
 * @returns {Colour}
 */
export function overAir(colour) {
  const { air, display } = state;
  const scene = shownScene();
  const known = !display.air && !scene.large && air?.pair === scene.pair ? air.values : null;
  return hatched(colour, known, scene.width);
}

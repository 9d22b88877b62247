/*
 * Guidance images while they grow: fetched as numbers when the server tells of newer ones, and painted over the graphs' empty axes.
 * Plotly draws them once, when they are complete.
 */

import { leftOut } from "./air.mjs";
import * as graphs from "./graphs.mjs";
import * as painting from "./paint.mjs";
import * as pyramid from "./pyramid.mjs";
import * as readout from "./readout.mjs";
import { state } from "./state.mjs";
import * as waiting from "./waiting.mjs";
import * as channel from "../core/channel.mjs";
import { linesOf } from "../painter/pixels.mjs";

/**
 * @import { Images } from "../core/channel.mjs"
 * @import { Scene } from "./state.mjs"
 */

const POINTS_STEP = 0.25; // part of the computation after which the scatterplot's points are fetched again
let underWay = false;

/** Fetch what the server has told of by now, one at a time. */
export function follow() {
  const { scene, limits, grown } = state;
  if (scene) pyramid.follow(scene, limits);
  if (grown && (!scene || grown.key !== scene.key)) state.grown = null;
  if (underWay || !scene || !state.isGrowing() || !limits?.known) return;
  if (state.grown && state.grown.revision === limits.revision) return;
  underWay = true;
  grow(scene, limits.revision).then(() => {
    underWay = false;
    waiting.settle("growth");
    follow();
  }, (error) => {
    // So do the next news.
    underWay = false;
    readout.fail(error.message);
    waiting.fail("growth", error.message, follow);
  });
}

/**
 * @param {Scene} scene
 * @param {string} revision
 */
async function grow(scene, revision) {
  const air = await leftOut(scene);
  /** @param {string} kind */
  const get = async (kind) => {
    const path = `images/${channel.placeOf(scene)}/${kind}`;
    const found = channel.decodeImages((await channel.fetchBinary(`${path}?viewer=${state.viewer}`)).buffer);
    return air ? channel.without(found, air) : found;
  };
  const images = scene.large ? null : await get("guidance");
  const before = state.grown && state.grown.key === scene.key ? state.grown.points : null;
  // The images are filled up for the eye: what they show between known pixels are no points.
  const points = before && images && images.fraction - before.fraction < POINTS_STEP ? before : await get("known");
  if (!state.scene || state.scene.key !== scene.key) return;
  state.grown = {
    key: scene.key,
    revision,
    // Those of a large pair come by tiles.
    images: new Map(images ? painting.GRADIENTS.map((panel, index) => [panel, { rows: linesOf(images.band(index), images.width), low: 0, high: 1 }]) : []),
    points,
  };
  painting.paintGrowing();
  painting.paintAll();
}

/** @type {ReturnType<typeof requestAnimationFrame> | 0} */
let frame = 0;

pyramid.listen((message) => {
  if (message) readout.fail(message);
  if (frame) return;
  frame = requestAnimationFrame(() => {
    frame = 0;
    painting.paintViews();
    painting.paintAll();
    readout.show();
  });
});

// Once Plotly has all of them, they need not be kept twice.
graphs.listen({
  drawn(panel) {
    if (state.scene?.large && graphs.FULL.includes(panel)) requestAnimationFrame(painting.paintViews);
    if (state.grown && !state.isGrowing() && !graphs.ALL.some(graphs.grows)) state.grown = null;
  },
});

/* What the compare page shows now. One object; what is drawn follows from it. */

export const state = {
  scenes: [], // one a row: pair, method, size, support (from the server); those that failed have `error`
  progress: {}, // of the guidance images, by the scenes' keys (from the server)
  methods: [], // ids of methods in the order of the rows
  columns: [],
  numbers: false, // whether they are open
  difference: [], // ids of two methods, the second taken from the first; empty: no such row
  display: { gamma1: 0.3, gamma2: 0.5, scale: "paper", shared: true, zoom: null, size: "fit" },
  pair: null, // the pair's address
  viewer: "",
  a: { pixel: null, shown: null, pinned: false }, // the principal pixel, and the windows last painted
  b: { pixel: null, shown: null }, // the second pixel, if one is pinned
  held: null, // where A's zooms stay while the pointer is in one of them: they would run away from it
};

let own = null;

/** Where the page stands, as its layout says: the home address, the first view, the largest zoom. */
state.facts = () => {
  if (!own) {
    const { home, first, largestZoom } = document.getElementById("compare-table").dataset;
    own = { home, first: JSON.parse(first), largestZoom: Number(largestZoom) };
  }
  return own;
};

/** Put the scenes into the order of the methods. */
state.reorder = () => {
  const byMethod = new Map(state.scenes.map((scene) => [scene.method_id, scene]));
  state.scenes = state.methods.map((id) => byMethod.get(id)).filter(Boolean);
};

/** The scenes that can be shown, in the order of the rows. */
state.ready = () => state.scenes.filter((scene) => !scene.error);

/** What all rows have in common: size, pair and modalities; null while there is no row. */
state.common = () => state.ready()[0] || null;

/** Names a set of scenes, whatever their order. */
state.setName = () => state.ready().map((scene) => scene.key).sort().join("+");

/** The pixels that are shown, the principal one first, with the windows that have arrived. */
state.points = () => [state.a, state.b].filter((point) => point.pixel);

/** The pixel in the middle of a point's zooms. */
state.centreOf = (point) => (point === state.a && state.held) || point.shown || point.pixel;

/** Half-width of all zooms: what was asked for, else the largest support of the methods. */
state.half = () => {
  if (state.display.zoom) return state.display.zoom;
  const supports = state.ready().flatMap((scene) => scene.support_radius || []);
  return Math.min(Math.max(1, ...supports), state.facts().largestZoom);
};

/*
 * Makes plotly-strict.min.js.gz: plotly.js with the kinds of traces that app/figures draws and no others, a third of the whole, which every
 * first visitor has to load and every page to compile and to run. Its programs for WebGL are written out, as in plotly.js' own strict form.
 *
 * In an empty folder, with VERSION that of plotly.js in the package `plotly`:
 *   npm install --ignore-scripts plotly.js@VERSION esbuild buffer stream-browserify
 *   cp CHECKOUT/app/vendor/plotly.mjs . && node plotly.mjs CHECKOUT/app/vendor/plotly-strict.min.js.gz
 */

import { readFileSync, writeFileSync } from "node:fs";
import { argv } from "node:process";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const TRACES = { scatter: "lib/scatter", heatmap: "lib/heatmap", image: "lib/image", scattergl: "src/traces/scattergl/strict" };
const { version } = JSON.parse(readFileSync("node_modules/plotly.js/package.json", "utf8"));
const BANNER = `/**
* plotly.js (strict - minified) v${version}
* Traces: ${Object.keys(TRACES).join(", ")}
* Copyright 2012-${new Date().getFullYear()}, Plotly, Inc.
* All rights reserved.
* Licensed under the MIT license
*/`;
const requires = Object.values(TRACES).map((path) => `require("plotly.js/${path}")`);
const { outputFiles } = await build({
  stdin: {
    contents: `const Plotly = require("plotly.js/lib/core"); Plotly.register([${requires.join()}]); module.exports = Plotly;`,
    resolveDir: ".",
  },
  bundle: true,
  minify: true,
  write: false,
  outdir: "made",
  format: "iife",
  globalName: "Plotly",
  target: "es2016",
  banner: { js: BANNER },
  // Its maps have a stylesheet, which nothing here needs.
  loader: { ".css": "empty" },
  // As plotly.js is built.
  alias: { regl: "@plotly/regl", stream: "stream-browserify" },
  define: { global: "window", "define.amd": "false" },
});
writeFileSync(argv[2], gzipSync(outputFiles[0].contents, { level: 9 }));

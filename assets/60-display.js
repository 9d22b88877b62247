/* Gammas, colour scale, zoom, scene, toolbar mode and theme: the callbacks that run in the browser. */
window.fusevis = window.fusevis || {};
(function (fusevis) {
  "use strict";

  const { graphs, overlays, state } = fusevis;
  const FOLLOW_MILLISECONDS = 200;
  const MAXIMAL_HALF_WIDTH = 64;
  const styled = new Map(); // panel → display name that its Plotly trace has been given here
  let followTimer = null;
  let lastStart = null;
  let waitingForGraphs = false;

  function halfWidth(asked, followsSupport) {
    const radius = state.scene && state.scene.support_radius;
    const half = followsSupport && radius ? Math.max(1, ...radius) : Number(asked);
    return Number.isFinite(half) && half >= 1 ? Math.min(Math.round(half), MAXIMAL_HALF_WIDTH) : state.display.half;
  }

  /** The panels whose colours depend on gammas, scale and limits, with what Plotly must be told. */
  function restyles() {
    const { scale, gamma1, gamma2 } = state.display;
    const of = (gamma, end) => ({
      colorscale: [fusevis.colours.bent(scale, gamma)],
      zmin: scale === "signed" ? -end : 0,
      zmax: end,
    });
    const guidance = of(gamma2, state.guidanceEnd());
    const jacobian = of(gamma1, state.jacobianEnd());
    return [
      ...fusevis.paint.GRADIENTS.flatMap((panel) => [[panel, guidance], [`${panel}-zoom`, guidance]]),
      ...fusevis.paint.JACOBIANS.flatMap((panel) => [[panel, jacobian], [`${panel}-zoom`, jacobian]]),
    ];
  }

  let green = {}; // what the scatterplot's green trace shows

  /** Give the scatterplot's green trace the points of the pixel at which the pointer rests. */
  function showGreenPoints(points) {
    const graph = graphs.graph(graphs.SCATTER);
    const current = points && graph && graph.data && graph.data.length === 2 && graphs.meta(graphs.SCATTER).key === points.key;
    if (!current) return window.dash_clientside.no_update;
    window.Plotly.restyle(graph, { x: [points.x], y: [points.y] }, [1]).then(() => {
      green = { state: points.state, meta: graphs.meta(graphs.SCATTER) };
      settle(graphs.SCATTER);
    });
    return points.state;
  }

  function contentOf(panel) {
    const meta = graphs.meta(panel);
    if (panel !== graphs.SCATTER) return meta.state;
    return green.meta === meta ? green.state : undefined;
  }

  function displayOf(panel) {
    const meta = graphs.meta(panel);
    const given = styled.get(panel);
    return given && given.meta === meta ? given.display : meta.display;
  }

  /** Give Plotly's traces the colours that the overlays show already. */
  function follow() {
    const display = state.displayName();
    restyles().forEach(([panel, style]) => {
      const graph = graphs.graph(panel);
      if (!graph || !graph.data || !graph.data.length || displayOf(panel) === display) return;
      styled.set(panel, { meta: graphs.meta(panel), display });
      window.Plotly.restyle(graph, style, [0]);
    });
    fusevis.pixel.restLater();
  }

  const FOLLOWING = [...graphs.ZOOMS, ...fusevis.paint.JACOBIANS, graphs.SCATTER];

  // These have no final state before the guidance images have.
  const WAITING = ["panel-guidance-mri-zoom", "panel-guidance-pet-zoom", "panel-guidance-rgb-zoom", graphs.SCATTER];

  /** Whether Plotly shows a panel's final state: the same scene, pixel and colours as the overlay. */
  function upToDate(panel) {
    const meta = graphs.meta(panel);
    if (!state.scene || meta.key !== state.scene.key) return false;
    if (FOLLOWING.includes(panel)) {
      const moving = !state.pixel || !state.window || state.pixel.row !== state.window.row || state.pixel.col !== state.window.col;
      if (moving || contentOf(panel) !== state.contentName()) return false;
    }
    const coloured = /^panel-(guidance-(mri|pet)|jacobian-(mri|pet))/.test(panel);
    return !coloured || displayOf(panel) === state.displayName();
  }

  /** Show Plotly where it is up to date, the overlay where it is not. */
  function settle(panel) {
    if (!upToDate(panel)) return false;
    overlays.show(panel, false);
    const one = panel.endsWith("-zoom") && overlays.overlay(panel);
    if (one) one.box.style.visibility = "hidden";
    return true;
  }

  /** Settle every panel; whether all that follow the pointer are up to date. */
  function settleAll() {
    graphs.FULL.forEach(settle);
    const growing = !state.limits || state.limits.provisional;
    return FOLLOWING.map((panel) => settle(panel) || (growing && WAITING.includes(panel) && fusevis.graphs.meta(panel).key === state.scene.key)).every(Boolean);
  }

  graphs.listen({
    drawn(panel) {
      const meta = graphs.meta(panel);
      if (state.scene && meta.key === state.scene.key) {
        if (meta.revision) repaintAfterGuidance(panel, meta.revision);
        settle(panel);
      }
      if (state.pixel && graphs.FULL.includes(panel)) overlays.moveBox(panel, state.pixel, state.display.half);
    },
    relayout(panel, event) {
      shareZoom(panel, event);
    },
  });

  const revisions = new Map();
  function repaintAfterGuidance(panel, revision) {
    if (revisions.get(panel) === revision) return;
    revisions.set(panel, revision);
    if (!state.window) return;
    requestAnimationFrame(() => {
      fusevis.paint.all();
    });
  }

  let sharing = false;
  /** Zooming or panning one full picture does the same to all of them. */
  function shareZoom(panel, event) {
    if (sharing || !graphs.FULL.includes(panel) || !Object.keys(event).some((key) => key.startsWith("xaxis"))) return;
    const source = graphs.graph(panel)._fullLayout;
    const ranges = { "xaxis.range": [...source.xaxis.range], "yaxis.range": [...source.yaxis.range] };
    sharing = true;
    const others = graphs.FULL.filter((other) => other !== panel).map(graphs.graph).filter((graph) => graph && graph.data && graph.data.length);
    Promise.all(others.map((graph) => window.Plotly.relayout(graph, ranges))).finally(() => {
      sharing = false;
      if (state.window) fusevis.paint.all();
    });
  }

  function enterScene(scene, start) {
    const before = state.scene;
    state.scene = scene;
    state.window = null;
    overlays.hideAll();
    const started = start && start !== lastStart;
    lastStart = start;
    let pixel = state.pixel;
    if (started) {
      pixel = start;
      fusevis.pixel.pin(true);
    } else if (!before || before.pair !== scene.pair || !pixel) {
      const [row, col] = scene.default_pixel || [Math.floor(scene.height / 2), Math.floor(scene.width / 2)];
      pixel = { row, col };
      if (before) fusevis.pixel.pin(false);
    }
    fusevis.pixel.choose(pixel, performance.now(), true);
    attachGraphs();
  }

  function attachGraphs() {
    if (graphs.attach()) {
      waitingForGraphs = false;
      if (state.window) fusevis.paint.all();
      return;
    }
    if (!waitingForGraphs) {
      waitingForGraphs = true;
      const again = () => (graphs.attach() ? attachGraphs() : requestAnimationFrame(again));
      requestAnimationFrame(again);
    }
  }

  function changeDisplay(gamma1, gamma2, scale, asked, followsSupport, limits, scene, start) {
    if (!scene) return window.dash_clientside.no_update;
    const entered = !state.scene || state.scene.key !== scene.key || (start && start !== lastStart);
    state.limits = limits && limits.revision.startsWith(scene.key) ? limits : null;
    const shown = state.displayName();
    const half = state.display.half;
    if (entered) enterScene(scene, start);
    state.display = { gamma1, gamma2, scale, half: halfWidth(asked, followsSupport) };
    const recoloured = shown !== state.displayName();
    if (recoloured && !entered) fusevis.paint.guidance();
    if (state.window && (recoloured || half !== state.display.half || !entered)) fusevis.paint.all();
    clearTimeout(followTimer);
    followTimer = setTimeout(follow, FOLLOW_MILLISECONDS);
    return { ...state.display };
  }

  function changeMode(mode) {
    state.mode = mode || "pixel";
    document.body.dataset.mode = state.mode;
    const dragmode = state.mode === "pixel" ? false : state.mode;
    [...graphs.FULL, graphs.SCATTER].forEach((panel) => {
      const graph = graphs.graph(panel);
      if (graph && graph._fullLayout.dragmode !== dragmode) window.Plotly.relayout(graph, { dragmode });
    });
    return state.mode;
  }

  function changeTheme(clicks) {
    const root = document.documentElement;
    let theme = window.localStorage.getItem("fusevis-theme");
    if (!theme) theme = window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    if (clicks) theme = root.dataset.bsTheme === "dark" ? "light" : "dark";
    root.dataset.bsTheme = theme;
    if (clicks) window.localStorage.setItem("fusevis-theme", theme);
    return theme === "dark" ? "Light theme" : "Dark theme";
  }

  fusevis.shown = { contentOf, displayOf, settleAll };

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.fusevis = { changeDisplay, changeMode, changeTheme, showGreenPoints };
})(window.fusevis);

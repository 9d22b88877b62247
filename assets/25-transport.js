/* The channel of the principal pixel: Jacobian windows of one method. */
window.fusevis = window.fusevis || {};
(function (fusevis) {
  "use strict";

  let prefix = null;

  function base() {
    if (prefix === null) {
      const config = document.getElementById("_dash-config");
      prefix = (config && JSON.parse(config.textContent).requests_pathname_prefix) || "/";
    }
    return prefix;
  }

  const { tiles } = fusevis;
  const channel = fusevis.channel.make({
    nameOf: ({ scene, pixel }) => `${scene.key}/${pixel.row}/${pixel.col}`,
    addressOf: ({ scene, pixel }) => `${base()}${scene.jacobian_path}/${pixel.row}/${pixel.col}`,
    decode: (buffer, { scene }) => ({ ...fusevis.channel.decodeWindow(buffer, 0), key: scene.key }),
    isCurrent: ({ scene }) => Boolean(fusevis.state.scene) && scene.key === fusevis.state.scene.key,
    deliver(answer, request, milliseconds) {
      fusevis.transport.deliver(answer, request, milliseconds);
      // Only where there is an atlas is it worth while to read ahead.
      if (answer.path === tiles.ATLAS) tiles.readAround(request.scene, request.pixel, base());
    },
    fail: (message) => fusevis.readout.fail(message),
    held: ({ scene, pixel }) => tiles.held(scene, pixel),
  });

  /** Ask for the window of a request { scene, pixel, start }; deliver(window, request, milliseconds) gets it. */
  fusevis.transport = { ask: channel.ask, deliver: () => {} };
})(window.fusevis);

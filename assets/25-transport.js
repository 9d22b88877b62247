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

  const channel = fusevis.channel.make({
    nameOf: ({ scene, pixel }) => `${scene.key}/${pixel.row}/${pixel.col}`,
    addressOf: ({ scene, pixel }) => `${base()}${scene.jacobian_path}/${pixel.row}/${pixel.col}`,
    decode: (buffer, { scene }) => ({ ...fusevis.channel.decodeWindow(buffer, 0), key: scene.key }),
    isCurrent: ({ scene }) => Boolean(fusevis.state.scene) && scene.key === fusevis.state.scene.key,
    deliver: (answer, request, milliseconds) => fusevis.transport.deliver(answer, request, milliseconds),
    fail: (message) => fusevis.readout.fail(message),
  });

  /** Ask for the window of a request { scene, pixel, start }; deliver(window, request, milliseconds) gets it. */
  fusevis.transport = { ask: channel.ask, deliver: () => {} };
})(window.fusevis);

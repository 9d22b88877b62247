/* The channel of the principal pixel: Jacobian windows of one method. */
window.fusevis = window.fusevis || {};
(function (fusevis) {
  "use strict";

  let prefix = null;
  let atlas = null; // key of the scene whose newest window came from an atlas

  function base() {
    if (prefix === null) {
      const config = document.getElementById("_dash-config");
      prefix = (config && JSON.parse(config.textContent).requests_pathname_prefix) || "/";
    }
    return prefix;
  }

  function atlasPath(scene) {
    return `${base()}${scene.jacobian_path.replace(/^jacobian/, "atlas")}/`;
  }

  const { readAhead } = fusevis;
  const channel = fusevis.channel.make({
    nameOf: ({ scene, pixel }) => `${scene.key}/${pixel.row}/${pixel.col}`,
    addressOf(request) {
      const { scene, pixel } = request;
      request.ahead = atlas === scene.key ? readAhead.along(scene, pixel) : null;
      if (request.ahead) return `${atlasPath(scene)}${pixel.row}/${pixel.col}/${request.ahead.text}`;
      return `${base()}${scene.jacobian_path}/${pixel.row}/${pixel.col}`;
    },
    decode(buffer, { scene, ahead }) {
      const window = fusevis.channel.decodeWindow(buffer, 0);
      if (ahead) readAhead.take(ahead, buffer, window.end);
      return { ...window, key: scene.key };
    },
    isCurrent: ({ scene }) => Boolean(fusevis.state.scene) && scene.key === fusevis.state.scene.key,
    deliver(answer, request, milliseconds) {
      fusevis.transport.deliver(answer, request, milliseconds);
      // Only where there is an atlas is it worth while to read ahead.
      atlas = answer.path === readAhead.ATLAS ? request.scene.key : null;
      if (atlas) readAhead.around(request.scene, request.pixel, atlasPath(request.scene));
    },
    fail: (message) => fusevis.readout.fail(message),
    held: ({ scene, pixel }) => readAhead.held(scene, pixel),
  });

  /** Ask for the window of a request { scene, pixel, start }; deliver(window, request, milliseconds) gets it. */
  function ask(request) {
    readAhead.follow(request.scene, request.pixel, request.start);
    channel.ask(request);
  }

  fusevis.transport = { ask, deliver: () => {} };
})(window.fusevis);

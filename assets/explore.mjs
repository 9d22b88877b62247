/* The page `/`: everything that it consists of, and the functions that its callbacks call in the browser. */

import "./explore/plot-queue.mjs";
import "./explore/first-view.mjs";
import "./explore/pointer.mjs";
import "./explore/change-overlays.mjs";
import "./explore/change-panel.mjs";
import "./explore/link.mjs";
import "./explore/negative-share.mjs";
import "./explore/rgb-ranges.mjs";
import "./explore/scale-bars.mjs";
import "./explore/titles.mjs";
import "./explore/waiting.mjs";
import "./export/panel-picture.mjs";
import "./networks/card.mjs";
import "./networks/dialog.mjs";
import "./uploads/catalogue.mjs";
import "./uploads/dialog.mjs";
import "./views/named-views.mjs";
import "./core/hint.mjs";
import "./core/notices.mjs";
import "./core/print.mjs";
import "./core/projector.mjs";
import { areNewest, changeTheme, chooseNewest } from "./core/controls.mjs";
import { showGreenPoints } from "./explore/handover.mjs";
import { fail } from "./explore/readout.mjs";
import { changeDisplay } from "./explore/scene.mjs";
import { link, state } from "./explore/state.mjs";
import { changeMode } from "./explore/toolbar.mjs";
import { calls } from "./reading/form.mjs";
import { begin as beginNetworks } from "./networks/menu.mjs";
import { begin as beginRegistration } from "./reading/registration.mjs";
import { tellBy } from "./regions/server.mjs";
import { take as takeChange } from "./change/set.mjs";
import { take } from "./regions/set.mjs";
import { begin } from "./views/head.mjs";

tellBy(fail);
beginRegistration(() => state.scene);
beginNetworks(() => (state.scene ? [state.scene.method_id] : []));
begin(link, 3);

window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.page = { areNewest, changeTheme, chooseNewest };
window.dash_clientside.explore = { changeDisplay, changeMode, showGreenPoints };
window.dash_clientside.reading = calls;
window.dash_clientside.regions = {
  /** @param {import("./regions/set.mjs").Linked & import("./change/set.mjs").Linked | null} found */
  take(found) {
    take(found);
    takeChange(found);
    return null;
  },
};

/* The page `/compare`: everything that it consists of, and the functions that its callbacks call in the browser. */

import "./compare/brush.mjs";
import "./compare/link.mjs";
import "./networks/card.mjs";
import "./networks/dialog.mjs";
import "./uploads/catalogue.mjs";
import "./uploads/dialog.mjs";
import "./views/named-views.mjs";
import { change } from "./compare/change.mjs";
import * as numbers from "./compare/numbers.mjs";
import { link, state } from "./compare/state.mjs";
import { fail, tellGuidance } from "./compare/status-line.mjs";
import "./core/hint.mjs";
import "./core/notices.mjs";
import "./core/print.mjs";
import "./core/projector.mjs";
import { areNewest, changeTheme, chooseNewest } from "./core/controls.mjs";
import { calls } from "./reading/form.mjs";
import { begin as beginNetworks } from "./networks/menu.mjs";
import { begin as beginRegistration } from "./reading/registration.mjs";
import { tellBy } from "./regions/server.mjs";
import { take as takeChange } from "./change/set.mjs";
import { take } from "./regions/set.mjs";
import { begin } from "./views/head.mjs";

tellBy(fail);
beginRegistration(() => state.common());
beginNetworks(() => [...state.methods]);
begin(link, 5);

window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.page = { areNewest, changeTheme, chooseNewest };
window.dash_clientside.compare = { change, tellGuidance };
window.dash_clientside.numbers = { toggle: numbers.toggle, show: numbers.show };
window.dash_clientside.reading = calls;
window.dash_clientside.regions = {
  /** @param {import("./regions/set.mjs").Linked & import("./change/set.mjs").Linked | null} found */
  take(found) {
    take(found);
    takeChange(found);
    return null;
  },
};

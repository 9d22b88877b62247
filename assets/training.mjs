/* The page `/training`: the function that its callback calls in the browser. */

import "./core/notices.mjs";
import { fillWhenOpened } from "./networks/card-parts.mjs";
import { changeTheme } from "./core/controls.mjs";

fillWhenOpened();

window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.page = { changeTheme };

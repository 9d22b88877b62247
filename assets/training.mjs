/* The page `/training`: the function that its callback calls in the browser. */

import "./core/notices.mjs";
import { changeTheme } from "./core/controls.mjs";

window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.page = { changeTheme };

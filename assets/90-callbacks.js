/* The callbacks that run in the browser, under the names that callbacks/display.py gives them. */
window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.fusevis = {
  changeDisplay: window.fusevis.scene.changeDisplay,
  changeMode: window.fusevis.toolbar.changeMode,
  changeTheme: window.fusevis.theme.changeTheme,
  showGreenPoints: window.fusevis.settle.showGreenPoints,
};

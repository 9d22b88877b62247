/* As much of a page as modules need that are no page's pictures: they listen to the document, and look elements up. */

const nothing = () => {};
const listening = { addEventListener: nothing, dispatchEvent: nothing };

globalThis.window = { ...listening, location: { href: "http://localhost/", pathname: "/", search: "" }, history: { replaceState: nothing } };
globalThis.document = {
  ...listening,
  body: { ...listening, dataset: {} },
  documentElement: { ...listening },
  getElementById: () => null,
  querySelector: () => null,
  querySelectorAll: () => [],
  createElement: () => ({ getContext: () => ({}), append: nothing }),
};
globalThis.ResizeObserver = class {
  observe() {}
};
globalThis.MutationObserver = globalThis.ResizeObserver;
globalThis.requestAnimationFrame = nothing;
// Node's own would keep the process from ending.
globalThis.MessageChannel = class {
  port1 = {};
  port2 = { postMessage: nothing };
};

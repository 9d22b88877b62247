/* Making elements of the page. */

/**
 * Make an element with these properties and children.
 * @template {keyof HTMLElementTagNameMap} Kind
 * @param {Kind} kind
 * @param {Record<string, unknown>} properties
 * @param {...(Node | string)} children
 */
export function element(kind, properties, ...children) {
  const made = Object.assign(document.createElement(kind), properties);
  made.append(...children);
  return made;
}

/**
 * Make an element of a class at the end of its parent.
 * @template {keyof HTMLElementTagNameMap} Kind
 * @param {Kind} kind
 * @param {string} className
 * @param {Element} parent
 */
export function append(kind, className, parent) {
  const made = element(kind, { className });
  parent.append(made);
  return made;
}

/**
 * Make a canvas that is not on the page.
 * @param {number} width
 * @param {number} height
 */
export function canvasOf(width, height) {
  return element("canvas", { width, height });
}

/**
 * Hand a file to the browser, which asks or knows where it shall be.
 * @param {Blob} blob
 * @param {string} name
 */
export function save(blob, name) {
  const link = element("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/**
 * The nearest element around an event that matches; null where there is none, as for an event of the document itself.
 * @param {{ target: EventTarget | null }} event
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
export function closest({ target }, selector) {
  return target instanceof Element ? target.closest(selector) : null;
}

/* Making elements of the page. */

/** Make an element with these properties and children. */
export function element(kind, properties, ...children) {
  const made = Object.assign(document.createElement(kind), properties);
  made.append(...children);
  return made;
}

/** Make an element of a class at the end of its parent. */
export function append(kind, className, parent) {
  const made = element(kind, { className });
  parent.append(made);
  return made;
}

/** Make a canvas that is not on the page. */
export function canvasOf(width, height) {
  return element("canvas", { width, height });
}

/** Hand a file to the browser, which asks or knows where it shall be. */
export function save(blob, name) {
  const link = element("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** Whether an event came from inside an element that matches: its element, else null. */
export function closest(event, selector) {
  return event.target.closest ? event.target.closest(selector) : null;
}

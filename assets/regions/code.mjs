/* Regions as short texts: the twin of fusion/statistics/region_code.py, which says what they mean. */

const MOST_BOXES = 8;

/** The boxes of a mask, each from its first pixel to the right and then down; null for too many. */
function boxesOf(mask, height, width) {
  const rest = mask.slice();
  const found = [];
  for (let at = rest.indexOf(1); at >= 0; at = rest.indexOf(1, at)) {
    if (found.length === MOST_BOXES) return null;
    const top = Math.floor(at / width);
    const left = at % width;
    let right = left;
    while (right < width && rest[top * width + right]) right += 1;
    let bottom = top + 1;
    while (bottom < height && filled(rest, bottom * width + left, bottom * width + right)) bottom += 1;
    for (let row = top; row < bottom; row += 1) rest.fill(0, row * width + left, row * width + right);
    found.push([top, left, bottom, right]);
  }
  return found;
}

function filled(rest, from, to) {
  for (let at = from; at < to; at += 1) if (!rest[at]) return false;
  return true;
}

export function encode(mask, height, width) {
  const boxes = boxesOf(mask, height, width);
  if (boxes) return `b${boxes.map((box) => box.join(".")).join("_")}`;
  const bytes = [];
  let inside = 0;
  let run = 0;
  for (let at = 0; at <= mask.length; at += 1) {
    if (at < mask.length && mask[at] === inside) {
      run += 1;
      continue;
    }
    for (; run > 127; run >>= 7) bytes.push((run & 127) | 128);
    bytes.push(run);
    inside = 1 - inside;
    run = 1;
  }
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return `r${btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")}`;
}

/** The mask of a code that the server has found to fit; null where it does not. */
export function decode(code, height, width) {
  const mask = new Uint8Array(height * width);
  if (code[0] === "b") {
    for (const box of code.slice(1).split("_").filter(Boolean)) {
      const [top, left, bottom, right] = box.split(".").map(Number);
      for (let row = top; row < bottom; row += 1) mask.fill(1, row * width + left, row * width + right);
    }
    return mask;
  }
  const text = atob(code.slice(1).replaceAll("-", "+").replaceAll("_", "/"));
  let at = 0;
  let inside = 0;
  for (let index = 0, run = 0, shift = 0; index < text.length; index += 1) {
    const byte = text.charCodeAt(index);
    run += (byte & 127) * 2 ** shift;
    shift += 7;
    if (byte > 127) continue;
    if (inside) mask.fill(1, at, at + run);
    at += run;
    inside = 1 - inside;
    run = shift = 0;
  }
  return at === mask.length ? mask : null;
}

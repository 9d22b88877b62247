/*
 * State that links carry. A tracked value knows what it is at first, what it may be, how a link writes and reads it, and who
 * is told when it changes; a link's state is several of them by their keys.
 */

/**
 * @template T
 * @typedef {object} Kind - Of a value: its form in a link, and what it may be.
 * @property {(value: T) => string} write
 * @property {(text: string) => T} read - Of any text; what comes of a wrong one is not valid.
 * @property {(value: T) => boolean} valid
 */

/** @typedef {Record<string, string | null | undefined>} Texts - Of a link, by key. */

/**
 * Encode as Python's urllib.parse.urlencode does with "," kept, so that equal views have equal links.
 * @param {string} text
 */
function encoded(text) {
  return encodeURIComponent(text)
    .replace(/[!*'()]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+")
    .replaceAll("%2C", ",");
}

/**
 * The query string of texts by key: keys sorted, what is null or undefined left out.
 * @param {Texts} texts
 */
export function write(texts) {
  const written = Object.entries(texts)
    .flatMap(([key, text]) => (text === null || text === undefined ? [] : [[key, text]]))
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, text]) => `${encoded(key)}=${encoded(text)}`);
  return written.length ? `?${written.join("&")}` : "";
}

/**
 * Compare two values, of which lists are equal if their parts are.
 * @param {unknown} one
 * @param {unknown} other
 */
function same(one, other) {
  if (!Array.isArray(one) || !Array.isArray(other)) return one === other;
  return one.length === other.length && one.every((part, at) => part === other[at]);
}

/** What tells others that it has changed. */
class Told {
  /** @type {Set<() => void>} */
  #listeners = new Set();

  /**
   * Have a function called after every change; gives the one that ends it.
   * @param {() => void} listener
   */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tell everybody. */
  tell() {
    this.#listeners.forEach((listener) => listener());
  }
}

/** @template T */
export class Tracked extends Told {
  #value;
  /** @type {(() => T) | null} */
  #work = null;

  /**
   * @param {T} first - What links leave out; null stands for what is not there, and is never written.
   * @param {Kind<NoInfer<NonNullable<T>>>} kind
   */
  constructor(first, kind) {
    super();
    this.first = first;
    this.kind = kind;
    this.#value = first;
  }

  get value() {
    return this.#work ? this.#work() : this.#value;
  }

  set value(next) {
    if (same(this.#value, next)) return;
    this.#value = next;
    this.tell();
  }

  /**
   * Let the value follow from something else, which tells of its changes by `tell`: it is worked out when it is
   * wanted. Null: it stands for itself again.
   * @param {(() => T) | null} work
   */
  derive(work) {
    this.#work = work;
  }

  /** What a link says of it, null where that is nothing. */
  get text() {
    const { value } = this;
    if (value === null || value === undefined || same(value, this.first)) return null;
    return this.kind.write(value);
  }

  /**
   * Take a link's text over; gives whether it could be used. What cannot be counts as left out.
   * @param {string} text
   * @param {T} [leftOut] - What the link's version means where it leaves this out.
   */
  restore(text, leftOut = this.first) {
    const read = this.kind.read(text);
    const valid = this.kind.valid(read);
    this.value = valid ? read : leftOut;
    return valid;
  }

  reset() {
    this.value = this.first;
  }
}

/**
 * What every link says, also where it is as at first.
 * @template T
 * @extends {Tracked<T>}
 */
export class Said extends Tracked {
  get text() {
    return this.kind.write(/** @type {NonNullable<T>} */ (this.value));
  }
}

/** @typedef {Record<number, Record<string, unknown>>} Earlier - First values of earlier versions of links, by key. */

/** @template {Record<string, Tracked<any>>} Parts */
export class LinkState extends Told {
  /**
   * @param {Parts} parts - By the keys that they have in links; `v` is the version of those that are written.
   * @param {Earlier} [earlier] - What links of earlier versions mean by the keys that they leave out.
   */
  constructor(parts, earlier = {}) {
    super();
    this.parts = parts;
    this.earlier = earlier;
    Object.values(parts).forEach((part) => part.subscribe(() => this.tell()));
  }

  /**
   * Say what the values of the first view are, which links leave out; those of now stay.
   * @param {Record<string, any>} first - By key.
   */
  begin(first) {
    for (const [key, part] of Object.entries(this.parts)) if (key in first) part.first = first[key];
  }

  reset() {
    Object.values(this.parts).forEach((part) => part.reset());
  }

  /**
   * Become what a query string says, which anybody may have written; gives the keys of which something was ignored.
   * @param {string} search
   */
  restore(search) {
    this.reset();
    const given = [...new URLSearchParams(search)];
    const [seen, ignored] = [new Set(), new Set()];
    const { version, known } = this.#versionOf(given);
    const first = this.earlier[version] || {};
    for (const [key, value] of Object.entries(first)) this.parts[key].value = value;
    for (const [key, text] of given) {
      // The version that is written stays today's.
      const fits = key === "v" ? known : Object.hasOwn(this.parts, key) && this.parts[key].restore(text, first[key]);
      if (seen.has(key) || !fits) ignored.add(key);
      seen.add(key);
    }
    return [...ignored];
  }

  /**
   * The version whose first values a link leaves out, and whether it is one that is known here: without a version the
   * first, without any key today's, which a newer one is read as too.
   * @param {[string, string][]} given
   */
  #versionOf(given) {
    const newest = this.parts.v?.value ?? 1;
    if (!given.some(([key]) => Object.hasOwn(this.parts, key))) return { version: newest, known: true };
    const text = given.findLast(([key]) => key === "v")?.[1] ?? "1";
    const version = /^0*[1-9]\d*$/.test(text) ? Number(text) : 0;
    return { version: version || 1, known: version > 0 && version <= newest };
  }

  /** What a link says, by key. */
  texts() {
    return Object.fromEntries(Object.entries(this.parts).map(([key, part]) => [key, part.text]));
  }

  /** The query string of the state: of equal states the same, and that which the server writes. */
  query() {
    return write(this.texts());
  }
}

/**
 * Give an object properties whose values are tracked ones.
 * @template {object} Target
 * @template {Record<string, Tracked<any>>} Parts
 * @param {Target} target
 * @param {Parts} parts
 * @returns {Target & { [Key in keyof Parts]: Parts[Key]["value"] }}
 */
export function tie(target, parts) {
  for (const [key, part] of Object.entries(parts)) {
    Object.defineProperty(target, key, {
      enumerable: true,
      get: () => part.value,
      set(next) {
        part.value = next;
      },
    });
  }
  return /** @type {any} */ (target);
}

/* What the tables of numbers have in common: elements with words in them, and what their words mean. */
(function (fusevis) {
  "use strict";

  const { make } = fusevis.compare.paint;
  let explained = false; // whether the meanings are open, in whichever table

  function text(kind, name, parent, words) {
    const element = make(kind, name, parent);
    element.textContent = words;
    return element;
  }

  /** A list of [term, meaning] that opens by a click, a touch or a key: titles are only for those who hover. */
  function meanings(parent, about, terms) {
    const details = make("details", "numbers-meanings", parent);
    details.open = explained;
    details.addEventListener("toggle", () => {
      explained = details.open;
    });
    text("summary", "", details, "What do these mean?");
    text("p", "", details, about);
    const list = make("dl", "", details);
    for (const [term, meaning] of terms) {
      text("dt", "", list, term);
      text("dd", "", list, meaning);
    }
  }

  /** Sentences, one a line; what is there already stays as it is, so that no reader begins anew. */
  function sentences(host, name, several) {
    if ([...host.children].map((line) => line.textContent).join("\n") === several.join("\n")) return;
    host.replaceChildren();
    for (const words of several) text("p", name, host, words);
  }

  fusevis.compare.numberParts = { text, meanings, sentences };
})(window.fusevis);

/** Elements from data. Text is always text: nothing here parses markup. */

const SVG = "http://www.w3.org/2000/svg";

/** @typedef {Node | string | number | null | undefined | false | Child[]} Child */
/** @typedef {Record<string, any>} Attributes */

/**
 * An HTML element: `h("a", {class: "button", href: "#/"}, "Home")`.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag @param {Attributes | null} [attributes] @param {Child[]} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function h(tag, attributes, ...children) {
  return dress(document.createElement(tag), attributes, children);
}

/**
 * An SVG element, built the same way.
 * @param {string} tag @param {Attributes | null} [attributes] @param {Child[]} children
 * @returns {SVGElement}
 */
export function s(tag, attributes, ...children) {
  return dress(/** @type {SVGElement} */ (document.createElementNS(SVG, tag)), attributes, children);
}

/**
 * @template {HTMLElement | SVGElement} E
 * @param {E} element @param {Attributes | null | undefined} attributes @param {Child[]} children
 * @returns {E}
 */
function dress(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    set(element, name, value);
  }
  append(element, children);
  return element;
}

/** @param {HTMLElement | SVGElement} element @param {string} name @param {any} value */
export function set(element, name, value) {
  if (name.startsWith("on")) {
    element.addEventListener(name.slice(2), value);
  } else if (name === "vars") {
    for (const [variable, text] of Object.entries(value)) {
      element.style.setProperty(variable, String(text));
    }
  } else if (name === "value" && "value" in element) {
    element.value = value ?? "";
  } else if (name === "checked" && "checked" in element) {
    element.checked = Boolean(value);
  } else if (value === true) {
    element.setAttribute(name, "");
  } else if (value === false || value === null || value === undefined) {
    element.removeAttribute(name);
  } else {
    element.setAttribute(name, String(value));
  }
}

/** @param {Element} parent @param {Child[]} children */
export function append(parent, children) {
  for (const child of children) {
    if (Array.isArray(child)) {
      append(parent, child);
    } else if (child instanceof Node) {
      parent.append(child);
    } else if (child !== null && child !== undefined && child !== false) {
      parent.append(document.createTextNode(String(child)));
    }
  }
}

/**
 * Exchanges what an element contains; the focus stays where it was, by id.
 * @param {Element} parent @param {Child[]} children
 */
export function fill(parent, ...children) {
  const active = document.activeElement;
  const id = active && parent.contains(active) ? active.id : "";
  parent.replaceChildren();
  append(parent, children);
  if (id) document.getElementById(id)?.focus({ preventScroll: true });
  return parent;
}

/**
 * Brings the children of `parent` in line with `items`. An element whose item says the same as before stays the very
 * element that it was: no flicker, no lost focus, no lost selection.
 * @template T
 * @param {Element} parent @param {T[]} items @param {(item: T) => string} key @param {(item: T) => Element} make
 */
export function keyed(parent, items, key, make) {
  /** @type {Map<string, Element & {said?: string}>} */
  const before = new Map();
  for (const child of parent.children) {
    before.set(child.getAttribute("data-key") ?? "", child);
  }
  let at = parent.firstElementChild;
  for (const item of items) {
    const name = key(item);
    const said = JSON.stringify(item);
    let element = before.get(name);
    if (!element || element.said !== said) {
      const made = /** @type {Element & {said?: string}} */ (make(item));
      made.setAttribute("data-key", name);
      made.said = said;
      if (element) {
        if (at === element) at = made;
        const focused = element.contains(document.activeElement) ? document.activeElement?.id : "";
        element.replaceWith(made);
        if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
      }
      element = made;
    }
    before.delete(name);
    if (element === at) {
      at = at.nextElementSibling;
    } else {
      parent.insertBefore(element, at);
    }
  }
  for (const gone of before.values()) gone.remove();
}

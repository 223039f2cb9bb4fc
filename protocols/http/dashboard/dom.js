// Nodes from data. Text is only ever set as text, so that no name, header or payload can become markup.

const $ = (id) => document.getElementById(id);

/** An element: properties by name (`class`, `on...` handlers, `data-...` and `aria-...` as attributes), then children. */
function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? '' : String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** Changes an element's text, if it is another. */
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function button(text, onclick, kind = '') {
  return el('button', {type: 'button', class: kind, onclick}, text);
}

/** Says something for a few seconds. */
function toast(text, bad = false) {
  const note = el('div', {class: bad ? 'toast bad' : 'toast'}, text);
  $('toasts').append(note);
  while ($('toasts').childElementCount > 4) $('toasts').firstElementChild.remove();
  setTimeout(() => note.remove(), bad ? 8000 : 4000);
}

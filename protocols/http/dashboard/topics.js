// The table of topics. Rows are kept and only what changed in them is touched; no more rows than anybody reads are made.

const rowsAtOnce = 100;
let rowsShown = rowsAtOnce;
const rows = new Map();  // by key

const topicColumns = [
  (topic) => [countText(topic.ready), topic.ready === 0 ? 'zero' : ''],
  (topic) => [countText(topic.leased), topic.leased === 0 ? 'narrow zero' : 'narrow'],
  (topic) => [countText(topic.delayed), topic.delayed === 0 ? 'wide zero' : 'wide'],
  (topic) => [countText(topic.dead), topic.dead === 0 ? 'zero' : 'alarm'],
  (topic) => [countText(topic.consumers), topic.consumers === 0 ? 'wide zero' : 'wide'],
  (topic, before) => rateCell(rate(topic, before, 'published')),
  (topic, before) => rateCell(rate(topic, before, 'delivered')),
];

const rateCell = (value) => [rateText(value), value === 0 ? 'zero' : ''];

function makeRow(topic) {
  const link = el('a', {href: addressOf(topic)}, el('span', {class: 'muted'}, `${topic.namespace} / `), topic.name);
  const row = el('tr', {onclick: (event) => event.target.closest('a') || (location.hash = addressOf(topic))},
    el('td', {class: 'name'}, link), topicColumns.map(() => el('td')));
  return row;
}

function fillRow(row, topic, before, chosen) {
  topicColumns.forEach((column, i) => {
    const [text, kind] = column(topic, before);
    const cell = row.children[i + 1];
    setText(cell, text);
    if (cell.className !== `number ${kind}`) cell.className = `number ${kind}`;
  });
  row.classList.toggle('chosen', chosen);
  if (chosen) row.setAttribute('aria-current', 'true');
  else row.removeAttribute('aria-current');
}

/** The topics that the filter lets through, in order. */
function filteredTopics() {
  const words = $('filter').value.toLowerCase().split(/\s+/).filter(Boolean);
  return state.stats.topics
    .filter((topic) => words.every((word) => keyOf(topic).toLowerCase().includes(word)))
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

function showTopics() {
  const all = state.stats.topics, found = filteredTopics();
  const before = new Map((state.before?.topics ?? []).map((topic) => [keyOf(topic), topic]));
  const chosen = chosenTopic();
  const kept = new Set();
  const body = $('topics').tBodies[0];
  found.slice(0, rowsShown).forEach((topic, i) => {
    const key = keyOf(topic);
    kept.add(key);
    if (!rows.has(key)) rows.set(key, makeRow(topic));
    const row = rows.get(key);
    fillRow(row, topic, before.get(key), chosen !== null && keyOf(chosen) === key);
    if (body.children[i] !== row) body.insertBefore(row, body.children[i] ?? null);
  });
  for (const [key, row] of rows) {
    if (kept.has(key)) continue;
    row.remove();
    rows.delete(key);
  }
  setText($('topic-count'), found.length === all.length ? whole.format(all.length) : `${found.length} of ${all.length}`);
  $('welcome').hidden = all.length > 0;
  $('topics-frame').hidden = found.length === 0;
  $('more').hidden = found.length <= rowsShown;
  setText($('more'), `Show more (${whole.format(found.length - rowsShown)})`);
}

$('filter').addEventListener('input', () => {
  rowsShown = rowsAtOnce;
  if (state.stats) showTopics();
});
$('more').addEventListener('click', () => {
  rowsShown += rowsAtOnce;
  showTopics();
});

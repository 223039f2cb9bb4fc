// The chosen topic: its queues, settings, dead letters and messages.

const queuesAtOnce = 128;

/** What is on the page of the chosen topic; made anew for each topic. */
let view = null;

function makeView(topic) {
  const made = {topic, details: null, rows: []};
  made.badge = el('span', {class: 'muted'});
  made.body = el('tbody');
  made.rest = el('p', {class: 'muted', hidden: true});
  made.settings = el('dl', {class: 'settings'});
  made.dead = el('span');
  made.messages = el('div');
  const act = (text, what, kind) => button(text, () => what(made), kind);
  $('topic').replaceChildren(
    el('div', {class: 'bar'}, el('h2', {}, topic.name), made.badge, el('span', {class: 'spacer'}),
      act('Publish', askToPublish, 'primary'), act('Resize', askToResize), act('Rebalance', rebalance),
      act('Delete', askToDeleteTopic, 'danger'), button('Close', () => (location.hash = ''))),
    el('div', {class: 'scroll'}, el('table', {},
      el('thead', {}, el('tr', {}, el('th', {scope: 'col'}, 'Queue'), el('th', {scope: 'col', class: 'number'}, 'Ready'),
        el('th', {class: 'depth'}, el('span', {class: 'sr'}, 'Depth')), ...['Leased', 'Delayed', 'Consumers'].map((title) =>
          el('th', {scope: 'col', class: title === 'Leased' ? 'number' : 'number wide'}, title)),
        el('th', {}, el('span', {class: 'sr'}, 'Actions')))),
      made.body)),
    made.rest,
    el('div', {class: 'panel'}, el('div', {class: 'bar'}, el('h3', {}, 'Dead letters'), made.dead, el('span', {class: 'spacer'}),
      act('Show', showDead, 'small'), act('Redrive all', askToRedrive, 'small'), act('Purge', askToPurgeDead, 'small danger'))),
    made.messages,
    el('div', {class: 'panel'}, el('div', {class: 'bar'}, el('h3', {}, 'Settings')), made.settings));
  return made;
}

function makeQueueRow(made, queue) {
  const number = queue.queue_id;
  const bar = el('span', {class: 'depth-bar'});
  const row = el('tr', {}, el('td', {}, String(number)), el('td', {class: 'number'}), el('td', {class: 'depth'}, bar),
    el('td', {class: 'number'}), el('td', {class: 'number wide'}), el('td', {class: 'number wide'}),
    el('td', {class: 'actions'},
      el('button', {type: 'button', class: 'small', 'aria-label': `Look into queue ${number}`,
        onclick: () => showMessages(made, number)}, 'Peek'), ' ',
      el('button', {type: 'button', class: 'small danger', 'aria-label': `Purge queue ${number}`,
        onclick: () => askToPurgeQueue(made, number)}, 'Purge')));
  return {row, bar};
}

function fillQueues(made, queues) {
  const shown = queues.slice(0, queuesAtOnce);
  while (made.rows.length > shown.length) made.rows.pop().row.remove();
  while (made.rows.length < shown.length) {
    made.rows.push(makeQueueRow(made, shown[made.rows.length]));
    made.body.append(made.rows.at(-1).row);
  }
  const deepest = Math.max(1, ...shown.map((queue) => queue.ready));
  shown.forEach((queue, i) => {
    const {row, bar} = made.rows[i];
    setText(row.children[1], countText(queue.ready));
    bar.style.width = `${100 * queue.ready / deepest}%`;
    setText(row.children[3], countText(queue.leased));
    setText(row.children[4], countText(queue.delayed));
    setText(row.children[5], countText(queue.consumers));
  });
  made.rest.hidden = queues.length <= queuesAtOnce;
  setText(made.rest, `and ${queues.length - queuesAtOnce} more queues`);
}

function fillSettings(made, settings) {
  const limit = (n, text = countText) => (n === 0 ? 'none' : text(n));
  const shown = {
    'Ack timeout': durationText(settings.ack_timeout_ms),
    'Max deliveries': limit(settings.max_deliveries),
    'Message TTL': limit(settings.message_ttl_ms, durationText),
    'Max length': limit(settings.max_length),
    'Max bytes': limit(settings.max_bytes, bytesText),
    Overflow: settings.overflow,
    Stealing: settings.steal,
  };
  const text = JSON.stringify(shown);
  if (made.settingsShown === text) return;
  made.settingsShown = text;
  made.settings.replaceChildren(...Object.entries(shown).map(([name, value]) =>
    el('div', {}, el('dt', {}, name), el('dd', {}, value))));
}

function fillView(made) {
  const {details} = made;
  setText(made.badge, `${plural(details.queue_count, 'queue')}, version ${details.version}${details.draining ? ', draining' : ''}`);
  fillQueues(made, details.queues);
  fillSettings(made, details.settings);
  setText(made.dead, countText(details.dead));
  made.dead.className = details.dead > 0 ? 'pill bad' : 'pill';
}

/** Brings the chosen topic up to date. */
async function showTopic() {
  const topic = chosenTopic();
  $('topic').hidden = topic === null;
  if (!topic) {
    view = null;
    return;
  }
  if (!view || keyOf(view.topic) !== keyOf(topic)) view = makeView(topic);
  const made = view;
  try {
    made.details = (await call('GET', topicPath(topic))).data;
    if (made === view) fillView(made);
  } catch (error) {
    if (error.code !== 'NOT_FOUND') throw error;
    if (made !== view) return;
    toast(`${keyOf(topic)} is not there any more`);
    location.hash = '';
  }
}

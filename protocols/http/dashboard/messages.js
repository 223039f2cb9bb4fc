// Messages of a queue, and dead letters.

const messagesAtOnce = 50;

function messageNode(message, ...more) {
  const headers = Object.entries(message.headers).map(([name, value]) => el('span', {class: 'tag'}, `${name}: ${value}`));
  return el('article', {class: 'message'},
    el('div', {class: 'message-head'},
      el('span', {class: 'mono'}, message.id),
      el('span', {}, timeText(message.timestamp)),
      message.delivery_count > 0 && el('span', {}, `delivery ${message.delivery_count}`),
      message.routing_key !== undefined && el('span', {class: 'tag'}, `key ${message.routing_key}`),
      headers, more),
    el('pre', {}, message.text.length > 20000 ? `${message.text.slice(0, 20000)} ... (${plural(message.text.length, 'character')})`
      : message.text));
}

/** A panel below the queues, with messages or with the reason why there are none. */
async function showPanel(made, title, path, controls, more, nothing) {
  let content;
  try {
    const found = await fetchMessages(path);
    content = found.map((message) => messageNode(message, ...more(message)));
    if (found.length === 0) content = [el('p', {class: 'muted'}, nothing)];
    if (found.length === messagesAtOnce) content.push(el('p', {class: 'muted'}, `These are the first ${messagesAtOnce}.`));
  } catch (error) {
    content = [el('p', {class: 'dialog-error'}, error.message)];
  }
  made.messages.replaceChildren(el('div', {class: 'panel'},
    el('div', {class: 'bar'}, el('h3', {}, title), el('span', {class: 'spacer'}), controls,
      button('Hide', () => made.messages.replaceChildren(), 'small')),
    content));
}

function showMessages(made, queue, which = 'ready') {
  const states = ['ready', 'leased', 'delayed'].map((name) =>
    el('button', {type: 'button', class: 'small', 'aria-pressed': String(name === which),
      onclick: () => showMessages(made, queue, name)}, name));
  return showPanel(made, `Queue ${queue}`, `${topicPath(made.topic)}/queues/${queue}/messages?limit=${messagesAtOnce}&state=${which}`,
    states, () => [], `No message is ${which}.`);
}

function showDead(made) {
  const redriveOne = (message) => button('Redrive', () =>
    act(made, 'POST', 'dead/redrive', {message_ids: [message.id]}, () => 'It is back in its queue').then(() => showDead(made)), 'small');
  return showPanel(made, 'Dead letters', `${topicPath(made.topic)}/dead?limit=${messagesAtOnce}`,
    [button('Refresh', () => showDead(made), 'small')],
    (message) => [el('span', {class: 'tag'}, `${message.reason}, ${timeText(message.dead_at)}`), redriveOne(message)],
    'There are none.');
}

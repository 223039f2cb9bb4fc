// What can be done, and the dialogs that ask for it. What destroys something asks first.

/** Does something with a topic, says how it went, and brings the page up to date. */
async function act(made, method, path, body, said) {
  try {
    const answer = await call(method, `${topicPath(made.topic)}${path ? `/${path}` : ''}`, body);
    toast(said(answer.data, answer.message));
  } catch (error) {
    toast(error.message, true);
  }
  refresh();
}

/** A labelled control of a form. */
function field(title, control, hint = null) {
  return el('label', {class: 'field'}, el('span', {}, title), control, hint && el('small', {}, hint));
}

/** Opens the dialog. `submit` may throw: the reason is shown and the dialog stays. */
function openDialog(title, content, verb, submit, kind = 'primary') {
  const dialog = $('dialog');
  const problem = el('p', {class: 'dialog-error', role: 'alert', hidden: true});
  const ok = el('button', {type: 'submit', class: kind}, verb);
  const form = el('form', {onsubmit: async (event) => {
    event.preventDefault();
    ok.disabled = true;
    try {
      await submit();
      dialog.close();
    } catch (error) {
      problem.hidden = false;
      setText(problem, error.message);
    }
    ok.disabled = false;
    refresh();
  }}, el('h2', {id: 'dialog-title'}, title), content, problem,
    el('div', {class: 'dialog-end'}, button('Cancel', () => dialog.close()), ok));
  dialog.setAttribute('aria-labelledby', 'dialog-title');
  dialog.replaceChildren(form);
  dialog.showModal();
}

/** Asks before `what` is done. */
function confirmFirst(title, text, verb, what) {
  openDialog(title, el('p', {}, text), verb, what, 'primary danger');
}

// -- a topic ------------------------------------------------------------------------------------------------------------------

function askToCreateTopic() {
  const namespaces = [...new Set(state.stats?.topics.map((topic) => topic.namespace) ?? [])].slice(0, 100);
  const namespace = el('input', {required: true, maxlength: 255, list: 'namespaces', autocomplete: 'off', spellcheck: 'false',
    value: chosenTopic()?.namespace ?? namespaces[0] ?? ''});
  const name = el('input', {required: true, maxlength: 255, autocomplete: 'off', spellcheck: 'false'});
  const queues = el('input', {type: 'number', min: 1, max: 1024, value: 3, required: true});
  openDialog('New topic', [
    el('datalist', {id: 'namespaces'}, namespaces.map((each) => el('option', {value: each}))),
    field('Namespace', namespace, 'It is created if it is missing.'), field('Name', name), field('Queues', queues),
  ], 'Create', async () => {
    const topic = {namespace: namespace.value, name: name.value};
    await call('POST', 'v1/namespaces', {name: topic.namespace}).catch((error) => {
      if (error.code !== 'ALREADY_EXISTS') throw error;
    });
    await call('POST', `v1/namespaces/${encodeURIComponent(topic.namespace)}/topics`,
      {name: topic.name, queue_count: Number(queues.value)});
    location.hash = addressOf(topic);
  });
  name.focus();
}

function askToResize(made) {
  const count = el('input', {type: 'number', min: 1, max: 1024, value: made.details?.queue_count ?? 1, required: true});
  openDialog(`Resize ${made.topic.name}`, field('Queues', count, 'Queues that go are drained first; what is left in them moves to the others.'),
    'Resize', async () => {
      const {data} = await call('PUT', `${topicPath(made.topic)}/resize`, {new_queue_count: Number(count.value)});
      toast(`${made.topic.name} has ${plural(data.new_queue_count, 'queue')}${data.draining ? '; the others are being drained' : ''}`);
    });
}

const rebalance = (made) => act(made, 'POST', 'rebalance', undefined, () => 'What waits is spread evenly over the queues');

function askToDeleteTopic(made) {
  confirmFirst(`Delete ${made.topic.name}?`, `All messages of ${keyOf(made.topic)} are deleted with it.`, 'Delete', async () => {
    await call('DELETE', topicPath(made.topic));
    location.hash = '';
    toast(`${keyOf(made.topic)} was deleted`);
  });
}

function askToPurgeQueue(made, queue) {
  confirmFirst(`Purge queue ${queue}?`, `What waits in queue ${queue} of ${keyOf(made.topic)} is deleted, delayed messages included.`, 'Purge',
    async () => {
      const {data} = await call('DELETE', `${topicPath(made.topic)}/queues/${queue}/messages`);
      toast(`${plural(data.purged, 'message')} deleted`);
    });
}

function askToPurgeDead(made) {
  confirmFirst('Purge the dead letters?', `All dead letters of ${keyOf(made.topic)} are deleted.`, 'Purge', async () => {
    const {data} = await call('DELETE', `${topicPath(made.topic)}/dead`);
    toast(`${plural(data.purged, 'dead letter')} deleted`);
    made.messages.replaceChildren();
  });
}

function askToRedrive(made) {
  openDialog('Redrive all dead letters?', el('p', {}, 'They go back to their queues, and their deliveries count anew.'), 'Redrive', async () => {
    const {data} = await call('POST', `${topicPath(made.topic)}/dead/redrive`);
    toast(`${plural(data.redriven, 'message')} redriven`);
    made.messages.replaceChildren();
  });
}

// -- publish ------------------------------------------------------------------------------------------------------------------

/** The lines `name: value` as an object. */
function headersOf(text) {
  const headers = Object.create(null);
  for (const line of text.split('\n').filter((each) => each.trim())) {
    const colon = line.indexOf(':');
    if (colon < 1) throw new Error(`a header must be "name: value", not "${line}"`);
    headers[line.slice(0, colon).trim()] = line.slice(colon + 1).trim();
  }
  return headers;
}

/** The body of a publish: JSON goes as it is written, anything else as the bytes of the text. */
function publishBody(payload, fields) {
  const rest = JSON.stringify(fields).slice(1, -1);
  const first = isJson(payload) ? `"payload":${payload}` : `"payload_base64":"${base64Of(payload)}"`;
  return `{${first}${rest ? `,${rest}` : ''}}`;
}

function askToPublish(made) {
  const payload = el('textarea', {rows: 5, spellcheck: 'false'});
  const kind = el('small', {}, 'Sent as JSON');
  const key = el('input', {autocomplete: 'off', spellcheck: 'false'});
  const queue = el('select', {}, el('option', {value: ''}, 'automatic'),
    Array.from({length: made.details?.queue_count ?? 0}, (_, i) => el('option', {value: i}, String(i))));
  const delay = el('input', {type: 'number', min: 0, step: 'any', value: 0});
  const headers = el('textarea', {rows: 2, spellcheck: 'false', placeholder: 'name: value'});
  payload.value = '{"hello": "world"}';
  payload.addEventListener('input', () => setText(kind, isJson(payload.value) ? 'Sent as JSON' : 'This is no JSON: sent as text'));
  openDialog(`Publish to ${made.topic.name}`, [
    el('label', {class: 'field'}, el('span', {}, 'Payload'), payload, kind),
    el('div', {class: 'fields'}, field('Routing key', key), field('Queue', queue), field('Delay in seconds', delay)),
    field('Headers, one a line', headers),
  ], 'Publish', async () => {
    const fields = {headers: headersOf(headers.value)};
    if (key.value) fields.routing_key = key.value;
    if (queue.value !== '') fields.queue_id = Number(queue.value);
    if (Number(delay.value) > 0) fields.delay_ms = Math.round(Number(delay.value) * 1000);
    const {data} = await call('POST', `${topicPath(made.topic)}/publish`, publishBody(payload.value, fields));
    toast(`Published to queue ${data.queue_id}`);
  });
  payload.focus();
}

// -- the broker ---------------------------------------------------------------------------------------------------------------

function askToRewrite() {
  openDialog('Rewrite the log?', el('p', {}, 'A new file is written that holds only what still matters. The broker goes on meanwhile.'),
    'Rewrite', async () => {
      await call('POST', 'v1/admin/rewrite');
      toast('The log is being rewritten');
    });
}

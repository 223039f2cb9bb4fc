// The broker over HTTP. Paths are relative, so that the page also works behind a proxy that serves it below a path.

/** A refusal, or no answer at all. */
class Refusal extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

const topicPath = (topic) => `v1/namespaces/${encodeURIComponent(topic.namespace)}/topics/${encodeURIComponent(topic.name)}`;

async function fetchText(method, path, body) {
  let response;
  try {
    response = await fetch(path, {method, body, cache: 'no-store', signal: AbortSignal.timeout(15000)});
  } catch {
    throw new Refusal('UNREACHABLE', 'the broker does not answer');
  }
  const text = await response.text();
  if (response.ok) return text;
  let refusal = {};
  try {
    refusal = JSON.parse(text);
  } catch { /* not from the broker */ }
  throw new Refusal(refusal.code ?? String(response.status), refusal.message ?? `HTTP ${response.status}`);
}

/** The answer's envelope; `body` is JSON text or a value. Throws Refusal. */
async function call(method, path, body) {
  return JSON.parse(await fetchText(method, path, typeof body === 'object' ? JSON.stringify(body) : body));
}

/** Messages, each with `text`: its payload as it was published. JSON.parse would round large numbers and drop spaces. */
async function fetchMessages(path) {
  const text = await fetchText('GET', path);
  const payloads = rawPayloads(text);
  return JSON.parse(text).data.map((message, i) =>
    ({...message, text: payloads[i] ?? bytesShown(bytesOf(message.payload_base64 ?? ''))}));
}

/** Of `{"data":[{"payload":...},...]}` the text of each element's `payload`, undefined where there is none. */
function rawPayloads(text) {
  const payloads = [];
  let depth = 0, key = '', start = -1;
  for (let i = 0; i < text.length; ++i) {
    const c = text[i];
    if (c === '"') {
      const end = endOfString(text, i);
      if (depth === 3 && start < 0) key = text.slice(i + 1, end);
      i = end;
    } else if (c === '{' || c === '[') {
      if (++depth === 3) payloads.push(undefined);
    } else if (c === ':' && depth === 3 && start < 0) {
      start = i + 1;
    } else if (c === '}' || c === ']' || c === ',') {
      if (depth === 3 && start >= 0) {
        if (key === 'payload') payloads[payloads.length - 1] = text.slice(start, i);
        start = -1;
      }
      if (c !== ',') --depth;
    }
  }
  return payloads;
}

/** Where the string ends that begins at `start`. */
function endOfString(text, start) {
  let i = start + 1;
  while (i < text.length && text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
  return i;
}

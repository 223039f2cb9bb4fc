// What the page knows, and what is chosen. The chosen topic is in the address, so that reloading and going back work.

const state = {
  stats: null,      // the last statistics, and when they came
  at: 0,
  before: null,     // those before
  between: 0,       // seconds from those to these
  paused: false,
};

/** How much a counter grew a second; `name` is a member of both objects. */
function rate(now, before, name) {
  if (!before || !(state.between > 0)) return 0;
  return Math.max(now[name] - before[name], 0) / state.between;
}

const keyOf = (topic) => `${topic.namespace}/${topic.name}`;

/** The chosen topic, or null. */
function chosenTopic() {
  const [namespace, name] = location.hash.replace(/^#\/?/, '').split('/').map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return '';
    }
  });
  return namespace && name ? {namespace, name} : null;
}

const addressOf = (topic) => `#/${encodeURIComponent(topic.namespace)}/${encodeURIComponent(topic.name)}`;

// The page asks the broker about once a second, never twice at a time, and not while nobody looks.

let timer = 0;
let asking = false;

async function update() {
  const stats = (await call('GET', 'v1/stats?topics=true')).data;
  const now = performance.now();
  state.before = state.stats;
  state.between = (now - state.at) / 1000;
  state.stats = stats;
  state.at = now;
  showOverview();
  showTopics();
  await showTopic();
}

/** Many topics are asked for less often: the answer is as long as their list. */
const pauseBetween = () => ((state.stats?.topics.length ?? 0) > 300 ? 2000 : 1000);

async function tick() {
  clearTimeout(timer);
  if (asking || document.hidden || state.paused) return;
  asking = true;
  try {
    await update();
  } catch (error) {
    if (error instanceof Refusal && error.code === 'UNREACHABLE') showUnreachable();
    else showTrouble(error.message);
  }
  asking = false;
  timer = setTimeout(tick, pauseBetween());
}

/** After something was done: now instead of in a second. The charts keep their pace. */
function refresh() {
  showTopic().catch(() => {});
}

$('pause').addEventListener('click', () => {
  state.paused = !state.paused;
  $('pause').setAttribute('aria-pressed', String(state.paused));
  setText($('pause'), state.paused ? 'Resume' : 'Pause');
  tick();
});
$('create-topic').addEventListener('click', askToCreateTopic);
document.addEventListener('visibilitychange', tick);
addEventListener('hashchange', () => {
  if (state.stats) showTopics();
  showTopic().then(() => view && $('topic').scrollIntoView({block: 'nearest'})).catch((error) => toast(error.message, true));
});
tick();

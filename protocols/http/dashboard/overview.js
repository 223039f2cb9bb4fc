// The broker as a whole: health, charts, vitals.

const charts = {
  published: new Chart('Published /s', 'in', rateText),
  delivered: new Chart('Delivered /s', 'out', rateText),
  acknowledged: new Chart('Acknowledged /s', 'done', rateText),
  ready: new Chart('Ready', 'depth', countText),
};
$('charts').append(...Object.values(charts).map((chart) => chart.node));

const vitals = {};

/** Sets one of the facts below the charts; a node may stand behind it. */
function setVital(name, text, kind = '', extra = null) {
  if (!vitals[name]) {
    vitals[name] = el('dd');
    $('vitals').append(el('div', {}, el('dt', {}, name), vitals[name], extra));
  }
  setText(vitals[name], text);
  vitals[name].className = kind;
}

function setHealth(text, kind) {
  setText($('health'), text);
  $('health').className = `pill ${kind}`;
}

function showTrouble(text) {
  $('trouble').hidden = !text;
  setText($('trouble'), text);
}

function logText(log) {
  if (!log.enabled) return 'off: a restart forgets everything';
  return `${bytesText(log.bytes)}, fsync ${log.fsync}${log.rewrite?.running ? ', being rewritten' : ''}`;
}

function showOverview() {
  const {stats, before} = state;
  const {log, memory, totals, connections} = stats;
  const sound = !log.enabled || log.healthy;
  setHealth(sound ? 'healthy' : 'cannot write', sound ? 'good' : 'bad');
  showTrouble(sound ? '' : `The log cannot be written, publishes are refused: ${log.problem}`);
  setText($('facts'), `version ${stats.version}, up ${durationText(stats.uptime_ms)}`);
  for (const name of ['published', 'delivered', 'acknowledged']) charts[name].add(rate(totals, before?.totals, name));
  charts.ready.add(totals.ready);
  setVital('Leased', countText(totals.leased));
  setVital('Delayed', countText(totals.delayed));
  setVital('Dead', countText(totals.dead));
  setVital('Consumers', countText(totals.consumers));
  setVital('Stolen', countText(totals.stolen));
  setVital('Memory', bytesText(memory.resident_bytes) + (memory.max_bytes ? ` of ${bytesText(memory.max_bytes)}` : ''));
  const open = Object.entries(connections).filter(([, count]) => count > 0).map(([name, count]) => `${name} ${count}`);
  setVital('Connections', open.join(', ') || 'none');
  const rewrite = log.enabled ? button('Rewrite', askToRewrite, 'small') : null;
  setVital('Log', logText(log), '', rewrite);
}

/** The broker does not answer: what is shown is old. */
function showUnreachable() {
  setHealth('no answer', 'bad');
  showTrouble('The broker does not answer. What is shown below is what it said last.');
}

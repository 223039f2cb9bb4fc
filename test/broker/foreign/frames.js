// A client of the TCP door in JavaScript, with nothing but Node's own modules: publishes, consumes, acknowledges and subscribes.
// Usage: node frames.js PORT NAMESPACE; prints one line of JSON for each answer and event.
const net = require('net');

const [port, namespace] = process.argv.slice(2);
const where = {namespace, topic: 'orders'};
const broker = net.connect(Number(port), '127.0.0.1');
const waiting = [];
let held = Buffer.alloc(0);

broker.on('data', (data) => {
  held = Buffer.concat([held, data]);
  while (held.length >= 5 && held.length >= 5 + held.readUInt32BE(0)) {
    const end = 5 + held.readUInt32BE(0);
    const text = held.subarray(5, end).toString();
    held = held.subarray(end);
    console.log(text);
    waiting.shift()(JSON.parse(text));
  }
});

function next() {
  return new Promise((resolve) => waiting.push(resolve));
}

function ask(action, data) {
  const payload = Buffer.from(JSON.stringify({action, id: action, data: {...where, ...data}}));
  const head = Buffer.alloc(5);
  head.writeUInt32BE(payload.length, 0);
  broker.write(Buffer.concat([head, payload]));
  return next();
}

async function main() {
  await ask('publish', {payload: {text: 'ä€😀', number: 1.5}, headers: {from: 'elsewhere'}});
  const [message] = (await ask('consume', {batch_size: 5})).data;
  await ask('ack', {message_ids: [message.receipt]});
  await ask('subscribe', {auto_ack: true});
  await Promise.all([ask('publish', {payload: 'pushed'}), next()]);
  broker.end();
}

main();

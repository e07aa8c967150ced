// Plays on a server with `ws`: node play.mjs ws://host:port TOKEN. Ends with 0 when all is as RFC 6455 and the protocol say.

import assert from 'node:assert';
import { once } from 'node:events';
import { createRequire } from 'node:module';

// Not beside this file, but where it was installed.
const WebSocket = createRequire(`${process.env.FOREIGN_MODULES}/`)('ws');
const [url, token] = [`${process.argv[2]}/v1/ws`, process.argv[3]];
const signal = AbortSignal.timeout(120_000);

async function logIn() {
  const ws = new WebSocket(url, ['anser.v1.json'], { perMessageDeflate: false });
  await once(ws, 'open', { signal });
  assert.equal(ws.protocol, 'anser.v1.json');
  const hello = { version: 1, token, device: { device_id: 'node' } };
  ws.send(JSON.stringify({ request_id: 1, hello }));
  assert.ok('welcome' in (await receive(ws)));
  return ws;
}

async function receive(ws) {
  const [data, isBinary] = await once(ws, 'message', { signal });
  assert.equal(isBinary, false);
  return JSON.parse(data);
}

async function fragmentsAndControlFramesInBetween() {
  const ws = await logIn();
  const text = JSON.stringify({ request_id: 2, get_users: { accounts: ['alice'] } });
  const answer = receive(ws);
  for (let at = 0; at < text.length; at += 7) {
    ws.ping(`ping ${at}`);
    ws.send(text.slice(at, at + 7), { fin: at + 7 >= text.length });
    ws.pong();
  }
  assert.equal((await answer).users.users[0].account, 'alice');
  ws.ping('still there?');
  const [pong] = await once(ws, 'pong', { signal });
  assert.match(pong.toString(), /^ping \d+|still there\?$/);
  ws.close();
}

async function closesAreAnsweredWithTheirCode() {
  for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]) {
    const ws = await logIn();
    ws.close(code, 'tschüß');
    const [answered] = await once(ws, 'close', { signal });
    assert.equal(answered, code);
  }
  const ws = await logIn();
  ws.close();
  assert.equal((await once(ws, 'close', { signal }))[0], 1005, 'a close without a code is answered without one');
}

async function whatBreaksTheStandardIsClosedWithItsCode() {
  for (const [what, code, options] of [
    ['no mask', 1002, { mask: false }],
    ['reserved bit', 1002, { rsv1: true }],
    ['reserved opcode', 1002, { opcode: 3 }],
    ['continuation of nothing', 1002, { opcode: 0 }],
    ['text that is no UTF-8', 1007, { opcode: 1, data: [0x7b, 0xff, 0x7d] }],
    ['binary under JSON', 4502, { opcode: 2 }],
  ]) {
    const ws = await logIn();
    ws.on('error', () => {});
    const data = Buffer.from(options.data ?? '{}');
    const frame = { fin: true, opcode: 1, mask: true, rsv1: false, readOnly: true, ...options };
    delete frame.data;
    // The library writes no such frame by itself, but its own sender knows how to frame anything.
    const chunks = WebSocket.Sender.frame(data, frame);
    chunks.forEach((chunk) => ws._socket.write(chunk));
    const [answered] = await once(ws, 'close', { signal });
    assert.equal(answered, code, what);
  }
}

await fragmentsAndControlFramesInBetween();
await closesAreAnsweredWithTheirCode();
await whatBreaksTheStandardIsClosedWithItsCode();
process.exit(0);

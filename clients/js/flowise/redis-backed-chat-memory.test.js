// Flowise's Redis-Backed Chat Memory, the published node itself.
//
// Each row of what was measured to be wrong with it and can be put right on the other end of its connection has
// its test here (docs/node.md has the table): the node is unchanged, and its chats come out right.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Redis } from 'ioredis';

import { cutOnce } from '../shared/proxy.js';
import { hostAndPort, need, session, until } from '../shared/server.js';
import { secured } from '../shared/tls.js';
import { messages, node } from './node.js';

const { AIMessage, HumanMessage } = messages;

const address = need('HITHERTO_REDIS');
const client = new Redis(address);
after(() => client.quit());

const said = (question, answer) => [
  { text: question, type: 'userMessage' },
  { text: answer, type: 'apiMessage' },
];
const shown = (question, answer) => [
  { message: question, type: 'userMessage' },
  { message: answer, type: 'apiMessage' },
];

test('the three operations: add, get in both forms, clear', async () => {
  const memory = await node({ sessionId: session('flowise') }, { redisUrl: address });
  assert.deepEqual(await memory.getChatMessages(), []);
  await memory.addChatMessages(said('Hi, my name is Zoë. 👋🏽', 'Hello Zoë!'));
  await memory.addChatMessages(said('half an emoji \ud83d', 'It is 21.5 °C:\n- 晴れ ☀️\u2028end'));
  assert.deepEqual(await memory.getChatMessages(), [
    ...shown('Hi, my name is Zoë. 👋🏽', 'Hello Zoë!'),
    ...shown('half an emoji \ud83d', 'It is 21.5 °C:\n- 晴れ ☀️\u2028end'),
  ]);
  assert.deepEqual((await memory.getChatMessages('', true)).slice(0, 2), [
    new HumanMessage('Hi, my name is Zoë. 👋🏽'),
    new AIMessage('Hello Zoë!'),
  ]);
  await memory.clearChatMessages();
  assert.deepEqual(await memory.getChatMessages(), []);
});

test('a run has a session of its own when it overrides the id, and messages may come before the history', async () => {
  const memory = await node({ sessionId: session('flowise') }, { redisUrl: address });
  const other = session('flowise');
  await memory.addChatMessages(said('hello', 'hi'), other);
  assert.deepEqual(await memory.getChatMessages(), []);
  const before = [{ role: 'userMessage', content: 'earlier' }];
  assert.deepEqual(await memory.getChatMessages(other, false, before), [
    { message: 'earlier', type: 'userMessage' },
    ...shown('hello', 'hi'),
  ]);
  await memory.clearChatMessages(other);
  assert.deepEqual(await memory.getChatMessages(other), []);
});

test('session time-out: the clock starts anew with each turn, and at its end the session is gone', async () => {
  const sessionId = session('flowise');
  const memory = await node({ sessionId, sessionTTL: 60 }, { redisUrl: address });
  await memory.addChatMessages(said('hello', 'hi'));
  const left = await client.pttl(sessionId);
  assert.ok(left > 50_000 && left <= 60_000, `${left} ms are left of 60 s`);

  const short = await node({ sessionId: session('flowise'), sessionTTL: 1 }, { redisUrl: address });
  await short.addChatMessages(said('hello', 'hi'));
  await until('the session ends', async () => (await short.getChatMessages()).length === 0);
});

test('TLS: host, port and "use SSL", as the credential has them', async () => {
  const { host, port } = hostAndPort(await secured(after));
  const credential = { redisCacheHost: host, redisCachePort: String(port), redisCacheSslEnabled: true };
  const memory = await node({ sessionId: session('flowise') }, credential);
  await memory.addChatMessages(said('is this encrypted?', 'it is'));
  assert.deepEqual(await memory.getChatMessages(), shown('is this encrypted?', 'it is'));
});

test('row 1: what has left the window is summarised, and the newest turns follow it whole', async () => {
  const sessionId = session('flowise');
  const memory = await node({ sessionId }, { redisUrl: address });
  for (let i = 1; i <= 30; i += 1) {
    await memory.addChatMessages(said(`What is there to see on day ${i} in Zürich?`, `On day ${i} there is museum number ${i}.`));
  }
  let read;
  await until('the summary is written', async () => {
    read = await memory.getChatMessages('', true);
    return read[0].getType() === 'system';
  });
  assert.notEqual(read[0].content.trim(), '');
  assert.equal(read.filter((message) => message.getType() === 'system').length, 1);
  assert.ok(read.length < 61, 'what the summary stands for is not repeated');
  const newest = read.slice(1).map((message) => message.content);
  const whole = Array.from({ length: newest.length / 2 }, (_, i) => 31 - newest.length / 2 + i);
  assert.deepEqual(newest, whole.flatMap((i) => [`What is there to see on day ${i} in Zürich?`, `On day ${i} there is museum number ${i}.`]));
  assert.ok(whole.length >= 10, 'the ten newest turns are always there');
});

test('row 2: a window holds the newest, not the oldest', async () => {
  const sessionId = session('flowise');
  const memory = await node({ sessionId, windowSize: 2 }, { redisUrl: address });
  for (let i = 1; i <= 5; i += 1) await memory.addChatMessages(said(`question ${i}`, `answer ${i}`));
  assert.deepEqual(await memory.getChatMessages(), [...shown('question 4', 'answer 4'), ...shown('question 5', 'answer 5')]);
});

test('row 3: a window counts turns, and is never half a turn', async () => {
  const sessionId = session('flowise');
  const whole = await node({ sessionId }, { redisUrl: address });
  for (let i = 1; i <= 5; i += 1) await whole.addChatMessages(said(`question ${i}`, `answer ${i}`));
  // Window sizes arrive as numbers and, from the node's form, as strings.
  for (const windowSize of [1, 3, '3', 5, 9]) {
    const memory = await node({ sessionId, windowSize }, { redisUrl: address });
    const turns = Math.min(Number(windowSize), 5);
    const expected = Array.from({ length: turns }, (_, i) => 5 - turns + i + 1);
    assert.deepEqual(
      await memory.getChatMessages(),
      expected.flatMap((i) => shown(`question ${i}`, `answer ${i}`)),
      `window ${windowSize}`,
    );
  }
});

test('row 10: twenty turns at once do not interleave', async () => {
  const sessionId = session('flowise');
  const turns = Array.from({ length: 20 }, (_, i) => i);
  const memories = await Promise.all(turns.map(() => node({ sessionId }, { redisUrl: address })));
  await Promise.all(turns.map((i) => memories[i].addChatMessages(said(`question ${i}`, `answer ${i}`))));
  // A window that is wide enough for all of them: without one, the older ones could be in a summary by now.
  const wide = await node({ sessionId, windowSize: 100 }, { redisUrl: address });
  const read = await wide.getChatMessages();
  const order = read.filter((message) => message.type === 'userMessage').map((message) => Number(message.message.split(' ')[1]));
  assert.deepEqual(order.toSorted((a, b) => a - b), turns, 'nothing is lost and nothing is doubled');
  assert.deepEqual(read, order.flatMap((i) => shown(`question ${i}`, `answer ${i}`)));
});

for (const half of ['question', 'answer']) {
  test(`row 12: the link is cut before the reply to the ${half}: sent again, stored once`, async () => {
    const sessionId = session('flowise');
    const proxy = await cutOnce(hostAndPort(address), `the ${half} whose reply is lost`);
    after(() => proxy.close());
    const memory = await node({ sessionId }, { redisUrl: `redis://${proxy.host}:${proxy.port}` });
    await memory.addChatMessages(said('question 1', 'answer 1'));
    await memory.addChatMessages(said('the question whose reply is lost', 'the answer whose reply is lost'));
    assert.equal(proxy.cuts(), 1, 'the link was cut');
    await memory.addChatMessages(said('question 3', 'answer 3'));
    assert.deepEqual(await memory.getChatMessages(), [
      ...shown('question 1', 'answer 1'),
      ...shown('the question whose reply is lost', 'the answer whose reply is lost'),
      ...shown('question 3', 'answer 3'),
    ]);
  });
}

test('what is really said twice is stored twice', async () => {
  const memory = await node({ sessionId: session('flowise') }, { redisUrl: address });
  await memory.addChatMessages(said('yes', 'ok'));
  await memory.addChatMessages(said('yes', 'ok'));
  assert.deepEqual(await memory.getChatMessages(), [...shown('yes', 'ok'), ...shown('yes', 'ok')]);
});

for (const [what, element] of [['no JSON', 'not JSON at all'], ['of an unknown type', '{"type":"nonsense","data":{}}']]) {
  test(`row 18: one element that is ${what} does not spoil the session`, async () => {
    const sessionId = session('flowise');
    const memory = await node({ sessionId }, { redisUrl: address });
    await memory.addChatMessages(said('question 1', 'answer 1'));
    // Whether it is kept aside or refused is the server's affair: the chat has to go on.
    await client.lpush(sessionId, element).catch((refused) => assert.equal(refused.name, 'ReplyError'));
    await memory.addChatMessages(said('question 2', 'answer 2'));
    assert.deepEqual(await memory.getChatMessages(), [...shown('question 1', 'answer 1'), ...shown('question 2', 'answer 2')]);
  });
}

test('a tool call of another client does not disturb the node', async () => {
  const sessionId = session('flowise');
  const memory = await node({ sessionId }, { redisUrl: address });
  const call = new AIMessage({ content: '', tool_calls: [{ type: 'tool_call', id: 'c1', name: 'f', args: {} }] });
  await memory.addChatMessages(said('question 1', 'answer 1'));
  await client.lpush(sessionId, JSON.stringify(new HumanMessage('question 2').toDict()), JSON.stringify(call.toDict()));
  const read = await memory.getChatMessages('', true);
  assert.deepEqual(read.at(-1).tool_calls, call.tool_calls);
});

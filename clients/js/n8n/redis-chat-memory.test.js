// n8n's Redis Chat Memory, the published node itself, saved to and loaded from as n8n's agent does it.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createClient, ErrorReply } from 'redis';

import { hostAndPort, need, session, until } from '../shared/server.js';
import { secured } from '../shared/tls.js';
import { loadMemory, saveToMemory, withNode } from './node.js';

const address = need('HITHERTO_REDIS');
const client = createClient({ url: address });
await client.connect();
after(() => client.quit());

const credentials = { ...hostAndPort(address), database: 0, ssl: false, user: '', password: '' };

/** A node whose session id is written in it, as "Define below". */
const defined = (sessionKey, more = {}) => ({
  parameters: { sessionIdType: 'customKey', sessionKey, contextWindowLength: 5, ...more },
  credentials,
});

const say = (node, question, answer, steps) => withNode(node, (memory) => saveToMemory(question, answer, memory, steps));
const read = (node) => withNode(node, (memory) => loadMemory(memory));
const texts = (messages) => messages.map((message) => [message.getType(), message.content]);

const looked = [
  {
    action: { tool: 'get_weather', toolInput: { city: 'Zürich', days: 1 }, toolCallId: 'call_abc123' },
    observation: '{"temp_c": 21.5, "conditions": "晴れ ☀️"}',
  },
];

test('what an agent saves it loads again, with the tools that it used', async () => {
  const node = defined(session('n8n'));
  assert.deepEqual(await read(node), []);
  await say(node, 'Hi, my name is Zoë. 👋🏽', 'Hello Zoë!');
  await say(node, 'The weather in Zürich?', 'It is 21.5 °C.', looked);
  const messages = await read(node);
  assert.deepEqual(texts(messages), [
    ['human', 'Hi, my name is Zoë. 👋🏽'],
    ['ai', 'Hello Zoë!'],
    ['human', 'The weather in Zürich?'],
    ['ai', 'Calling get_weather with input: {"city":"Zürich","days":1}'],
    ['tool', looked[0].observation],
    ['ai', 'It is 21.5 °C.'],
  ]);
  assert.deepEqual(messages[3].tool_calls, [
    { id: 'call_abc123', name: 'get_weather', args: { city: 'Zürich', days: 1 }, type: 'tool_call' },
  ]);
  assert.equal(messages[4].tool_call_id, 'call_abc123');
});

test('the session of a chat trigger belongs to one memory node', async () => {
  const sessionId = session('n8n');
  const chat = { parameters: { sessionIdType: 'fromInput', contextWindowLength: 5 }, credentials, input: { sessionId } };
  await say(chat, 'hello', 'hi');
  assert.deepEqual(texts(await read(chat)), [['human', 'hello'], ['ai', 'hi']]);
  assert.deepEqual(await read(defined(sessionId)), []);
  assert.deepEqual(texts(await read(defined(`${sessionId}__Redis_Chat_Memory`))), [['human', 'hello'], ['ai', 'hi']]);
});

test('nodes of the first versions go on as they are', async () => {
  const node = { parameters: { sessionKey: session('n8n') }, credentials, typeVersion: 1.1 };
  await say(node, 'hello', 'hi');
  assert.deepEqual(texts(await read(node)), [['human', 'hello'], ['ai', 'hi']]);
});

test('the context window holds the newest turns', async () => {
  const key = session('n8n');
  for (let i = 1; i <= 7; i += 1) await say(defined(key), `question ${i}`, `answer ${i}`);
  const window = await read(defined(key, { contextWindowLength: 2 }));
  assert.deepEqual(texts(window), [['human', 'question 6'], ['ai', 'answer 6'], ['human', 'question 7'], ['ai', 'answer 7']]);
});

test('session time to live: set with each turn, and at its end the session is gone', async () => {
  const key = session('n8n');
  await say(defined(key, { sessionTTL: 60 }), 'hello', 'hi');
  const left = await client.pTTL(key);
  assert.ok(left > 50_000 && left <= 60_000, `${left} ms are left of 60 s`);
  const short = defined(session('n8n'), { sessionTTL: 1 });
  await say(short, 'hello', 'hi');
  await until('the session ends', async () => (await read(short)).length === 0);
});

test('clear', async () => {
  const node = defined(session('n8n'));
  await say(node, 'hello', 'hi');
  await withNode(node, (memory) => memory.clear());
  assert.deepEqual(await read(node), []);
});

test('TLS, with a certificate that the machine trusts', async () => {
  const secure = { ...credentials, ...hostAndPort(await secured(after)), host: 'localhost', ssl: true };
  const node = { ...defined(session('n8n')), credentials: secure };
  await say(node, 'is this encrypted?', 'it is');
  assert.deepEqual(texts(await read(node)), [['human', 'is this encrypted?'], ['ai', 'it is']]);
});

test('row 10: ten turns at once do not interleave, tools included', async () => {
  const key = session('n8n');
  // Not more: n8n always reads everything, and of a longer session the older turns could be in a summary by now.
  const turns = Array.from({ length: 10 }, (_, i) => i);
  await Promise.all(turns.map((i) => say(defined(key), `question ${i}`, `answer ${i}`, i % 2 ? looked : undefined)));
  const messages = texts(await read(defined(key, { contextWindowLength: 100 })));
  const order = messages.filter(([type]) => type === 'human').map(([, text]) => Number(text.split(' ')[1]));
  assert.deepEqual(order.toSorted((a, b) => a - b), turns, 'nothing is lost and nothing is doubled');
  const types = (i) => (i % 2 ? ['human', 'ai', 'tool', 'ai'] : ['human', 'ai']);
  assert.deepEqual(messages.map(([type]) => type), order.flatMap(types));
  const answers = messages.filter(([type, text]) => type === 'ai' && text.startsWith('answer'));
  assert.deepEqual(answers.map(([, text]) => text), order.map((i) => `answer ${i}`));
});

test('row 18: one element that is not JSON does not spoil the session', async () => {
  const key = session('n8n');
  await say(defined(key), 'question 1', 'answer 1');
  // Whether it is kept aside or refused is the server's affair: the chat has to go on.
  await client.lPush(key, 'not JSON at all').catch((refused) => assert.ok(refused instanceof ErrorReply));
  await say(defined(key), 'question 2', 'answer 2');
  assert.deepEqual(texts(await read(defined(key))), [
    ['human', 'question 1'], ['ai', 'answer 1'], ['human', 'question 2'], ['ai', 'answer 2'],
  ]);
});

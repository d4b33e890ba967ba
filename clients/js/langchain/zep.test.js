// LangChain.js' ZepMemory on @getzep/zep-js 0.9, the client of Zep's open-source server, and that client itself.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Memory, Message, NotFoundError, ZepClient } from '@getzep/zep-js';
import { ZepMemory } from '@langchain/community/memory/zep';
import { AIMessage, HumanMessage, SystemMessage } from '@langchain/core/messages';

import { need, session, until } from '../shared/server.js';

const baseURL = need('HITHERTO_HTTP');
const open = (sessionId, more = {}) => new ZepMemory({ sessionId, baseURL, returnMessages: true, ...more });

const turns = [
  [{ input: 'My name is Zoë. 👋🏽' }, { output: 'Hello Zoë!' }],
  [{ input: 'What is my name?' }, { output: 'Zoë.' }],
  [{ input: 'And yours?' }, { output: 'I have none.' }],
];
const said = turns.flatMap(([{ input }, { output }]) => [new HumanMessage(input), new AIMessage(output)]);

async function chat(id) {
  const memory = open(id);
  for (const [input, output] of turns) await memory.saveContext(input, output);
  return memory;
}

test('zep: a new session is empty', async () => {
  assert.deepEqual(await open(session('zep')).loadMemoryVariables({}), { history: [] });
});

test('zep: what a chain said is there for the next process', async () => {
  const id = session('zep');
  await chat(id);
  assert.deepEqual((await open(id).loadMemoryVariables({})).history, said);
});

test('zep: as one message, for models with one system prompt', async () => {
  const id = session('zep');
  await chat(id);
  const { history } = await open(id, { separateMessages: false }).loadMemoryVariables({});
  const lines = said.map((message) => `${message.getType() === 'ai' ? 'AI' : 'Human'}: ${message.content}`);
  assert.equal([history].flat()[0].content, lines.join('\n'));
});

test('zep: lastN asks for the newest', async () => {
  const id = session('zep');
  await chat(id);
  assert.deepEqual((await open(id).loadMemoryVariables({ lastN: 2 })).history, said.slice(-2));
});

test('zep: prefixes of one\'s own come back', async () => {
  const memory = open(session('zep'), { humanPrefix: 'user', aiPrefix: 'assistant' });
  await memory.saveContext({ input: 'hello' }, { output: 'hi' });
  assert.deepEqual((await memory.loadMemoryVariables({})).history, [new HumanMessage('hello'), new AIMessage('hi')]);
});

test('zep: what has left the window comes back as a summary, before the newest turns', async () => {
  const memory = open(session('zep'));
  for (let i = 1; i <= 20; i += 1) {
    await memory.saveContext({ input: `What is there to see on day ${i} in Zürich?` }, { output: `On day ${i} there is museum number ${i}.` });
  }
  let history;
  await until('the summary is written', async () => {
    ({ history } = await memory.loadMemoryVariables({}));
    return history[0] instanceof SystemMessage;
  });
  assert.ok(history[1] instanceof HumanMessage, 'the newest turns are whole');
  assert.equal(history.at(-1).content, 'On day 20 there is museum number 20.');
});

test('zep: cleared is gone', async () => {
  const id = session('zep');
  await (await chat(id)).clear();
  assert.deepEqual((await open(id).loadMemoryVariables({})).history, []);
});

test('zep: the client itself, with a session id that it does not encode', async () => {
  const client = await ZepClient.init(baseURL, 'key');
  const id = `${session('zep')} tenant/zoë`;
  await assert.rejects(() => client.memory.getMemory(id), NotFoundError);
  const messages = [
    new Message({ role: 'human', content: 'hello', metadata: { from: 'test' } }),
    new Message({ role: 'ai', content: 'hi' }),
  ];
  await client.memory.addMemory(id, new Memory({ messages }));
  const memory = await client.memory.getMemory(id);
  assert.deepEqual(memory.messages.map(({ role, content }) => [role, content]), [['human', 'hello'], ['ai', 'hi']]);
  assert.equal(typeof memory.messages[0].uuid, 'string');
  assert.ok(!Number.isNaN(Date.parse(memory.messages[0].created_at)), 'a message has its time');
  await client.memory.deleteMemory(id);
  await assert.rejects(() => client.memory.getMemory(id), NotFoundError);
});

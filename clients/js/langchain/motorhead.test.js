// LangChain.js' MotorheadMemory.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MotorheadMemory } from '@langchain/community/memory/motorhead_memory';
import { InMemoryChatMessageHistory } from '@langchain/core/chat_history';
import { AIMessage, HumanMessage } from '@langchain/core/messages';

import { need, session, until } from '../shared/server.js';

const url = need('HITHERTO_HTTP');

// MotorheadMemory still calls `addAIChatMessage`, which the histories of @langchain/core 1.x do not have any more:
// with a history of its own it fails as soon as a session has an answer in it, on any server.
class History extends InMemoryChatMessageHistory {
  addAIChatMessage(text) {
    return this.addAIMessage(text);
  }
}

async function memoryOf(sessionId, more = { returnMessages: true }) {
  const memory = new MotorheadMemory({ sessionId, url, chatHistory: new History(), ...more });
  await memory.init();
  return memory;
}

const history = async (sessionId) => (await (await memoryOf(sessionId)).loadMemoryVariables({})).history;

test('motorhead: a new session is empty', async () => {
  assert.deepEqual(await history(session('motorhead')), []);
});

test('motorhead: what a chain said is there for the next process', async () => {
  const id = session('motorhead');
  const memory = await memoryOf(id);
  await memory.saveContext({ input: 'My name is Zoë. 👋🏽' }, { output: 'Hello Zoë!' });
  await memory.saveContext({ input: 'Human: AI: both?\n\u2028' }, { output: 'role: colon' });
  const said = [
    new HumanMessage('My name is Zoë. 👋🏽'),
    new AIMessage('Hello Zoë!'),
    new HumanMessage('Human: AI: both?\n\u2028'),
    new AIMessage('role: colon'),
  ];
  // The client asks for all messages at once and adds them one beside the other, in the order of the answer.
  assert.deepEqual(await history(id), said);
  assert.deepEqual((await memory.loadMemoryVariables({})).history, said);
});

test('motorhead: as one text, for a prompt of text', async () => {
  const id = session('motorhead');
  await (await memoryOf(id)).saveContext({ input: 'hello' }, { output: 'hi' });
  const memory = await memoryOf(id, {});
  assert.deepEqual(await memory.loadMemoryVariables({}), { history: 'Human: hello\nAI: hi' });
});

test('motorhead: of forty messages of one request none is lost (the server it was made for lost 27)', async () => {
  const id = session('motorhead');
  const messages = Array.from({ length: 40 }, (_, i) => ({
    role: i % 2 ? 'AI' : 'Human',
    content: i % 2 ? `On day ${i} there is museum number ${i}.` : `What is there to see on day ${i + 1} in Zürich?`,
  }));
  const body = JSON.stringify({ messages });
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${url}/sessions/${id}/memory`, { method: 'POST', headers, body });
  assert.deepEqual([answer.status, await answer.json()], [200, { status: 'Ok' }]);
  // What has left the window comes back as the context, once it is summarised.
  let memory;
  await until('the context is written', async () => {
    memory = await memoryOf(id);
    return Boolean(memory.context);
  });
  const { history: newest } = await memory.loadMemoryVariables({});
  assert.ok(newest.length >= 20 && newest.length < 40, `${newest.length} messages beside the context`);
  assert.deepEqual(newest.map((message) => message.content), messages.slice(-newest.length).map((message) => message.content));
  const whole = await (await fetch(`${url}/v1/sessions/${id}/messages?after=0&limit=1000`)).json();
  assert.deepEqual(whole.messages.map((message) => message.content), messages.map((message) => message.content));
});

test('motorhead: deleted is gone', async () => {
  const id = session('motorhead');
  await (await memoryOf(id)).saveContext({ input: 'hello' }, { output: 'hi' });
  const answer = await fetch(`${url}/sessions/${id}/memory`, { method: 'DELETE' });
  assert.deepEqual(await answer.json(), { status: 'Ok' });
  assert.deepEqual(await history(id), []);
});

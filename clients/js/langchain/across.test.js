// One conversation in several clients, each of which stores it in a form and under a key of its own.
// On Redis these are conversations that do not know of each other.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { RedisChatMessageHistory } from '@langchain/redis';
import { AIMessage, HumanMessage, ToolMessage } from '@langchain/core/messages';
import { createClient } from 'redis';

import { need, session } from '../shared/server.js';

const client = createClient({ url: need('HITHERTO_REDIS') });
await client.connect();
after(() => client.quit());

/** A turn with a tool, in the form of clients/py/across.py. */
function turn(n) {
  const id = `call_${n}`;
  return [
    { role: 'user', text: `question ${n}: the weather in Zürich? 🌦️`, calls: [], answers: null },
    { role: 'assistant', text: '', calls: [{ id, name: 'get_weather', args: { city: 'Zürich', days: n } }], answers: null },
    { role: 'tool', text: `{"temp_c": ${n}.5, "conditions": "晴れ ☀️"}`, calls: [], answers: id },
    { role: 'assistant', text: `answer ${n}: ${n}.5 °C 😀`, calls: [], answers: null },
  ];
}

const loaded = spawn(need('HITHERTO_PYTHON'), [need('HITHERTO_ACROSS')], { stdio: ['pipe', 'pipe', 'inherit'] });
const answers = createInterface({ input: loaded.stdout })[Symbol.asyncIterator]();
after(() => loaded.stdin.end());

/** Asks the Python clients. One request at a time: the tests of a file run one after the other. */
async function ask(request) {
  loaded.stdin.write(`${JSON.stringify(request)}\n`);
  const { value, done } = await answers.next();
  assert.ok(!done, `the Python clients ended at ${request.do} by ${request.client}`);
  return JSON.parse(value);
}

const python = Object.fromEntries(
  ['langchain', 'llamaindex', 'agents'].map((client) => [
    client,
    {
      add: (id, entries) => ask({ do: 'add', client, session: id, entries }),
      read: (id) => ask({ do: 'read', client, session: id }),
    },
  ]),
);

const javascript = {
  history: (id) => new RedisChatMessageHistory({ sessionId: id, client }),
  add: (id, entries) =>
    javascript.history(id).addMessages(
      entries.map(({ role, text: content, calls, answers }) => {
        if (role === 'user') return new HumanMessage(content);
        if (role === 'tool') return new ToolMessage({ content, tool_call_id: answers });
        return new AIMessage({ content, tool_calls: calls.map((call) => ({ type: 'tool_call', ...call })) });
      }),
    ),
  read: async (id) =>
    (await javascript.history(id).getMessages()).map((message) => ({
      role: { human: 'user', ai: 'assistant' }[message.getType()] ?? message.getType(),
      text: message.text,
      calls: (message.tool_calls ?? []).map(({ id: call, name, args }) => ({ id: call, name, args })),
      answers: message.tool_call_id ?? null,
    })),
};

const messagesOf = (id) => `${need('HITHERTO_HTTP')}/v1/sessions/${encodeURIComponent(id)}/messages`;

const http = {
  add: async (id, entries) => {
    const messages = entries.map(({ role, text: content, calls, answers }) => ({
      role,
      content,
      ...(calls.length > 0 && {
        tool_calls: calls.map(({ id: call, name, args }) => ({
          id: call,
          type: 'function',
          function: { name, arguments: JSON.stringify(args) },
        })),
      }),
      ...(answers && { tool_call_id: answers }),
    }));
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(messagesOf(id), { method: 'POST', headers, body: JSON.stringify({ messages }) });
    assert.equal(answer.status, 201, await answer.text());
  },
  read: async (id) => {
    const answer = await fetch(`${messagesOf(id)}?after=0&limit=1000`);
    assert.equal(answer.status, 200);
    return (await answer.json()).messages.map(({ role, content, tool_calls: calls, tool_call_id: answers }) => ({
      role,
      text: typeof content === 'string' ? content : (content ?? []).map((part) => part.text ?? '').join(''),
      calls: (calls ?? []).map((call) => ({
        id: call.id,
        name: call.function.name,
        args: JSON.parse(call.function.arguments),
      })),
      answers: answers ?? null,
    }));
  },
};

const clients = { ...python, javascript, http };

const conversations = {
  'LangChain.js, then OpenAI Agents, then HTTP': [['javascript', 'agents', 'http'], ['langchain', 'javascript', 'agents', 'http']],
  'LlamaIndex, then LangChain in Python, then HTTP': [['llamaindex', 'langchain', 'http'], ['llamaindex', 'langchain', 'agents', 'http']],
};

for (const [name, [writers, readers]] of Object.entries(conversations)) {
  test(name, async (t) => {
    const id = session('across');
    for (const [i, writer] of writers.entries()) await clients[writer].add(id, turn(i + 1));
    const whole = writers.flatMap((_, i) => turn(i + 1));
    for (const reader of readers) {
      await t.test(`${name}: read whole by ${reader}`, async () => assert.deepEqual(await clients[reader].read(id), whole));
    }
  });
}

test('each client alone reads what it added', async () => {
  for (const [name, each] of Object.entries(clients)) {
    const id = session('across');
    await each.add(id, turn(1));
    assert.deepEqual(await each.read(id), turn(1), name);
  }
});

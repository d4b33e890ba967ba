// The history of @langchain/community on Upstash's client: Redis over HTTP.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UpstashRedisChatMessageHistory } from '@langchain/community/stores/message/upstash_redis';
import { Redis } from '@upstash/redis';

import { need, session } from '../shared/server.js';
import { testHistory } from './histories.js';

const config = { url: need('HITHERTO_HTTP'), token: process.env.HITHERTO_TOKEN ?? 'any' };
const client = new Redis({ ...config, enableTelemetry: false });

testHistory(
  'langchain-upstash',
  (sessionId, sessionTTL) => new UpstashRedisChatMessageHistory({ sessionId, sessionTTL, config }),
  (sessionId) => client.pttl(sessionId),
);

const turn = (question, answer) => [
  { type: 'human', data: { content: question, additional_kwargs: {}, response_metadata: {} } },
  { type: 'ai', data: { content: answer, tool_calls: [], invalid_tool_calls: [], additional_kwargs: {}, response_metadata: {} } },
];

test('upstash: a pipeline is one request with an answer for each command', async () => {
  const key = session('upstash');
  const [human, ai] = turn('hello', 'hi');
  const answers = await client.pipeline().lpush(key, human).lpush(key, ai).expire(key, 60).lrange(key, 0, -1).exec();
  assert.deepEqual(answers, [1, 2, 1, [ai, human]]);
});

test('upstash: a transaction is done whole', async () => {
  const key = session('upstash');
  const [human, ai] = turn('hello', 'hi');
  const answers = await client.multi().lpush(key, human, ai).llen(key).exec();
  assert.deepEqual(answers, [2, 2]);
  assert.deepEqual(await client.lrange(key, 0, -1), [ai, human]);
  assert.equal(await client.del(key), 1);
  assert.equal(await client.exists(key), 0);
});

test('upstash: an unknown command is an error of its own', async () => {
  await assert.rejects(() => client.exec(['nosuchcommand', 'x']), /unknown command/i);
});

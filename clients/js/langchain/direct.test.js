// node-redis 5 (RESP2 and RESP3) and ioredis, without LangChain: programs that keep their messages themselves.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Redis } from 'ioredis';
import { createClient } from 'redis-5';

import { need, session, until } from '../shared/server.js';

const url = need('HITHERTO_REDIS');
const says = (role, text) => JSON.stringify({ type: role, data: { content: text, additional_kwargs: {}, response_metadata: {} } });

for (const RESP of [2, 3]) {
  const client = await createClient({ url, RESP }).connect();
  after(() => client.close());
  const name = `node-redis 5, RESP${RESP}`;

  test(`${name}: pushes, ranges, lengths`, async () => {
    const key = session('node-redis');
    assert.equal(await client.ping(), 'PONG');
    assert.equal(await client.lPush(key, says('human', 'one')), 1);
    assert.equal(await client.lPush(key, [says('ai', 'two'), says('human', 'three')]), 3);
    assert.deepEqual(await client.lRange(key, 0, -1), [says('human', 'three'), says('ai', 'two'), says('human', 'one')]);
    assert.equal(await client.lLen(key), 3);
    assert.equal(await client.exists(key), 1);
    assert.equal(await client.type(key), 'list');
    assert.equal(await client.del(key), 1);
    assert.equal(await client.del(key), 0);
    assert.deepEqual(await client.lRange(key, 0, -1), []);
    assert.equal(await client.type(key), 'none');
  });

  test(`${name}: time-outs are set, told, taken away, and kept`, async () => {
    const key = session('node-redis');
    await client.rPush(key, says('human', 'one'));
    assert.equal(await client.ttl(key), -1);
    assert.equal(await client.expire(key, 60), 1);
    assert.ok((await client.ttl(key)) > 50);
    assert.equal(await client.persist(key), 1);
    assert.equal(await client.ttl(key), -1);
    assert.equal(await client.pExpire(key, 500), 1);
    await until('the key ends', async () => (await client.exists(key)) === 0);
    assert.equal(await client.expire(key, 60), 0);
  });

  test(`${name}: a transaction`, async () => {
    const key = session('node-redis');
    const answers = await client.multi().rPush(key, says('human', 'one')).rPush(key, says('ai', 'two')).lLen(key).exec();
    assert.deepEqual(answers, [1, 2, 2]);
    assert.deepEqual(await client.lRange(key, 0, -1), [says('human', 'one'), says('ai', 'two')]);
  });

  test(`${name}: a hundred commands at once are answered in order`, async () => {
    const keys = Array.from({ length: 100 }, () => session('node-redis'));
    await Promise.all(keys.map((key, i) => client.rPush(key, [says('human', `q ${i}`), says('ai', `a ${i}`)])));
    const read = await Promise.all(keys.map((key) => client.lRange(key, 0, -1)));
    assert.deepEqual(read, keys.map((_, i) => [says('human', `q ${i}`), says('ai', `a ${i}`)]));
  });
}

test('ioredis: commands, a pipeline and a transaction', async () => {
  const client = new Redis(url);
  const key = session('ioredis');
  assert.equal(await client.rpush(key, says('human', 'one'), says('ai', 'two')), 2);
  assert.deepEqual(await client.lrange(key, -1, -1), [says('ai', 'two')]);
  const piped = await client.pipeline().rpush(key, says('human', 'three')).llen(key).exec();
  assert.deepEqual(piped, [[null, 3], [null, 3]]);
  const done = await client.multi().rpush(key, says('ai', 'four')).pexpire(key, 60_000).exec();
  assert.deepEqual(done, [[null, 4], [null, 1]]);
  assert.ok((await client.pttl(key)) > 50_000);
  await assert.rejects(() => client.call('NOSUCHCOMMAND'), /unknown command/i);
  assert.deepEqual((await client.lrange(key, 0, -1)).length, 4, 'an error does not end the link');
  await client.quit();
});

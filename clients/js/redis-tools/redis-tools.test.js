// redis-cli and redis-benchmark of Redis 7. The figures are printed, not judged: docs have measurements of their own.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { hostAndPort, need, session } from '../shared/server.js';

const { host, port } = hostAndPort(need('HITHERTO_REDIS'));
const run = promisify(execFile);
const tool = (name, words) =>
  run(path.join(need('HITHERTO_REDIS_TOOLS'), name), ['-h', host, '-p', String(port), ...words], { timeout: 60_000 });
const cli = async (...words) => (await tool('redis-cli', words)).stdout.trimEnd();

const human = '{"type":"human","data":{"content":"How far is it to the Moon, and back? 🌕","additional_kwargs":{},"response_metadata":{}}}';
const ai = '{"type":"ai","data":{"content":"About 768,800 km.","tool_calls":[],"invalid_tool_calls":[],"additional_kwargs":{},"response_metadata":{}}}';

test('redis-cli: one command a call', async () => {
  const key = session('redis-cli');
  assert.equal(await cli('PING'), 'PONG');
  assert.equal(await cli('ECHO', 'hello'), 'hello');
  assert.equal(await cli('LPUSH', key, human), '1');
  assert.equal(await cli('LPUSH', key, ai), '2');
  assert.equal(await cli('LRANGE', key, '0', '-1'), `${ai}\n${human}`);
  assert.equal(await cli('LLEN', key), '2');
  assert.equal(await cli('TYPE', key), 'list');
  assert.equal(await cli('TTL', key), '-1');
  assert.equal(await cli('EXPIRE', key, '60'), '1');
  assert.match(await cli('TTL', key), /^(60|59|58)$/);
  assert.equal(await cli('KEYS', `${key}*`), key);
  assert.equal(await cli('DEL', key), '1');
  assert.equal(await cli('EXISTS', key), '0');
  assert.match(await cli('INFO', 'server'), /redis_version:\d+\.\d+/);
});

test('redis-cli: RESP3, and a range as JSON', async () => {
  const key = session('redis-cli');
  assert.equal(await cli('-3', 'RPUSH', key, human, ai), '2');
  assert.deepEqual(JSON.parse(await cli('--json', 'LRANGE', key, '0', '-1')), [human, ai]);
});

test('redis-cli: an unknown command is an error, and the next one is answered', async () => {
  const script = run(path.join(need('HITHERTO_REDIS_TOOLS'), 'redis-cli'), ['-h', host, '-p', String(port)]);
  script.child.stdin.end('NOSUCHCOMMAND\nLPUSH\nPING\n');
  const { stdout } = await script;
  assert.match(stdout, /unknown command/i);
  assert.match(stdout, /wrong number of arguments/i);
  assert.match(stdout, /PONG\s*$/);
});

/** Runs redis-benchmark and prints what it measured, under the tool's own name of it where `what` is null. */
async function benchmark(t, what, words) {
  const { stdout, stderr } = await tool('redis-benchmark', ['-q', ...words]);
  assert.doesNotMatch(stdout + stderr, /error/i);
  // Progress is written over itself with carriage returns: what remains of a line is the result.
  const lines = stdout.split('\n').map((line) => line.split('\r').at(-1).trim());
  const results = lines.map((line) => /^(.*): ([\d.]+ requests per second.*)$/.exec(line)).filter(Boolean);
  assert.ok(results.length > 0, `no figures in ${stdout}`);
  for (const [, name, figures] of results) t.diagnostic(`${what ?? name}: ${figures}`);
}

for (const pipeline of ['1', '16']) {
  const load = ['-c', '20', '-P', pipeline, '-n', '8000'];
  for (const [command, words] of [
    ['LPUSH', [human]],
    ['RPUSH', [ai]],
    ['LRANGE', ['0', '19']],
  ]) {
    test(`redis-benchmark: ${command}, 20 connections, ${pipeline} at a time`, async (t) => {
      const keys = `${session('benchmark')}-__rand_int__`;
      await benchmark(t, `${command} -P ${pipeline}`, [...load, '-r', '500', command, keys, ...words]);
    });
  }

  test(`redis-benchmark: nothing is lost, and what is really sent again is stored again, ${pipeline} at a time`, async (t) => {
    const key = session('benchmark');
    await benchmark(t, `LPUSH to one session -P ${pipeline}`, ['-c', '20', '-P', pipeline, '-n', '2000', 'LPUSH', key, human]);
    assert.equal(await cli('LLEN', key), '2000');
    await benchmark(t, `LRANGE of 20 of 2,000 -P ${pipeline}`, ['-c', '20', '-P', pipeline, '-n', '4000', 'LRANGE', key, '0', '19']);
  });
}

test('redis-benchmark: its own tests of lists, whose elements are no messages', async (t) => {
  await benchmark(t, null, ['-n', '2000', '-P', '16', '-t', 'ping,lpush,rpush,lrange_100']);
});

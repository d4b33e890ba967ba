// What every chat history of LangChain.js is used for, whichever client carries it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as messages from '@langchain/core/messages';

import { exchange, oddities, stored, weather } from '../shared/conversation.js';
import { session, until } from '../shared/server.js';

/**
 * Registers the tests of one history. `open(sessionId, sessionTTL)` makes one;
 * `timeLeft(sessionId)` answers in milliseconds as PTTL does.
 */
export function testHistory(name, open, timeLeft) {
  test(`${name}: a conversation comes back as it was written, tool call included`, async () => {
    const said = weather(messages);
    const history = open(session(name));
    for (const message of said) await history.addMessage(message);
    assert.deepEqual(await history.getMessages(), said);
  });

  test(`${name}: pictures, ids, usage, half an emoji and custom roles come back too`, async () => {
    const said = oddities(messages);
    const history = open(session(name));
    await history.addMessages(said);
    const read = await history.getMessages();
    assert.deepEqual(stored(read), stored(said));
    assert.deepEqual(read.map((message) => message.constructor), said.map((message) => message.constructor));
  });

  test(`${name}: another process with the same session goes on where the first stopped`, async () => {
    const id = session(name);
    const first = exchange(messages, 'My name is Zoë.', 'Hello Zoë!');
    const second = exchange(messages, 'What is my name?', 'Zoë.');
    await open(id).addMessages(first);
    const other = open(id);
    await other.addUserMessage(second[0].content);
    await other.addAIMessage(second[1].content);
    assert.deepEqual(await open(id).getMessages(), [...first, ...second]);
  });

  test(`${name}: the same words said twice are stored twice`, async () => {
    const history = open(session(name));
    const yes = exchange(messages, 'yes', 'ok');
    await history.addMessages([...yes, ...yes]);
    assert.deepEqual(await history.getMessages(), [...yes, ...yes]);
  });

  test(`${name}: without a time-out a session stays`, async () => {
    const id = session(name);
    await open(id).addMessages(exchange(messages, 'hello', 'hi'));
    assert.equal(await timeLeft(id), -1);
  });

  test(`${name}: a time-out begins anew with each message, and then everything is gone`, async () => {
    const id = session(name);
    const history = open(id, 60);
    await history.addMessages(exchange(messages, 'hello', 'hi'));
    const left = await timeLeft(id);
    assert.ok(left > 50_000 && left <= 60_000, `${left} ms are left of 60 s`);

    const short = session(name);
    await open(short, 1).addMessages(exchange(messages, 'hello', 'hi'));
    assert.ok((await timeLeft(short)) <= 1_000);
    await until('the session ends', async () => (await open(short).getMessages()).length === 0);
    assert.equal(await timeLeft(short), -2);
  });

  test(`${name}: an unknown session is an empty one`, async () => {
    assert.deepEqual(await open(session(name)).getMessages(), []);
  });

  test(`${name}: clear ends one session and no other, and it can begin again`, async () => {
    const [id, other] = [session(name), session(name)];
    const said = exchange(messages, 'hello', 'hi');
    for (const each of [id, other]) await open(each).addMessages(said);
    await open(id).clear();
    assert.deepEqual(await open(id).getMessages(), []);
    assert.deepEqual(await open(other).getMessages(), said);
    await open(id).addMessages(said);
    assert.deepEqual(await open(id).getMessages(), said);
  });

  test(`${name}: session ids may look like patterns, paths or other keys`, async () => {
    for (const odd of ['tenant:42/zoë {a} 1', '*', 'a:messages', '../../etc', `${'long'.repeat(100)}`]) {
      const id = `${session(name)} ${odd}`;
      const said = exchange(messages, odd, `that was ${odd}`);
      await open(id).addMessages(said);
      assert.deepEqual(await open(id).getMessages(), said, odd);
    }
  });
}

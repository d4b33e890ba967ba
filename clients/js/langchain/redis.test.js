// @langchain/redis, which uses node-redis 4.

import { after } from 'node:test';
import { RedisChatMessageHistory } from '@langchain/redis';
import { createClient } from 'redis';

import { need } from '../shared/server.js';
import { testHistory } from './histories.js';

const client = createClient({ url: need('HITHERTO_REDIS') });
await client.connect();
after(() => client.quit());

testHistory(
  'langchain-redis',
  (sessionId, sessionTTL) => new RedisChatMessageHistory({ sessionId, sessionTTL, client }),
  (sessionId) => client.pTTL(sessionId),
);

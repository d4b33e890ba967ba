// The history of @langchain/community on ioredis.

import { after } from 'node:test';
import { RedisChatMessageHistory } from '@langchain/community/stores/message/ioredis';
import { Redis } from 'ioredis';

import { need } from '../shared/server.js';
import { testHistory } from './histories.js';

const client = new Redis(need('HITHERTO_REDIS'));
after(() => client.quit());

testHistory(
  'langchain-ioredis',
  (sessionId, sessionTTL) => new RedisChatMessageHistory({ sessionId, sessionTTL, client }),
  (sessionId) => client.pttl(sessionId),
);

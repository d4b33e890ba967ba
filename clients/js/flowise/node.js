// The published node, with its server stood in for.

import { createRequire } from 'node:module';

import { published } from '../shared/published.js';

const require = createRequire(import.meta.url);
const { BufferMemory } = require('@langchain/classic/memory');
/** LangChain's messages as the node has them: the CommonJS form of the module has classes of its own. */
export const messages = require('@langchain/core/messages');

// What the server would do for the node: look the credential up, and turn messages into what its pages show.
const server = {
  getBaseClasses: () => [],
  getCredentialData: async (credential) => credential,
  getCredentialParam: (name, credential, nodeData) => nodeData.inputs?.[name] ?? credential[name],
  mapChatMessageToBaseMessage: async (given) =>
    given.map(({ role, content }) =>
      role === 'apiMessage' ? new messages.AIMessage(content ?? '') : new messages.HumanMessage(content ?? ''),
    ),
  convertBaseMessagetoIMessage: (base) => {
    const types = { human: 'userMessage', ai: 'apiMessage', system: 'apiMessage' };
    return base
      .filter((message) => message.getType() in types)
      .map((message) => ({ message: message.content, type: types[message.getType()] }));
  },
};

const { nodeClass: Node } = published(
  import.meta.url,
  'dist/nodes/memory/RedisBackedChatMemory/RedisBackedChatMemory.js',
  { '../../../src/utils': server, '../../../src/Interface': { FlowiseMemory: BufferMemory } },
);

/** The memory that a node with these inputs and this credential gives to a flow. */
export const node = (inputs, credential) => new Node().init({ inputs, credential }, '', { orgId: 'org' });

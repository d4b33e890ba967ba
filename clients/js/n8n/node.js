// The published node, with n8n itself stood in for.
//
// Real are the node's file, its way to find the session key, and how n8n's agent saves and loads a memory.

import { inert, published } from '../shared/published.js';

class NodeOperationError extends Error {}

const standIns = {
  'n8n-workflow': { NodeConnectionTypes: { AiMemory: 'ai_memory', AiAgent: 'ai_agent' }, NodeOperationError },
  'n8n-core': inert(),
  // Of these two, a notice on the node's page and a log of what a memory is asked.
  '@n8n/ai-utilities': { getConnectionHintNoticeField: () => ({}), logWrapper: (memory) => memory },
  './N8nTool': inert(),
  './schemaParsing': inert(),
};

const load = (file) => published(import.meta.url, file, standIns);
const { MemoryRedisChat } = load('dist/nodes/memory/MemoryRedisChat/MemoryRedisChat.node.js');
/** How n8n's agent reads and writes what a memory node gives it. */
export const { loadMemory, saveToMemory } = load('dist/utils/agent-execution/memoryManagement.js');

/**
 * Runs `work` with the memory of a node that is set up like this, and closes it as n8n does when a workflow ends.
 * `input` is the item that the node gets, as from a chat trigger.
 */
export async function withNode({ parameters, credentials, typeVersion = 1.6, input = {} }, work) {
  const context = {
    getCredentials: async () => credentials,
    getNode: () => ({ name: 'Redis Chat Memory', type: '@n8n/n8n-nodes-langchain.memoryRedisChat', typeVersion }),
    getNodeParameter: (name, _item, otherwise) => parameters[name] ?? otherwise,
    evaluateExpression: () => input.sessionId,
  };
  const { response, closeFunction } = await new MemoryRedisChat().supplyData.call(context, 0);
  try {
    return await work(response);
  } finally {
    await closeFunction();
  }
}

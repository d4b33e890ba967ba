// Conversations as LangChain's messages. Its module comes in as an argument, because each client brings its own
// version of it and a message of another version is not equal.

const CAT = 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** Two turns, with a system prompt before them and a tool in the second. */
export function weather({ AIMessage, HumanMessage, SystemMessage, ToolMessage }) {
  return [
    new SystemMessage('You are a concise assistant.'),
    new HumanMessage('Hi, my name is Zoë. 👋🏽'),
    new AIMessage('Hello Zoë! Nice to meet you.'),
    new HumanMessage("What's the weather in Zürich?\nLine two: 谢谢 🌦️ \"quoted\" back\\slash\ttab </b>&amp; a=b %20\u2028end"),
    new AIMessage({
      content: '',
      tool_calls: [{ type: 'tool_call', id: 'call_abc123', name: 'get_weather', args: { city: 'Zürich', days: 1 } }],
    }),
    new ToolMessage({ content: '{"temp_c": 21.5, "conditions": "晴れ ☀️"}', tool_call_id: 'call_abc123', name: 'get_weather' }),
    new AIMessage('It is 21.5 °C in Zürich:\n- 晴れ ☀️\n- Enjoy! 😀'),
  ];
}

/** Pictures, parts, usage, half an emoji, fields of one's own: what is easily lost on the way. */
export function oddities({ AIMessage, ChatMessage, HumanMessage, ToolMessage }) {
  return [
    new HumanMessage({
      content: [
        { type: 'text', text: 'What is in this image? 🖼️' },
        { type: 'image_url', image_url: { url: 'https://example.com/cat.png' } },
        { type: 'image_url', image_url: { url: CAT } },
      ],
      name: 'zoe',
      id: 'h-1',
      additional_kwargs: { k: 1 },
    }),
    new AIMessage({
      content: [{ type: 'text', text: 'A cat.' }],
      id: 'run-1',
      usage_metadata: { input_tokens: 11, output_tokens: 3, total_tokens: 14 },
      response_metadata: { model_name: 'gpt-x', finish_reason: 'stop' },
    }),
    new HumanMessage('half an emoji \ud83d, cut by a limit of characters'),
    new AIMessage({
      content: '',
      tool_calls: [
        { type: 'tool_call', id: 'c1', name: 'f', args: { n: 1.5, deep: [{ a: null }] } },
        { type: 'tool_call', id: 'c2', name: 'g', args: {} },
      ],
    }),
    new ToolMessage({ content: 'boom', tool_call_id: 'c1', status: 'error', artifact: { raw: [1, 2] } }),
    new ToolMessage({ content: [{ type: 'text', text: 'fine' }], tool_call_id: 'c2' }),
    new AIMessage({ content: [{ type: 'reasoning', reasoning: 'thinking...' }, { type: 'text', text: 'done' }] }),
    new ChatMessage({ content: 'a custom role', role: 'critic' }),
  ];
}

/** A turn of two texts. */
export function exchange({ AIMessage, HumanMessage }, question, answer) {
  return [new HumanMessage(question), new AIMessage(answer)];
}

/** What a message says in the form that it is stored in: the part of it that has to survive. */
export const stored = (messages) => messages.map((message) => message.toDict());

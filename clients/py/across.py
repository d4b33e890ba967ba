"""The Python clients of a conversation that goes on in one client after another.

Each line of standard input is a request, {"do", "client", "session", "entries"}, and each is answered with a line.
`add` stores turns that are given in a form that belongs to no client, and `read` answers the whole session in that
form: [{"role", "text", "calls": [{"id", "name", "args"}], "answers": id or null}].
It is one process because the clients take seconds to load. Each request makes its client anew.
"""

import asyncio
import json
import sys

from server import need

URL = need("HITHERTO_REDIS")


def entry(role, text, calls=(), answers=None):
    return {"role": role, "text": text, "calls": list(calls), "answers": answers}


def text_of(content):
    """The text of a message whose content is a text or parts."""
    if isinstance(content, str):
        return content
    return "".join(part if isinstance(part, str) else part.get("text", "") for part in content or [])


class LangChain:
    def __init__(self, session_id):
        from langchain_community.chat_message_histories import RedisChatMessageHistory

        self.history = RedisChatMessageHistory(session_id, url=URL)

    def add(self, entries):
        from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

        def message(each):
            if each["role"] == "user":
                return HumanMessage(each["text"])
            if each["role"] == "tool":
                return ToolMessage(each["text"], tool_call_id=each["answers"])
            return AIMessage(each["text"], tool_calls=each["calls"])

        self.history.add_messages([message(each) for each in entries])

    def read(self):
        roles = {"human": "user", "ai": "assistant"}
        for message in self.history.messages:
            calls = [{key: call[key] for key in ("id", "name", "args")} for call in getattr(message, "tool_calls", [])]
            role = roles.get(message.type, message.type)
            yield entry(role, text_of(message.content), calls, getattr(message, "tool_call_id", None))


class LlamaIndex:
    def __init__(self, session_id):
        from llama_index.storage.chat_store.redis import RedisChatStore

        self.store, self.session_id = RedisChatStore(redis_url=URL), session_id

    def add(self, entries):
        from llama_index.core.base.llms.types import ToolCallBlock
        from llama_index.core.llms import ChatMessage, TextBlock

        for each in entries:
            blocks = [TextBlock(text=each["text"])]
            for call in each["calls"]:
                blocks.append(
                    ToolCallBlock(tool_call_id=call["id"], tool_name=call["name"], tool_kwargs=call["args"])
                )
            more = {"tool_call_id": each["answers"]} if each["answers"] else {}
            self.store.add_message(
                self.session_id, ChatMessage(role=each["role"], blocks=blocks, additional_kwargs=more)
            )

    def read(self):
        for message in self.store.get_messages(self.session_id):
            calls = [
                {"id": block.tool_call_id, "name": block.tool_name, "args": block.tool_kwargs}
                for block in message.blocks
                if block.block_type == "tool_call"
            ]
            answers = message.additional_kwargs.get("tool_call_id")
            yield entry(message.role.value, message.content or "", calls, answers)


class Agents:
    def __init__(self, session_id):
        from agents.extensions.memory import RedisSession

        self.open = lambda: RedisSession.from_url(session_id, url=URL)

    async def _with_session(self, work):
        session = self.open()
        try:
            return await work(session)
        finally:
            await session.close()

    def add(self, entries):
        items = []
        for each in entries:
            if each["role"] == "tool":
                items.append(
                    {"type": "function_call_output", "call_id": each["answers"], "output": each["text"]}
                )
                continue
            if each["text"]:
                items.append({"role": each["role"], "content": each["text"]})
            for call in each["calls"]:
                arguments = json.dumps(call["args"])
                items.append(
                    {
                        "type": "function_call",
                        "call_id": call["id"],
                        "name": call["name"],
                        "arguments": arguments,
                    }
                )
        asyncio.run(self._with_session(lambda session: session.add_items(items)))

    def read(self):
        for item in asyncio.run(self._with_session(lambda session: session.get_items())):
            if item.get("type") == "function_call":
                call = {"id": item["call_id"], "name": item["name"], "args": json.loads(item["arguments"])}
                yield entry("assistant", "", [call])
            elif item.get("type") == "function_call_output":
                yield entry("tool", text_of(item["output"]), answers=item["call_id"])
            else:
                yield entry(item["role"], text_of(item["content"]))


CLIENTS = {"langchain": LangChain, "llamaindex": LlamaIndex, "agents": Agents}

if __name__ == "__main__":
    for line in sys.stdin:
        request = json.loads(line)
        client = CLIENTS[request["client"]](request["session"])
        answer = client.add(request["entries"]) if request["do"] == "add" else list(client.read())
        print(json.dumps(answer), flush=True)

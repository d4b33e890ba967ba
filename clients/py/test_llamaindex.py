"""LlamaIndex' RedisChatStore."""

import asyncio

import pytest
import redis
from llama_index.core.llms import ChatMessage, ImageBlock, MessageRole, TextBlock
from llama_index.core.base.llms.types import ToolCallBlock
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.storage.chat_store.redis import RedisChatStore

from server import need, session, until

URL = need("HITHERTO_REDIS")


@pytest.fixture
def store():
    return RedisChatStore(redis_url=URL)


def user(text):
    return ChatMessage(role=MessageRole.USER, content=text)


def assistant(text):
    return ChatMessage(role=MessageRole.ASSISTANT, content=text)


CONVERSATION = [
    ChatMessage(role=MessageRole.SYSTEM, content="You are a concise assistant."),
    user("Hi, my name is Zoë. 👋🏽"),
    assistant("Hello Zoë!"),
    ChatMessage(
        role=MessageRole.USER,
        blocks=[
            TextBlock(text="What's in this image?\n谢谢 🌦️\u2028end"),
            ImageBlock(url="https://example.com/cat.png", image_mimetype="image/png"),
        ],
    ),
    ChatMessage(
        role=MessageRole.ASSISTANT,
        blocks=[
            TextBlock(text=""),
            ToolCallBlock(tool_call_id="call_abc123", tool_name="look", tool_kwargs={"at": "cat", "n": 1}),
        ],
    ),
    ChatMessage(
        role=MessageRole.TOOL,
        content='{"seen": "a cat"}',
        additional_kwargs={"tool_call_id": "call_abc123", "name": "look"},
    ),
    assistant("A cat. 😀"),
]


def said(store, key):
    return [message.content for message in store.get_messages(key)]


def five(store):
    key = session("llamaindex")
    for i in range(5):
        store.add_message(key, user(f"m{i}") if i % 2 == 0 else assistant(f"m{i}"))
    return key


def test_a_conversation_comes_back_as_it_was_written(store):
    key = session("llamaindex")
    for message in CONVERSATION:
        store.add_message(key, message)
    assert store.get_messages(key) == CONVERSATION
    assert store.get_messages(session("llamaindex")) == []


def test_set_messages_replaces_a_conversation(store):
    key = session("llamaindex")
    store.add_message(key, user("old"))
    store.set_messages(key, CONVERSATION)
    assert store.get_messages(key) == CONVERSATION
    store.set_messages(key, CONVERSATION[:3])
    assert store.get_messages(key) == CONVERSATION[:3]


def test_add_message_at_a_place(store):
    key = five(store)
    store.add_message(key, user("between"), idx=2)
    assert said(store, key) == ["m0", "m1", "between", "m2", "m3", "m4"]


def test_delete_last_message(store):
    key = five(store)
    assert b'"m4"' in store.delete_last_message(key)
    assert said(store, key) == ["m0", "m1", "m2", "m3"]
    assert store.delete_last_message(session("llamaindex")) is None


@pytest.mark.parametrize("index", [0, 2, 4])
def test_delete_message_leaves_the_others_in_order(store, index):
    """The store deletes the list and pushes what is left at its other end, which on Redis turns it round."""
    key = five(store)
    store.delete_message(key, index)
    assert said(store, key) == [f"m{i}" for i in range(5) if i != index]
    store.add_message(key, user("and on"))
    assert said(store, key)[-1] == "and on"
    store.delete_message(key, 0)
    assert said(store, key)[-1] == "and on"


def test_delete_messages_ends_one_conversation_and_no_other(store):
    one, other = five(store), five(store)
    store.delete_messages(one)
    assert said(store, one) == []
    assert len(said(store, other)) == 5


def test_get_keys_names_the_conversations(store):
    one, other = five(store), five(store)
    keys = store.get_keys()
    assert one in keys and other in keys
    store.delete_messages(one)
    assert one not in store.get_keys()


def test_a_time_to_live_is_set_and_kept():
    with redis.Redis.from_url(URL) as client:
        key = session("llamaindex")
        RedisChatStore(redis_url=URL, ttl=60).add_message(key, user("hello"))
        assert 50_000 < client.pttl(key) <= 60_000
        short = session("llamaindex")
        store = RedisChatStore(redis_url=URL, ttl=1)
        store.set_messages(short, CONVERSATION)
        until("the conversation ends", lambda: store.get_messages(short) == [])


def test_as_the_memory_of_a_chat_engine(store):
    key = session("llamaindex")
    memory = ChatMemoryBuffer.from_defaults(token_limit=3000, chat_store=store, chat_store_key=key)
    memory.put(user("My name is Zoë."))
    memory.put(assistant("Hello Zoë!"))
    again = ChatMemoryBuffer.from_defaults(token_limit=3000, chat_store=store, chat_store_key=key)
    assert [message.content for message in again.get()] == ["My name is Zoë.", "Hello Zoë!"]
    again.reset()
    assert again.get_all() == []


def test_the_same_without_blocking():
    async def conversation():
        store = RedisChatStore(redis_url=URL)
        key = session("llamaindex")
        await store.aset_messages(key, CONVERSATION[:2])
        await store.async_add_message(key, CONVERSATION[2])
        assert await store.aget_messages(key) == CONVERSATION[:3]
        await store.adelete_messages(key)
        assert await store.aget_messages(key) == []

    asyncio.run(conversation())

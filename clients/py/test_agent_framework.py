"""Microsoft's Agent Framework: RedisHistoryProvider."""

import asyncio

import pytest
from agent_framework import Content, Message
from agent_framework_redis import RedisHistoryProvider

from server import need, session

URL = need("HITHERTO_REDIS")


def provider(**more):
    return RedisHistoryProvider(redis_url=URL, application_id="app", **more)


def user(text):
    return Message(role="user", contents=[text])


def assistant(text):
    return Message(role="assistant", contents=[text])


CONVERSATION = [
    Message(role="system", contents=["You are a concise assistant."]),
    user("Hi, my name is Zoë. 👋🏽"),
    assistant("Hello Zoë!"),
    Message(
        role="user",
        contents=[
            Content.from_text("What is in this image? 🖼️\u2028 half: \ud83d"),
            Content.from_uri("https://example.com/cat.png", media_type="image/png"),
        ],
    ),
    Message(
        role="assistant",
        contents=[Content.from_function_call("call_abc123", "look", arguments={"at": "cat", "days": 1})],
    ),
    Message(role="tool", contents=[Content.from_function_result("call_abc123", result='{"seen": "晴れ ☀️"}')]),
    assistant("A cat. 😀"),
]


def run(test, **more):
    async def whole():
        opened = provider(**more)
        try:
            await test(opened)
        finally:
            await opened.aclose()

    asyncio.run(whole())


def plain(messages):
    return [message.to_dict() for message in messages]


def test_messages_come_back_as_they_were_saved():
    async def test(history):
        session_id = session("agent-framework")
        assert await history.get_messages(session_id) == []
        await history.save_messages(session_id, CONVERSATION[:3])
        await history.save_messages(session_id, CONVERSATION[3:])
        assert plain(await history.get_messages(session_id)) == plain(CONVERSATION)

    run(test)


def test_what_is_saved_already_is_not_saved_again():
    async def test(history):
        session_id = session("agent-framework")
        said = [Message(role="user", contents=["hello"], message_id="m1")]
        await history.save_messages(session_id, said)
        said.append(Message(role="assistant", contents=["hi"], message_id="m2"))
        await history.save_messages(session_id, said)
        assert [message.text for message in await history.get_messages(session_id)] == ["hello", "hi"]

    run(test)


def test_max_messages_keeps_the_newest():
    async def test(history):
        session_id = session("agent-framework")
        for i in range(4):
            await history.save_messages(session_id, [user(f"question {i}"), assistant(f"answer {i}")])
        texts = [message.text for message in await history.get_messages(session_id)]
        assert texts == ["question 2", "answer 2", "question 3", "answer 3"]

    run(test, max_messages=4)


def test_clear_ends_one_session_and_no_other():
    async def test(history):
        one, other = session("agent-framework"), session("agent-framework")
        for each in (one, other):
            await history.save_messages(each, CONVERSATION)
        await history.clear(one)
        assert await history.get_messages(one) == []
        assert plain(await history.get_messages(other)) == plain(CONVERSATION)

    run(test)


@pytest.mark.parametrize("odd", ["tenant:42/zoë {a} 1", "*", "chat_messages:x", "long" * 100])
def test_session_ids_may_look_like_patterns_paths_or_other_keys(odd):
    async def test(history):
        session_id = f"{session('agent-framework')} {odd}"
        await history.save_messages(session_id, [user(odd)])
        assert plain(await history.get_messages(session_id)) == plain([user(odd)])

    run(test)


def test_tenants_and_agents_do_not_read_each_other():
    async def test(history):
        session_id = session("agent-framework")
        await history.save_messages(session_id, [user("mine")])
        for scope in ({"tenant_id": "other"}, {"agent_id": "other"}, {"tenant_id": "Tenant ü", "agent_id": "a"}):
            other = provider(**scope)
            assert await other.get_messages(session_id) == [], scope
            await other.save_messages(session_id, [user("theirs")])
            await other.aclose()
        assert plain(await history.get_messages(session_id)) == plain([user("mine")])

    run(test)


def test_the_older_form_of_keys():
    async def test(_):
        history = RedisHistoryProvider(redis_url=URL, key_format="legacy")
        session_id = session("agent-framework")
        await history.save_messages(session_id, CONVERSATION)
        assert plain(await history.get_messages(session_id)) == plain(CONVERSATION)
        await history.clear(session_id)
        assert await history.get_messages(session_id) == []
        await history.aclose()

    run(test)

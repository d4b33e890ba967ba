"""The OpenAI Agents SDK's RedisSession."""

import asyncio
import json

import pytest
import redis.asyncio as redis
from agents.extensions.memory import RedisSession

from server import need, session, until

URL = need("HITHERTO_REDIS")

CONVERSATION = [
    {"role": "system", "content": "You are a concise assistant."},
    {"content": "Hi, my name is Zoë. 👋🏽", "role": "user"},
    {
        "id": "msg_1",
        "content": [{"annotations": [], "text": "Hello Zoë!", "type": "output_text", "logprobs": []}],
        "role": "assistant",
        "status": "completed",
        "type": "message",
    },
    {
        "role": "user",
        "content": [
            {"type": "input_text", "text": "What is in this image? 🖼️\u2028 half: \ud83d"},
            {"type": "input_image", "image_url": "https://example.com/cat.png", "detail": "auto"},
        ],
    },
    {
        "arguments": '{"at": "cat", "days": 1}',
        "call_id": "call_abc123",
        "name": "look",
        "type": "function_call",
        "id": "fc_1",
        "status": "completed",
    },
    {"call_id": "call_abc123", "output": '{"seen": "晴れ ☀️"}', "type": "function_call_output"},
    {"role": "assistant", "content": "A cat. 😀"},
]


def user(text):
    return {"role": "user", "content": text}


def assistant(text):
    return {"role": "assistant", "content": text}


def run(test):
    """Runs a test with a way to open sessions, which are closed with it."""

    async def whole():
        opened = []

        def open_session(session_id, **more):
            opened.append(RedisSession.from_url(session_id, url=URL, **more))
            return opened[-1]

        try:
            await test(open_session)
        finally:
            for each in opened:
                await each.close()

    asyncio.run(whole())


def test_items_come_back_as_they_were_added():
    async def test(open_session):
        session_id = session("agents")
        first = open_session(session_id)
        assert await first.ping()
        assert await first.get_items() == []
        await first.add_items(CONVERSATION[:3])
        await open_session(session_id).add_items(CONVERSATION[3:])
        assert await first.get_items() == CONVERSATION

    run(test)


@pytest.mark.parametrize("limit", [1, 2, 5, 7, 100])
def test_a_limit_gives_the_newest_items_oldest_first(limit):
    async def test(open_session):
        memory = open_session(session("agents"))
        await memory.add_items(CONVERSATION)
        assert await memory.get_items(limit=limit) == CONVERSATION[-limit:]

    run(test)


def test_pop_takes_the_newest_item():
    async def test(open_session):
        memory = open_session(session("agents"))
        assert await memory.pop_item() is None
        await memory.add_items(CONVERSATION)
        assert await memory.pop_item() == CONVERSATION[-1]
        assert await memory.pop_item() == CONVERSATION[-2]
        assert await memory.get_items() == CONVERSATION[:-2]
        await memory.add_items([user("and on")])
        assert (await memory.get_items())[-1] == user("and on")

    run(test)


def test_clear_ends_one_session_and_no_other():
    async def test(open_session):
        one, other = open_session(session("agents")), open_session(session("agents"))
        for each in (one, other):
            await each.add_items(CONVERSATION)
        await one.clear_session()
        assert await one.get_items() == []
        assert await other.get_items() == CONVERSATION
        await one.add_items([user("again")])
        assert await one.get_items() == [user("again")]

    run(test)


def test_twenty_writers_at_once_lose_nothing_and_do_not_interleave():
    async def test(open_session):
        session_id = session("agents")
        turns = {n: [user(f"{n}"), assistant(f"{n} a"), assistant(f"{n} b")] for n in range(20)}
        await asyncio.gather(*(open_session(session_id).add_items(turn) for turn in turns.values()))
        items = await open_session(session_id).get_items()
        order = [int(item["content"]) for item in items if item["role"] == "user"]
        assert sorted(order) == list(turns)
        assert items == [item for n in order for item in turns[n]]

    run(test)


def test_one_session_object_with_many_writers():
    async def test(open_session):
        memory = open_session(session("agents"))
        turns = [[user(f"{n}"), assistant(f"{n} a")] for n in range(10)]
        await asyncio.gather(*(memory.add_items(turn) for turn in turns))
        items = await memory.get_items()
        order = [int(item["content"]) for item in items if item["role"] == "user"]
        assert sorted(order) == list(range(10))
        assert items == [item for n in order for item in turns[n]]

    run(test)


def test_a_time_to_live_holds_for_all_keys_of_a_session():
    async def test(open_session):
        client = redis.Redis.from_url(URL)
        session_id = session("agents")
        await open_session(session_id, ttl=60).add_items(CONVERSATION)
        for key in (f"agents:session:{session_id}", f"agents:session:{session_id}:messages"):
            assert 50_000 < await client.pttl(key) <= 60_000, key
        await client.aclose()

    run(test)


def test_after_its_time_a_session_is_gone():
    async def fill(session_id):
        memory = RedisSession.from_url(session_id, url=URL, ttl=1)
        await memory.add_items(CONVERSATION)
        await memory.close()

    async def is_gone(session_id):
        memory = RedisSession.from_url(session_id, url=URL)
        items = await memory.get_items()
        await memory.close()
        return items == []

    session_id = session("agents")
    asyncio.run(fill(session_id))
    until("the session ends", lambda: asyncio.run(is_gone(session_id)))


def test_what_is_known_of_a_session():
    async def test(open_session):
        client = redis.Redis.from_url(URL, decode_responses=True)
        session_id = session("agents")
        await open_session(session_id).add_items([user("hello")])
        known = await client.hgetall(f"agents:session:{session_id}")
        assert known["session_id"] == session_id
        assert int(known["created_at"]) <= int(known["updated_at"])
        await client.aclose()

    run(test)


def test_one_element_that_is_not_json_is_passed_over():
    async def test(open_session):
        client = redis.Redis.from_url(URL)
        session_id = session("agents")
        memory = open_session(session_id)
        await memory.add_items([user("question 1")])
        try:
            await client.rpush(f"agents:session:{session_id}:messages", "not JSON at all")
        except redis.ResponseError:
            pass  # Refused is as good as kept aside.
        await memory.add_items([assistant("answer 1")])
        assert await memory.get_items() == [user("question 1"), assistant("answer 1")]
        assert await memory.get_items(limit=2) == [user("question 1"), assistant("answer 1")]
        await client.aclose()

    run(test)


@pytest.mark.parametrize("odd", ["tenant:42/zoë {a} 1", "*", "a:counter", "long" * 100])
def test_session_ids_may_look_like_patterns_paths_or_other_keys(odd):
    async def test(open_session):
        memory = open_session(f"{session('agents')} {odd}")
        await memory.add_items([user(odd)])
        assert await memory.get_items() == [user(odd)]

    run(test)


def test_through_the_runner_of_the_sdk():
    """Two runs of an agent, with a scripted model: the second is given what the first one said."""
    from agents import Agent, ModelResponse, Runner, Usage, set_tracing_disabled
    from agents.models.interface import Model
    from openai.types.responses import ResponseOutputMessage, ResponseOutputText

    set_tracing_disabled(True)
    given = []

    class Scripted(Model):
        async def get_response(self, *args, **kwargs):
            given.append(json.loads(json.dumps(args[1] if len(args) > 1 else kwargs["input"])))
            text = ResponseOutputText(text=f"answer {len(given)}", type="output_text", annotations=[])
            message = ResponseOutputMessage(
                id=f"msg_{len(given)}", content=[text], role="assistant", status="completed", type="message"
            )
            return ModelResponse(output=[message], usage=Usage(), response_id=None)

        def stream_response(self, *args, **kwargs):
            raise NotImplementedError

    async def test(open_session):
        session_id = session("agents")
        agent = Agent(name="test", model=Scripted())
        await Runner.run(agent, "question 1", session=open_session(session_id))
        result = await Runner.run(agent, "question 2", session=open_session(session_id))
        assert result.final_output == "answer 2"
        assert [item.get("role") for item in given[1]] == ["user", "assistant", "user"]
        assert given[1][1]["content"][0]["text"] == "answer 1"
        assert len(await open_session(session_id).get_items()) == 4

    run(test)

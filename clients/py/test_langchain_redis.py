"""LangChain's RedisChatMessageHistory (also what Langflow stores with)."""

import pytest
import redis
from langchain_community.chat_message_histories import RedisChatMessageHistory
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    ChatMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from server import need, session, until

URL = need("HITHERTO_REDIS")
CAT = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture
def client():
    with redis.Redis.from_url(URL) as client:
        yield client


def history(session_id, **more):
    return RedisChatMessageHistory(session_id, url=URL, **more)


WEATHER = [
    SystemMessage("You are a concise assistant."),
    HumanMessage("Hi, my name is Zoë. 👋🏽"),
    AIMessage("Hello Zoë! Nice to meet you."),
    HumanMessage('The weather in Zürich?\nLine two: 谢谢 🌦️ "quoted" back\\slash\ttab </b>&amp; %20\u2028end'),
    AIMessage(
        "",
        tool_calls=[{"name": "get_weather", "args": {"city": "Zürich", "days": 1}, "id": "call_abc123"}],
    ),
    ToolMessage('{"temp_c": 21.5, "conditions": "晴れ ☀️"}', tool_call_id="call_abc123", name="get_weather"),
    AIMessage("It is 21.5 °C in Zürich:\n- 晴れ ☀️\n- Enjoy! 😀"),
]

ODDITIES = [
    HumanMessage(
        [
            {"type": "text", "text": "What is in this image? 🖼️"},
            {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}},
            {"type": "image", "base64": CAT, "mime_type": "image/png"},
        ],
        name="zoe",
        id="h-1",
        additional_kwargs={"k": 1},
    ),
    AIMessage(
        [{"type": "text", "text": "A cat."}],
        id="run-1",
        usage_metadata={"input_tokens": 11, "output_tokens": 3, "total_tokens": 14},
        response_metadata={"model_name": "gpt-x", "finish_reason": "stop"},
    ),
    HumanMessage("half an emoji \ud83d, cut by a limit of characters"),
    AIMessage(
        "",
        tool_calls=[{"name": "f", "args": {"n": 1.5, "deep": [{"a": None}]}, "id": "c1"}],
        invalid_tool_calls=[
            {"type": "invalid_tool_call", "name": "g", "args": "{bad json", "id": "c2", "error": "bad"}
        ],
    ),
    ToolMessage("boom", tool_call_id="c1", status="error", artifact={"raw": [1, 2]}),
    AIMessage([{"type": "reasoning", "reasoning": "thinking..."}, {"type": "text", "text": "done"}]),
    ChatMessage("a custom role", role="critic"),
    AIMessageChunk(content="a streamed chunk, as stored by some streaming chains", id="run-2"),
]


@pytest.mark.parametrize("said", [WEATHER, ODDITIES], ids=["weather", "oddities"])
def test_what_was_written_comes_back(said):
    session_id = session("langchain-py")
    history(session_id).add_messages(said)
    assert history(session_id).messages == said


def test_messages_one_by_one():
    session_id = session("langchain-py")
    history(session_id).add_user_message("My name is Zoë.")
    history(session_id).add_ai_message("Hello Zoë!")
    assert history(session_id).messages == [HumanMessage("My name is Zoë."), AIMessage("Hello Zoë!")]


def test_the_same_words_said_twice_are_stored_twice():
    said = [HumanMessage("yes"), AIMessage("ok")] * 2
    session_id = session("langchain-py")
    history(session_id).add_messages(said)
    assert history(session_id).messages == said


def test_clear_ends_one_session_and_no_other():
    one, other = session("langchain-py"), session("langchain-py")
    for session_id in (one, other):
        history(session_id).add_user_message("hello")
    history(one).clear()
    assert history(one).messages == []
    assert history(other).messages == [HumanMessage("hello")]


def test_a_time_out_begins_anew_with_each_message_and_then_everything_is_gone(client):
    session_id = session("langchain-py")
    history(session_id, ttl=60).add_user_message("hello")
    assert 50_000 < client.pttl(f"message_store:{session_id}") <= 60_000
    short = session("langchain-py")
    history(short, ttl=1).add_messages([HumanMessage("hello"), AIMessage("hi")])
    until("the session ends", lambda: history(short).messages == [])
    assert client.pttl(f"message_store:{short}") == -2


def test_without_a_time_out_a_session_stays(client):
    session_id = session("langchain-py")
    history(session_id).add_user_message("hello")
    assert client.pttl(f"message_store:{session_id}") == -1


@pytest.mark.parametrize("odd", ["tenant:42/zoë {a} 1", "*", "a:messages", "message_store:x", "long" * 100])
def test_session_ids_may_look_like_patterns_paths_or_other_keys(odd):
    session_id = f"{session('langchain-py')} {odd}"
    history(session_id).add_user_message(odd)
    assert history(session_id).messages == [HumanMessage(odd)]


def test_one_element_that_is_not_json_does_not_spoil_the_session(client):
    session_id = session("langchain-py")
    history(session_id).add_messages([HumanMessage("question 1"), AIMessage("answer 1")])
    try:
        # Whether it is kept aside or refused is the server's affair: the chat has to go on.
        client.lpush(f"message_store:{session_id}", "not JSON at all")
    except redis.ResponseError:
        pass
    history(session_id).add_user_message("question 2")
    assert [message.content for message in history(session_id).messages] == [
        "question 1",
        "answer 1",
        "question 2",
    ]

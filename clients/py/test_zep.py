"""LangChain's classes for Zep, on zep-python 1.5."""

import warnings

import pytest
from langchain_community.chat_message_histories import ZepChatMessageHistory
from langchain_community.memory.zep_memory import ZepMemory
from langchain_core.messages import AIMessage, HumanMessage
from zep_python import ZepClient

from server import need, session

URL = need("HITHERTO_HTTP")


def history(session_id):
    return ZepChatMessageHistory(session_id=session_id, url=URL)


def said(messages):
    return [(message.type, message.content) for message in messages]


def test_the_server_is_one_that_the_client_knows():
    """It asks /healthz first: the body has to be a single full stop, and the version one that it can compare."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ZepClient(base_url=URL)


def test_a_new_session_is_empty():
    assert history(session("zep")).messages == []


def test_a_history_comes_back_with_ids_times_and_metadata():
    session_id = session("zep")
    history(session_id).add_user_message("My name is Zoë. 👋🏽", metadata={"from": "test"})
    history(session_id).add_messages([AIMessage("Hello Zoë!"), HumanMessage("What is my name?")])
    messages = history(session_id).messages
    assert said(messages) == [
        ("human", "My name is Zoë. 👋🏽"),
        ("ai", "Hello Zoë!"),
        ("human", "What is my name?"),
    ]
    kept = [message.additional_kwargs for message in messages]
    assert len({each["uuid"] for each in kept}) == 3
    assert all(each["created_at"] for each in kept)
    assert kept[0]["metadata"]["from"] == "test"
    assert history(session_id).zep_summary is None


def test_clear_ends_one_session_and_no_other():
    one, other = session("zep"), session("zep")
    for session_id in (one, other):
        history(session_id).add_user_message("hello")
    history(one).clear()
    assert history(one).messages == []
    assert said(history(other).messages) == [("human", "hello")]


@pytest.mark.parametrize("return_messages", [True, False])
def test_a_memory_of_a_chain(return_messages):
    session_id = session("zep")
    memory = ZepMemory(session_id=session_id, url=URL, return_messages=return_messages)
    memory.save_context({"input": "hello"}, {"output": "hi"}, metadata={"turn": 1})
    loaded = ZepMemory(session_id=session_id, url=URL, return_messages=return_messages)
    history = loaded.load_memory_variables({})["history"]
    if return_messages:
        assert said(history) == [("human", "hello"), ("ai", "hi")]
    else:
        assert history == "Human: hello\nAI: hi"

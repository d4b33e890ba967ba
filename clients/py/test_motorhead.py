"""LangChain's MotorheadMemory."""

import asyncio

from langchain_community.memory.motorhead_memory import MotorheadMemory
from langchain_core.messages import AIMessage, HumanMessage

from server import need, session

URL = need("HITHERTO_HTTP")


def memory_of(session_id):
    memory = MotorheadMemory(session_id=session_id, url=URL, return_messages=True)
    asyncio.run(memory.init())
    return memory


def history(session_id):
    return memory_of(session_id).load_memory_variables({})["history"]


def test_a_new_session_is_empty():
    assert history(session("motorhead")) == []


def test_what_a_chain_said_is_there_for_the_next_process():
    session_id = session("motorhead")
    memory = memory_of(session_id)
    memory.save_context({"input": "My name is Zoë. 👋🏽"}, {"output": "Hello Zoë!"})
    memory.save_context({"input": "Human: AI: both?\n\u2028"}, {"output": "role: colon"})
    said = [
        HumanMessage("My name is Zoë. 👋🏽"),
        AIMessage("Hello Zoë!"),
        HumanMessage("Human: AI: both?\n\u2028"),
        AIMessage("role: colon"),
    ]
    assert history(session_id) == said
    assert memory.load_memory_variables({})["history"] == said


def test_what_is_not_summarised_has_no_context():
    session_id = session("motorhead")
    memory_of(session_id).save_context({"input": "hello"}, {"output": "hi"})
    assert memory_of(session_id).context is None


def test_a_deleted_session_is_gone():
    session_id = session("motorhead")
    memory = memory_of(session_id)
    memory.save_context({"input": "hello"}, {"output": "hi"})
    memory.delete_session()
    assert history(session_id) == []

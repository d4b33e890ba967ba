//! Chat memory for LLM applications.

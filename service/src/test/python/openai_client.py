"""The official OpenAI client against the service: what to do, base URL, key and model as arguments. Any failed check exits 1."""

import json
import sys

import openai

task, base_url, key, model = sys.argv[1:5]
client = openai.OpenAI(base_url=base_url, api_key=key, max_retries=0, timeout=60)


def chat():
    """Everything but tools."""
    question = [
        {"role": "system", "content": "You are brief."},
        {"role": "user", "content": [{"type": "text", "text": "Say hello."}]},
    ]

    assert model in [it.id for it in client.models.list()]
    assert client.models.retrieve(model).id == model

    whole = client.chat.completions.create(
        model=model, messages=question, max_completion_tokens=16, temperature=0, seed=1, user="ann"
    )
    assert whole.object == "chat.completion" and whole.model == model
    assert whole.choices[0].message.role == "assistant" and whole.choices[0].message.content
    assert whole.choices[0].finish_reason in ("stop", "length")
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens > 0

    chunks = list(
        client.chat.completions.create(
            model=model,
            messages=question,
            max_completion_tokens=16,
            temperature=0,
            seed=1,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    text = "".join(it.choices[0].delta.content or "" for it in chunks if it.choices)
    assert text == whole.choices[0].message.content, (text, whole.choices[0].message.content)
    assert [it.usage is not None for it in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-1].usage == whole.usage or chunks[-1].usage.completion_tokens == whole.usage.completion_tokens

    vectors = client.embeddings.create(model=model, input=["a", "b"])  # as base64: the client's default
    assert [list(it.embedding) for it in vectors.data] == [[0.5, -1.25], [2, 0]], vectors

    try:
        client.chat.completions.create(model="no-such-model", messages=question)
        raise AssertionError("an unknown model was accepted")
    except openai.NotFoundError as e:
        assert e.code == "model_not_found" and e.request_id, e

    try:
        client.with_options(api_key="sk-wrong").models.list()
        raise AssertionError("a wrong key was accepted")
    except openai.AuthenticationError as e:
        assert e.code == "invalid_api_key", e


def tools():
    """The model calls a tool and gets its result."""
    weather = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
    messages = [{"role": "user", "content": "How is the weather in Rome?"}]
    whole = client.chat.completions.create(model=model, messages=messages, tools=[weather])
    with client.chat.completions.stream(model=model, messages=messages, tools=[weather]) as stream:
        streamed = stream.get_final_completion()
    for completion in (whole, streamed):
        choice = completion.choices[0]
        assert choice.finish_reason == "tool_calls", choice
        assert choice.message.tool_calls[0].function.name == "weather"
        assert json.loads(choice.message.tool_calls[0].function.arguments) == {"city": "Rome"}
    call = whole.choices[0].message.tool_calls[0]
    answered = [*messages, whole.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "sun"}]
    assert client.chat.completions.create(model=model, messages=answered, tools=[weather]).choices


def files():
    """A file's way, and an answer that cites it."""
    text = b"The keeper's parrot is called Ernest (python)."
    made = client.files.create(file=("parrot.txt", text), purpose="user_data")
    other = client.files.create(file=("other.txt", b"Nothing of interest (python)."), purpose="assistants")
    assert client.files.wait_for_processing(made.id, poll_interval=0.2, max_wait_seconds=30).status == "processed"
    assert {made.id, other.id} <= {it.id for it in client.files.list(limit=1)}  # page by page
    assert [it.id for it in client.files.list(purpose="assistants") if it.id == made.id] == []
    assert client.files.retrieve(made.id).bytes == len(text)
    assert client.files.content(made.id).read() == text
    answer = client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": "What is the keeper's parrot called?"}],
        extra_body={"grounding": {"file_ids": [made.id]}},
    )
    assert answer.grounding["citations"][0]["file_id"] == made.id, answer
    assert client.files.delete(made.id).deleted
    try:
        client.files.retrieve(made.id)
        raise AssertionError("a deleted file is there")
    except openai.NotFoundError as e:
        assert e.code == "file_not_found", e


def limits():
    """Two requests a minute: what remains is told, and the third is refused."""
    question = [{"role": "user", "content": "Say hello."}]
    chats = client.chat.completions.with_raw_response

    whole = chats.create(model=model, messages=question)
    streamed = chats.create(model=model, messages=question, stream=True)
    assert whole.parse().choices[0].message.content
    assert [it for it in streamed.parse()]
    for answer, remaining in (whole, "1"), (streamed, "0"):
        assert answer.headers["x-ratelimit-limit-requests"] == "2", answer.headers
        assert answer.headers["x-ratelimit-remaining-requests"] == remaining, answer.headers
        assert answer.headers["x-ratelimit-reset-requests"], answer.headers
        assert answer.headers["x-ratelimit-limit-tokens"] == "10000", answer.headers
        assert 0 < int(answer.headers["x-ratelimit-remaining-tokens"]) < 10000, answer.headers
        assert answer.headers["x-ratelimit-reset-tokens"], answer.headers

    for stream in (False, True):
        try:
            client.chat.completions.create(model=model, messages=question, stream=stream)
            raise AssertionError("a request over the limit was accepted")
        except openai.RateLimitError as e:
            assert e.status_code == 429 and e.code == "rate_limit_exceeded" and e.type == "rate_limit_error", e
            assert 1 <= int(e.response.headers["retry-after"]) <= 61, e.response.headers
            assert e.response.headers["x-ratelimit-remaining-requests"] == "0", e.response.headers
            assert e.request_id and "its limit is 2" in e.message, e


{"chat": chat, "tools": tools, "files": files, "limits": limits}[task]()
print("ok")

"""OpenAI's client in front of odd model servers: base URL and key as arguments, the cases as JSON on standard input, as for odd_clients.mjs."""

import json
import sys

import openai

base_url, key = sys.argv[1:3]
chat = openai.OpenAI(base_url=base_url, api_key=key, max_retries=0, timeout=60).chat
question = {"role": "user", "content": "How is the weather in Rome and in Oslo?"}
parameters = {"type": "object", "properties": {"city": {"type": "string"}}}
tools = [{"type": "function", "function": {"name": name, "parameters": parameters}} for name in ("weather", "time")]


def whole(model):
    return chat.completions.create(model=model, messages=[question], tools=tools).choices[0].message


def streamed(model):
    with chat.completions.stream(model=model, messages=[question], tools=tools) as stream:
        return stream.get_final_completion().choices[0].message


def read(message):
    calls = message.tool_calls or []
    return {
        "text": message.content or "",
        "reasoning": getattr(message, "reasoning_content", None) or "",
        "calls": [{"name": it.function.name, "arguments": json.loads(it.function.arguments)} for it in calls],
    }


def next_turn(model, message):
    results = [{"role": "tool", "tool_call_id": it.id, "content": "sun"} for it in message.tool_calls or []]
    sent = message.model_dump(exclude_unset=True)
    messages = [question, sent, *results, {"role": "user", "content": "And now?"}]
    chat.completions.create(model=model, messages=messages, tools=tools)


failures = []
for case in json.load(sys.stdin):
    expected = {"text": "", "reasoning": "", "calls": [], **case}
    model = expected.pop("model")
    for ask in whole, streamed:
        try:
            message = ask(model)
            assert read(message) == expected, read(message)
            next_turn(model, message)
        except Exception as e:
            failures.append(f"{model}, {ask.__name__}: {e!r}")
print("\n".join(failures) or "ok")
sys.exit(bool(failures))

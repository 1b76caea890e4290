// The official OpenAI client against the service: where npm put it, what to do, base URL, key and model as arguments. Any
// failed check exits 1.
"use strict";
const assert = require("node:assert/strict");
const { createRequire } = require("node:module");

const [packages, task, baseURL, apiKey, model] = process.argv.slice(2);
const { OpenAI, NotFoundError, AuthenticationError, toFile } = createRequire(`${packages}/`)("openai");

const client = new OpenAI({ baseURL, apiKey, maxRetries: 0, timeout: 60_000 });

/** Everything but tools. */
async function chat() {
  const messages = [
    { role: "system", content: "You are brief." },
    { role: "user", content: [{ type: "text", text: "Say hello." }] },
  ];
  const question = { model, messages, max_completion_tokens: 16, temperature: 0, seed: 1 };

  const listed = [];
  for await (const it of client.models.list()) listed.push(it.id);
  assert(listed.includes(model));

  const whole = await client.chat.completions.create({ ...question, user: "ann" });
  assert.equal(whole.model, model);
  assert(whole.choices[0].message.content);
  assert.equal(whole.usage.total_tokens, whole.usage.prompt_tokens + whole.usage.completion_tokens);

  let text = "";
  let usage;
  const stream = await client.chat.completions.create({
    ...question,
    stream: true,
    stream_options: { include_usage: true },
  });
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? "";
    usage = chunk.usage ?? usage;
  }
  assert.equal(text, whole.choices[0].message.content);
  assert.equal(usage.completion_tokens, whole.usage.completion_tokens);

  const { response } = await client.chat.completions.create(question).withResponse();
  assert.equal(response.headers.get("x-jarvis-model"), model);

  const vectors = await client.embeddings.create({ model, input: ["a", "b"] });
  assert.deepEqual(
    vectors.data.map((it) => Array.from(it.embedding)),
    [
      [0.5, -1.25],
      [2, 0],
    ],
  );

  await assert.rejects(client.chat.completions.create({ ...question, model: "no-such-model" }), (error) => {
    assert(error instanceof NotFoundError, error);
    assert.equal(error.code, "model_not_found");
    assert(error.requestID);
    return true;
  });
  await assert.rejects(new OpenAI({ baseURL, apiKey: "sk-wrong", maxRetries: 0 }).models.list(), AuthenticationError);
}

/** The model calls a tool and is told what that returned. */
async function tools() {
  const weather = { type: "function", function: { name: "weather", parameters: { type: "object", properties: {} } } };
  const messages = [{ role: "user", content: "How is the weather in Rome?" }];
  const whole = await client.chat.completions.create({ model, messages, tools: [weather] });
  const streamed = await client.chat.completions.stream({ model, messages, tools: [weather] }).finalChatCompletion();
  for (const { choices } of [whole, streamed]) {
    assert.equal(choices[0].finish_reason, "tool_calls");
    assert.equal(choices[0].message.tool_calls[0].function.name, "weather");
    assert.deepEqual(JSON.parse(choices[0].message.tool_calls[0].function.arguments), { city: "Rome" });
  }
  const [call] = whole.choices[0].message.tool_calls;
  const told = [...messages, whole.choices[0].message, { role: "tool", tool_call_id: call.id, content: "sun" }];
  assert((await client.chat.completions.create({ model, messages: told, tools: [weather] })).choices[0]);
}

/** A file's way. */
async function files() {
  const text = "The keeper's parrot is called Ernest (node).";
  const made = await client.files.create({ file: await toFile(Buffer.from(text), "parrot.txt"), purpose: "user_data" });
  assert.equal((await client.files.waitForProcessing(made.id, { pollInterval: 200 })).status, "processed");
  const listed = [];
  for await (const it of client.files.list({ limit: 1 })) listed.push(it.id);
  assert(listed.includes(made.id));
  assert.equal(await (await client.files.content(made.id)).text(), text);
  assert((await client.files.delete(made.id)).deleted);
  await assert.rejects(client.files.retrieve(made.id), NotFoundError);
}

({ chat, tools, files })[task]().then(
  () => console.log("ok"),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);

// Clients in front of odd model servers: where npm put them, which client, base URL and key as arguments; the cases as JSON on
// standard input: [{model, text, reasoning, calls: [{name, arguments}]}]. Each case is asked for as a whole answer and as a
// stream, and its answer is sent back as the next turn. Prints a line for each case that fails, and exits 1 if there is one.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [packages, client, baseURL, apiKey] = process.argv.slice(2);
const require = createRequire(`${packages}/`);
const question = { role: "user", content: "How is the weather in Rome and in Oslo?" };
const parameters = { type: "object", properties: { city: { type: "string" } } };
const names = ["weather", "time"];

/** The official client. */
function openai() {
  const { OpenAI } = require("openai");
  const { chat } = new OpenAI({ baseURL, apiKey, maxRetries: 0, timeout: 60_000 });
  const tools = names.map((name) => ({ type: "function", function: { name, parameters } }));
  const read = ({ choices: [{ message }] }) => ({
    text: message.content ?? "",
    reasoning: message.reasoning_content ?? message.reasoning ?? "",
    calls: (message.tool_calls ?? []).map((it) => ({ name: it.function.name, arguments: JSON.parse(it.function.arguments) })),
    message,
  });
  return {
    whole: async (model) => read(await chat.completions.create({ model, messages: [question], tools })),
    streamed: async (model) =>
      read(await chat.completions.stream({ model, messages: [question], tools }).finalChatCompletion()),
    next: async (model, { message }) => {
      const results = (message.tool_calls ?? []).map((it) => ({ role: "tool", tool_call_id: it.id, content: "sun" }));
      const messages = [question, message, ...results, { role: "user", content: "And now?" }];
      await chat.completions.create({ model, messages, tools });
    },
  };
}

/** Vercel's AI SDK. */
async function vercel() {
  const { generateText, streamText, tool, jsonSchema } = require("ai");
  const { createOpenAICompatible } = require("@ai-sdk/openai-compatible");
  const provider = createOpenAICompatible({ name: "jarvis", baseURL, apiKey });
  const weather = tool({ description: "Tells it.", inputSchema: jsonSchema(parameters) });
  const tools = Object.fromEntries(names.map((name) => [name, weather]));
  const ask = (model, messages) => ({ model: provider(model), messages, tools, maxRetries: 0 });
  const read = async (result) => ({
    text: await result.text,
    reasoning: (await result.reasoningText) ?? "",
    calls: (await result.toolCalls).map((it) => ({ name: it.toolName, arguments: it.input, id: it.toolCallId })),
    messages: (await result.response).messages,
  });
  return {
    whole: async (model) => read(await generateText(ask(model, [question]))),
    streamed: async (model) => {
      let failure;
      const result = streamText({ ...ask(model, [question]), onError: ({ error }) => (failure = error) });
      await result.consumeStream();
      if (failure) throw failure;
      return read(result);
    },
    next: async (model, { calls, messages }) => {
      const output = { type: "text", value: "sun" };
      const results = calls.map((it) => ({ type: "tool-result", toolCallId: it.id, toolName: it.name, output }));
      const told = results.length ? [{ role: "tool", content: results }] : [];
      await generateText(ask(model, [question, ...messages, ...told, { role: "user", content: "And now?" }]));
    },
  };
}

/** LangChain. */
function langchain() {
  const { ChatOpenAI } = require("@langchain/openai");
  const { HumanMessage, ToolMessage } = require("@langchain/core/messages");
  const tools = names.map((name) => ({ type: "function", function: { name, parameters } }));
  const chat = (model) =>
    new ChatOpenAI({ model, apiKey, configuration: { baseURL }, maxRetries: 0, useResponsesApi: false }).bindTools(tools);
  const asked = new HumanMessage(question.content);
  const read = (message) => ({
    text: message.text,
    reasoning: message.additional_kwargs.reasoning_content ?? "",
    calls: (message.tool_calls ?? []).map((it) => ({ name: it.name, arguments: it.args })),
    message,
  });
  return {
    whole: async (model) => read(await chat(model).invoke([asked])),
    streamed: async (model) => {
      let message;
      for await (const piece of await chat(model).stream([asked])) message = message ? message.concat(piece) : piece;
      return read(message);
    },
    next: async (model, { message }) => {
      const results = (message.tool_calls ?? []).map((it) => new ToolMessage({ content: "sun", tool_call_id: it.id }));
      await chat(model).invoke([asked, message, ...results, new HumanMessage("And now?")]);
    },
  };
}

const { whole, streamed, next } = await { openai, vercel, langchain }[client]();
const failures = [];
for (const { model, text = "", reasoning = "", calls = [] } of JSON.parse(readFileSync(0, "utf8"))) {
  for (const [way, ask] of Object.entries({ whole, streamed })) {
    try {
      const answer = await ask(model);
      const shown = { text: answer.text, calls: answer.calls.map((it) => ({ name: it.name, arguments: it.arguments })) };
      assert.deepEqual(shown, { text, calls });
      if (client !== "langchain") assert.equal(answer.reasoning, reasoning); // it has no field for it
      await next(model, answer);
    } catch (error) {
      failures.push(`${model}, ${way}: ${error.message ?? error}`);
    }
  }
}
console.log(failures.join("\n") || "ok");
process.exit(failures.length ? 1 : 0);

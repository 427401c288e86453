import assert from "node:assert/strict";
import test from "node:test";
import { ask } from "../../../workbench/widgets/static/bench.js";

/** A model that keeps what is sent, and hears what it is told. */
class Model {
  constructor() { this.sent = []; this.heard = new Set(); }
  on(name, handler) { this.heard.add(handler); }
  off(name, handler) { this.heard.delete(handler); }
  send(content) { this.sent.push(content); }
  hear(message) { for (const handler of [...this.heard]) handler(message, []); }
}

test("an answer that comes after all patience is taken", async () => {
  const model = new Model();
  const asked = ask(model, "view", {}, { patience: 1 });
  await new Promise((resolve) => setTimeout(resolve, 20));
  model.hear({ answer: model.sent[0].id, value: 7 });
  assert.equal((await asked).value, 7);
  assert.equal(model.heard.size, 0);
});

test("an error of Python is its words, and another question's answer is none", async () => {
  const model = new Model();
  const asked = ask(model, "view");
  model.hear({ answer: model.sent[0].id + 1, value: 1 });
  model.hear({ answer: model.sent[0].id, error: "there is no picture" });
  await assert.rejects(asked, /^Error: there is no picture$/);
});

test("a comm that is gone is said, and leaves nothing behind", async () => {
  const model = new Model();
  model.send = () => { throw new Error("closed"); };
  await assert.rejects(ask(model, "view"), /run the cell of this widget again/);
  assert.equal(model.heard.size, 0);
});

test("two browsers number their questions apart: both hear every answer", async () => {
  const address = "../../../workbench/widgets/static/bench.js";
  const numbers = await Promise.all(["one", "two"].map(async (name) => {
    const model = new Model();
    const other = await import(`${address}?${name}`);
    const asked = other.ask(model, "view");
    model.hear({ answer: model.sent[0].id });
    await asked;
    return model.sent[0].id;
  }));
  assert.ok(numbers.every(Number.isSafeInteger));
  assert.ok(Math.abs(numbers[0] - numbers[1]) > 1000);
});

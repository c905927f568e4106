import { strict as assert } from "node:assert";
import { test } from "node:test";
import { documents, timeoutSeconds } from "../../functions/domain/documents.ts";

test("a command that goes from node to node expires after everybody's time, and never after its await state's", () => {
  const { deliverySeconds, executionSeconds } = documents.join;
  assert.equal(timeoutSeconds("join", 1), deliverySeconds);
  assert.equal(timeoutSeconds("join", 2) + executionSeconds, 2 * (deliverySeconds + executionSeconds));
  for (const turns of [3, 4]) assert.equal(timeoutSeconds("join", turns) + executionSeconds, 740, `${turns}`);
});

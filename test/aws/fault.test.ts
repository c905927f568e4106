import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { toStepError } from "../../functions/aws/fault.ts";
import { NotReadyError } from "../../functions/errors.ts";

const refusal = (name: string, message = "", more: object = {}) => Object.assign(new Error(message), { name, ...more });
const kinds: Readonly<Record<string, readonly Error[]>> = {
  TransientError: [
    refusal("RequestLimitExceeded"),
    refusal("ThrottlingException"),
    refusal("InvalidVpcID.NotFound"),
    refusal("Error", "read ECONNRESET", { code: "ECONNRESET" }),
    refusal("SomethingNew", "", { $fault: "server" }),
    refusal(
      "InvalidParameterValue",
      "Value (nodes) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name",
    ),
  ],
  CapacityError: [refusal("InsufficientInstanceCapacity", "", { $fault: "server" })],
  QuotaError: [refusal("VpcLimitExceeded"), refusal("TooManyLoadBalancersException")],
  InvalidRequestError: [
    refusal("InvalidBlockDeviceMapping", "Volume of size 40GB is smaller than snapshot 'snap-1', expect size >= 50GB"),
  ],
  AccessError: [refusal("UnauthorizedOperation"), refusal("AccessDeniedException")],
  DefectError: [
    refusal("InvalidParameterValue", "Value (300) for parameter size is invalid"),
    refusal("SomethingNew", "", { $fault: "client" }),
    refusal("IdempotentParameterMismatch"),
    new TypeError("x is not a function"),
  ],
};

describe("an error of AWS", () => {
  for (const [kind, errors] of Object.entries(kinds)) {
    for (const error of errors) {
      test(`${error.name} ${error.message.slice(0, 40)} is a ${kind} and keeps its cause`, () => {
        const sorted = toStepError(error, { step: "create-network" });
        assert.equal(sorted.name, kind);
        assert.equal(sorted.cause, error);
        assert.equal(sorted.facts["step"], "create-network");
      });
    }
  }

  test("one of our own passes as it is", () => {
    const own = new NotReadyError("not yet");
    assert.equal(toStepError(own, { step: "wait-for-dns" }), own);
  });

  test("an encoded authorization message stays out of the message", () => {
    const sorted = toStepError(
      refusal("UnauthorizedOperation", `You are not authorized. Encoded authorization failure message: ${"x".repeat(800)}`),
      {},
    );
    assert.ok(sorted.message.length < 120);
  });
});

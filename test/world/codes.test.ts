import { strict as assert } from "node:assert";
import { globSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { codes, codesOf } from "../../rehearsal/world/codes.ts";
import { fault, isThrottling, isTransient, type ServiceName } from "../../rehearsal/world/fault.ts";
import { openForOperators } from "../../rehearsal/world/operator.ts";
import { openSecrets } from "../../rehearsal/world/secrets.ts";
import { World } from "../../rehearsal/world/world.ts";

const root = new URL("../../", import.meta.url);
const clients: Readonly<Record<ServiceName, string>> = {
  ec2: "ec2",
  elb: "elastic-load-balancing-v2",
  elbClassic: "elastic-load-balancing",
  ssm: "ssm",
  s3: "s3",
  sfn: "sfn",
  quotas: "service-quotas",
  events: "eventbridge",
  secrets: "secrets-manager",
  cloudFormation: "cloudformation",
  lambda: "lambda",
  sts: "sts",
};
const services = Object.keys(clients) as ServiceName[];

/** `<service> <operation>` of every SDK call that a function can make, from its imports. */
function called(): string[] {
  const found = new Set<string>();
  for (const file of globSync("functions/**/*.ts", { cwd: root })) {
    const text = readFileSync(new URL(file, root), "utf8");
    for (const [, names = "", client = ""] of text.matchAll(/import \{([^}]+)\} from "@aws-sdk\/client-([\w-]+)"/g)) {
      const service = services.find((name) => clients[name] === client);
      for (const name of names.split(",").map((part) => part.trim().replace(/ as \w+$/, ""))) {
        const operation = /^paginate(\w+)$/.exec(name)?.[1] ?? /^([A-Z]\w+)Command$/.exec(name)?.[1];
        if (operation !== undefined) found.add(`${service} ${operation}`);
      }
    }
  }
  return [...found];
}

describe("the table of error codes", () => {
  const world = new World({ seed: 1 });
  openForOperators(world);
  openSecrets(world);

  test("has a row for every operation that a function calls", () => {
    const calls = called();
    assert.ok(calls.length > 70, `${calls.length} calls found`);
    const missing = calls.filter((call) => {
      const [service, operation = ""] = call.split(" ") as [ServiceName, string];
      return codesOf(service, operation) === null;
    });
    assert.deepEqual(missing, []);
  });

  test("knows only operations that the world has", () => {
    for (const service of services)
      for (const operation of Object.keys(codes[service]))
        assert.ok(world.door.operationsOf(service).includes(operation), `${service} has no ${operation}`);
  });

  test("names what the SDK's own model lists for the operation, where a service has such a model", () => {
    let checked = 0;
    for (const service of services.filter((name) => name !== "ec2" && name !== "s3"))
      for (const [operation, own] of Object.entries(codes[service])) {
        const file = `node_modules/@aws-sdk/client-${clients[service]}/dist-types/commands/${operation}Command.d.ts`;
        const text = readFileSync(new URL(file, root), "utf8");
        for (const code of own) {
          assert.ok(text.includes(`@throws {@link ${code}}`), `${operation} cannot give ${code}`);
          checked++;
        }
      }
    assert.ok(checked >= 20, `${checked} codes checked`);
  });

  test("gives every call a throttle, a server error, a refused permission and a lost connection", () => {
    for (const service of services)
      for (const operation of Object.keys(codes[service])) {
        const all = codesOf(service, operation) ?? [];
        assert.equal(new Set(all).size, all.length, operation);
        const has = (isSuch: (code: string) => boolean) => assert.ok(all.some(isSuch), `${service} ${operation}`);
        has(isThrottling);
        has((code) => isTransient(code) && code !== "TimeoutError");
        has((code) => /AccessDenied|Unauthorized/.test(code));
        has((code) => code === "TimeoutError");
        for (const code of all) assert.equal(fault(service, code, "").name, code);
      }
  });

  test("never says that a thing is gone to who deletes it", () => {
    for (const service of services)
      for (const [operation, own] of Object.entries(codes[service]))
        if (/^(Delete|Terminate|Detach|Disassociate)/.test(operation))
          assert.ok(!own.some((code) => /NotFound|NotAttached|DoesNotExist/.test(code)), operation);
  });
});

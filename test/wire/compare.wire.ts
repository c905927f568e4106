import { strict as assert } from "node:assert";
import { after, before, describe, test } from "node:test";
import type { Service } from "../../rehearsal/world/service.ts";
import { SfnApi } from "../../rehearsal/world/sfn.ts";
import { World } from "../../rehearsal/world/world.ts";
import type { Difference } from "./difference.ts";
import { differencesKnown, untold } from "./differences.ts";
import { Moto } from "./moto.ts";
import { differences, type Gap, type Shape } from "./shape.ts";
import { motoSite, worldSite } from "./sides.ts";
import { balancers } from "./stories/balancers.ts";
import { classicBalancers } from "./stories/classic.ts";
import { endpoints } from "./stories/endpoints.ts";
import { machines, offers, waysOut } from "./stories/machines.ts";
import { routes, subnets, vpcs } from "./stories/network.ts";
import { securityGroups } from "./stories/security-groups.ts";
import { events, executions, parameters, record } from "./stories/stores.ts";
import { tell } from "./story.ts";

const stories = [
  ...[vpcs, subnets, routes, securityGroups, endpoints],
  ...[offers, machines, waysOut, balancers, classicBalancers, parameters, record, events, executions],
];
const operationOf = (step: string): string => step.replace(/ .*$/, "");

interface Found extends Gap {
  readonly step: string;
}

function isKnown({ step, paths, says }: Difference, found: Found): boolean {
  const isStep = step === found.step || step === operationOf(found.step);
  if (!isStep || !paths.includes(found.path)) return false;
  const [ours, theirs] = says.split(" | ");
  return (ours === "*" || ours === found.ours) && (theirs === "*" || theirs === found.theirs);
}

describe("the virtual AWS beside moto", () => {
  let moto: Moto;
  let ours: Map<string, Shape>;
  let found: Found[];

  before(async () => {
    const python = process.env["WIRE_PYTHON"];
    assert.ok(python, "WIRE_PYTHON names a Python that has test/wire/requirements.txt installed");
    const { site, run } = worldSite();
    ours = await run(tell(stories, site));
    moto = await Moto.start(python);
    const theirs = await tell(stories, await motoSite(moto));
    assert.deepEqual([...theirs.keys()], [...ours.keys()]);
    found = [...ours].flatMap(([step, shape]) =>
      differences(shape, theirs.get(step) ?? new Map()).map((gap) => ({ step, ...gap })),
    );
  });
  after(() => moto?.stop());

  test("was asked more than two hundred things, and agrees in most of them to the last field", () => {
    const differing = new Set(found.map(({ step }) => step)).size;
    console.log(`${ours.size} steps, ${ours.size - differing} of them alike; ${found.length} differences in the others`);
    assert.ok(ours.size > 200);
    assert.ok(differing < ours.size / 2, `${differing} of ${ours.size} differ`);
  });

  test("differs in nothing but what the list names", () => {
    const unknown = found.filter((difference) => !differencesKnown.some((entry) => isKnown(entry, difference)));
    assert.deepEqual(
      unknown.map((gap) => `${gap.step}, ${gap.path}: ${gap.ours} here, ${gap.theirs} in moto`),
      [],
    );
  });

  test("still differs in everything that the list names", () => {
    const over = differencesKnown.flatMap((entry) =>
      entry.paths
        .filter((path) => !found.some((difference) => isKnown({ ...entry, paths: [path] }, difference)))
        .map((path) => `${entry.step}, ${path}`),
    );
    assert.deepEqual(over, []);
  });

  test("is asked for every operation that it has, but for those with a reason", () => {
    const world = new World({ seed: 1 });
    const services = [...(Object.values(world) as Partial<Service>[]), new SfnApi(world.stepFunctions)];
    const operations = services.flatMap(({ name, operations: own = {} }) =>
      // Both kinds of load balancing have operations of the same name.
      Object.keys(own).map((operation) => (name === "elbClassic" ? `Classic.${operation}` : operation)),
    );
    assert.ok(operations.length > 100);
    const told = new Set([...ours.keys()].map(operationOf));
    assert.deepEqual(
      operations.filter((operation) => told.has(operation) === operation in untold),
      [],
    );
    assert.deepEqual(
      Object.keys(untold).filter((operation) => !operations.includes(operation)),
      [],
    );
  });
});

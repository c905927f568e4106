import type { Defect } from "./defect.ts";

const door = (file: string, name: string, from: string, to: string, soonest: string): Defect => ({
  name,
  file,
  from,
  to,
  soonest,
});

/** In what acts without a person, in what others may call, and in what roles may do. */
export const doors: readonly Defect[] = [
  door(
    "functions/watch/watch-executions.ts",
    "the watcher starts for SUCCEEDED",
    'new Set(["FAILED", "TIMED_OUT", "ABORTED"])',
    'new Set(["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"])',
    "test/workflow/watch.test.ts",
  ),
  door(
    "functions/watch/watch-executions.ts",
    "the watcher takes over what others work on",
    'if (because !== "abandoned" || !isItsWork) continue;',
    'if (because !== "abandoned") continue;',
    "test/workflow/watch.test.ts",
  ),
  door(
    "functions/api/requests.ts",
    "a ticket stands for whatever comes with it",
    'if (known !== null) return isSame(known) ? "accepted" : "other";',
    'if (known !== null) return "accepted";',
    "test/api/front-door.test.ts",
  ),
  door(
    "functions/domain/ticket.ts",
    "two callers share their tickets",
    "`${caller}\\n${ticket}`",
    "`${ticket}`",
    "test/api/front-door.test.ts",
  ),
  door(
    "functions/steps/prepare-rebuild.ts",
    "any trigger rebuilds any cluster",
    "    refuseUnwanted(name, trigger, asked);\n",
    "",
    "test/workflow/rebuild.test.ts",
  ),
  door(
    "functions/domain/record/changing.ts",
    "an extension shortens the time that is left",
    "if (present !== null && Date.parse(present) >= Date.parse(until)) return unchanged;",
    "",
    "test/domain/cluster-record-rebuild.test.ts",
  ),
  door(
    "infra/policies/worker.json",
    "a worker's role reads every parameter",
    "parameter/cloister/*/g*/join",
    "parameter/*",
    "test/infra/permissions.test.ts",
  ),
  door(
    "infra/policies/control-plane.json",
    "a control plane's role serves from anywhere",
    '"Effect": "Deny",\n      "Action": "*"',
    '"Effect": "Deny",\n      "Action": "iam:None"',
    "test/infra/permissions.test.ts",
  ),
  door(
    "functions/steps/pick-cluster.ts",
    "a new image is for clusters of every line",
    " || lineOf(request.images.ami, deployment.defaultImageParameter) !== parameter",
    "",
    "test/workflow/fleet.test.ts",
  ),
  door(
    "functions/steps/pick-cluster.ts",
    "an image that is told twice is built twice",
    'return !isOf(image, await evidence.read({ cluster, generation }, "certificate"));',
    "return true;",
    "test/workflow/fleet.test.ts",
  ),
  door(
    "infra/triggers.ts",
    "the rule for images hears the default line alone",
    "name: [{ prefix: lineFolders.image }]",
    'name: ["/cloister/_ami/default"]',
    "test/infra/stacks.test.ts",
  ),
  door(
    "infra/triggers.ts",
    "the sweep runs once a day",
    "Schedule.rate(Duration.minutes(15))",
    "Schedule.rate(Duration.days(1))",
    "test/infra/stacks.test.ts",
  ),
];

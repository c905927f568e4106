import type { Defect } from "./defect.ts";

const machine = (file: string, name: string, from: string, to: string, soonest: string): Defect => ({
  name,
  file: `statemachine/${file}-cluster.asl.json`,
  from,
  to,
  soonest,
});

/** The first words of a state's Retry, behind what makes it that state's. */
const infrastructure = (slot: string, codes: readonly string[]): string =>
  `"ResultPath": "${slot}",
      "Retry": [
        {
          "ErrorEquals": [
${codes.map((code) => `            "${code}",\n`).join("")}`;

const died = ["TransientError", "States.Timeout", "Sandbox.Timedout", "Runtime.ExitError"];

/** In the state machines. */
export const machines: readonly Defect[] = [
  machine(
    "build",
    "CreateNetwork is not retried after Lambda.Unknown",
    infrastructure("$.network", [...died, "Lambda.Unknown"]),
    infrastructure("$.network", died),
    "test/contract/asl.test.ts",
  ),
  machine(
    "build",
    "a failed build does not say why",
    `"Comment": "The first cause.",
      "Type": "Fail",
      "ErrorPath": "$.failure.Error",
      "CausePath": "$.failure.Cause"`,
    `"Comment": "The first cause.",
      "Type": "Fail",
      "Error": "BuildFailed",
      "Cause": "The build failed."`,
    "test/contract/asl.test.ts",
  ),
  machine("build", "a resumed build does not pause for orphans", '"Seconds": 120', '"Seconds": 1', "test/contract/asl.test.ts"),
  machine("destroy", "a destroy does not pause for orphans", '"Seconds": 120', '"Seconds": 1', "test/contract/asl.test.ts"),
  machine("build", "a roll-back gives no reason", '          "because": "rollBack",\n', "", "rehearsals/a build that fails"),
  machine(
    "build",
    "a roll-back takes every generation",
    `          "generation.$": "$.lock.generation",
          "because": "rollBack",`,
    '          "because": "rollBack",',
    "test/contract/asl.test.ts",
  ),
  machine(
    "destroy",
    "the endpoints are not deleted",
    `          "Next": "DeleteEndpoints"
        }
      ],
      "Next": "DeleteEndpoints"`,
    `          "Next": "DeleteNetwork"
        }
      ],
      "Next": "DeleteNetwork"`,
    "test/contract/asl.test.ts",
  ),
  machine(
    "destroy",
    "whatever the audit finds, the account is clean",
    `"BooleanEquals": true,
          "Next": "SummarizeTeardown"
        }
      ],
      "Default": "ResourcesLeftBehind"`,
    `"BooleanEquals": true,
          "Next": "SummarizeTeardown"
        }
      ],
      "Default": "SummarizeTeardown"`,
    "test/workflow/destroy.test.ts",
  ),
  machine(
    "rebuild",
    "a failed rebuild does not say why its build failed",
    '"Error.$": "$.nested.end.Error"',
    '"Error": "States.TaskFailed"',
    "test/workflow/rebuild.test.ts",
  ),
  machine(
    "rebuild",
    "a rebuild does not release its lock",
    `"Next": "ReleaseRebuildLock"
        }
      ],
      "Next": "ReleaseRebuildLock"`,
    `"Next": "SummarizeRebuild"
        }
      ],
      "Next": "SummarizeRebuild"`,
    "test/contract/asl.test.ts",
  ),
];

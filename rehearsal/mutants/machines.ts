import type { Defect } from "./defect.ts";

const machine = (file: string, name: string, from: string, to: string): Defect => ({
  name,
  file: `statemachine/${file}-cluster.asl.json`,
  from,
  to,
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
  ),
  machine("build", "a resumed build does not pause for orphans", '"Seconds": 120', '"Seconds": 1'),
  machine("destroy", "a destroy does not pause for orphans", '"Seconds": 120', '"Seconds": 1'),
  machine("build", "a roll-back gives no reason", '          "because": "rollBack",\n', ""),
  machine(
    "build",
    "a roll-back takes every generation",
    `          "generation.$": "$.lock.generation",
          "because": "rollBack",`,
    '          "because": "rollBack",',
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
  ),
];

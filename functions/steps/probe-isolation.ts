import { defineCommandStep } from "../command-step.ts";
import { toAllNodes } from "../domain/deliveries.ts";
import { bundleScalars, reachScalars } from "../domain/scalars.ts";

/** On every node: the ways out are tried and must fail, the required names must answer. */
export const probeIsolation = defineCommandStep({
  name: "probe-isolation",
  document: "probe-isolation",
  extra: {},
  delivery: toAllNodes,
  parameters: ({ plan }) => ({ ...bundleScalars(plan), ...reachScalars(plan) }),
});

export const { handler } = probeIsolation;

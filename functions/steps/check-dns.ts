import { defineCommandStep } from "../command-step.ts";
import { toAllNodes } from "../domain/deliveries.ts";
import { bundleScalars, reachScalars } from "../domain/scalars.ts";

/** The article's `dig`, on every node: private answers for every endpoint, and the bundle's manifest read through S3's gateway. */
export const checkDns = defineCommandStep({
  name: "check-dns",
  document: "check-dns",
  extra: {},
  delivery: toAllNodes,
  parameters: ({ plan }) => ({ ...bundleScalars(plan), ...reachScalars(plan) }),
});

export const { handler } = checkDns;

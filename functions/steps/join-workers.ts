import { Api, defineCommandStep, Join } from "../command-step.ts";
import { toWorkers } from "../domain/deliveries.ts";
import { joinScalars } from "../domain/scalars.ts";

/** All workers join together. */
export const joinWorkers = defineCommandStep({
  name: "join-workers",
  document: "join",
  extra: { api: Api, join: Join },
  delivery: toWorkers,
  parameters: ({ lock, api, join }) => joinScalars(lock, "worker", api.endpoint, join.caCertHash),
});

export const { handler } = joinWorkers;

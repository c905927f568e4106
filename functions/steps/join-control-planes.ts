import { Api, defineCommandStep, Join } from "../command-step.ts";
import { toControlPlanes } from "../domain/deliveries.ts";
import { joinScalars } from "../domain/scalars.ts";

/** One after another, as etcd takes its members; the first control plane finds that it is one already. */
export const joinControlPlanes = defineCommandStep({
  name: "join-control-planes",
  document: "join",
  extra: { api: Api, join: Join },
  delivery: (input) => ({ ...toControlPlanes(input), concurrency: "1" }),
  parameters: ({ lock, api, join }) => joinScalars(lock, "control-plane", api.endpoint, join.caCertHash),
});

export const { handler } = joinControlPlanes;

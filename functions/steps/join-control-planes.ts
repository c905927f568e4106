import { Api, defineCommandStep, Join } from "../command-step.ts";
import { toJoiningControlPlanes } from "../domain/deliveries.ts";
import { joinScalars } from "../domain/scalars.ts";

/** The other control planes, one after another, as etcd takes its members. */
export const joinControlPlanes = defineCommandStep({
  name: "join-control-planes",
  document: "join",
  extra: { api: Api, join: Join },
  delivery: toJoiningControlPlanes,
  parameters: ({ lock, api, join }) => joinScalars(lock, "control-plane", api.endpoint, join.caCertHash),
});

export const { handler } = joinControlPlanes;

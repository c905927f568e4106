import * as z from "zod";
import { type ApiPort, elbApi } from "../aws/elb-api.ts";
import { Lock } from "../domain/lock.ts";
import { DefectError, NotReadyError } from "../errors.ts";
import { defineStep } from "../step.ts";

/** Looks once whether the API's load balancer is active: before that, its name does not resolve and kubeadm init dies (facts 3.7). */
export const waitForApiEndpoint = defineStep({
  name: "wait-for-api-endpoint",
  mutates: false,
  input: z.strictObject({ lock: Lock }),
  output: z.strictObject({}),
  deps: (aws) => ({ api: elbApi(aws) }),
  async run({ lock }, { api }: { api: ApiPort }, log) {
    const balancer = await api.find(lock);
    if (balancer?.state === "failed")
      throw new DefectError(`AWS failed to make the load balancer ${balancer.name}: ${balancer.reason}`, { arn: balancer.arn });
    if (balancer?.state !== "active")
      throw new NotReadyError(`waiting for the API's load balancer, which is ${balancer?.state ?? "not visible yet"}`);
    log.info("load balancer active", { name: balancer.name });
    return {};
  },
});

export const { handler } = waitForApiEndpoint;

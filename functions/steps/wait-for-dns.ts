import * as z from "zod";
import { ec2Endpoints } from "../aws/ec2-endpoints.ts";
import type { EndpointsPort } from "../aws/ports.ts";
import { type EndpointState, endpointState } from "../domain/endpoint-state.ts";
import { Lock } from "../domain/lock.ts";
import { Plan } from "../domain/plan.ts";
import { DefectError, NotReadyError } from "../errors.ts";
import { defineStep } from "../step.ts";

/**
 * Looks once whether every endpoint is available and, for an interface, has its private name. The resolver inside the VPC can lag
 * behind that answer: the guard on each node and check-dns see to the rest (facts 8.2).
 */
export const waitForDns = defineStep({
  name: "wait-for-dns",
  mutates: false,
  input: z.strictObject({ lock: Lock, plan: Plan }),
  output: z.strictObject({}),
  deps: (aws) => ({ endpoints: ec2Endpoints(aws) }),
  async run({ lock, plan }, { endpoints }: { endpoints: EndpointsPort }, log) {
    const services = [...plan.interfaceEndpoints, "s3"];
    const found = await endpoints.find(lock);
    const states = new Map(services.map((service) => [service, endpointState(found, service, plan.region)]));
    const those = (wanted: EndpointState) => services.filter((service) => states.get(service) === wanted);

    const failed = those("failed");
    if (failed.length > 0)
      throw new DefectError(`AWS failed to make the endpoint of ${failed.join(", ")}: build again`, { failed });
    const waiting = [...those("missing"), ...those("waiting")];
    if (waiting.length > 0) {
      const ready = `${services.length - waiting.length} of ${services.length} endpoints answer`;
      throw new NotReadyError(`${ready}; waiting for ${waiting.join(", ")}`, { waiting });
    }
    log.info("every endpoint answers", { services });
    return {};
  },
});

export const { handler } = waitForDns;

import * as z from "zod";
import { ec2Inspection, type InspectionPort } from "../aws/ec2-inspection.ts";
import { ec2Network } from "../aws/ec2-network.ts";
import { type ParametersPort, ssmParameters } from "../aws/parameters.ts";
import type { NetworkPort } from "../aws/ports.ts";
import { type EvidencePort, s3Evidence } from "../aws/s3-evidence.ts";
import { type CommandOutput, type CommandsPort, ssmCommands } from "../aws/ssm-commands.ts";
import { SentCommand } from "../command-step.ts";
import { certify, type NodeProbe } from "../domain/certificate.ts";
import { ClusterRequest } from "../domain/cluster-request.ts";
import { parseOutput } from "../domain/command-output.ts";
import { documents } from "../domain/documents.ts";
import { endpointService } from "../domain/endpoint-hosts.ts";
import { CertificateRef, clusterId, Lock } from "../domain/lock.ts";
import { Plan } from "../domain/plan.ts";
import { DefectError, NotIsolatedError } from "../errors.ts";
import { defineStep } from "../step.ts";

interface Deps {
  readonly network: Pick<NetworkPort, "findVpcs">;
  readonly inspection: InspectionPort;
  readonly commands: Pick<CommandsPort, "outputs">;
  readonly parameters: Pick<ParametersPort, "names">;
  readonly evidence: EvidencePort;
  now(): Date;
}

const toProbe = ({ instanceId, output }: CommandOutput): NodeProbe => ({
  instanceId,
  ...documents["probe-isolation"].output.parse(parseOutput("probe-isolation", output)),
});

/** Joins the account's own view with what the nodes found, and writes the certificate, also when it says no. */
export const certifyIsolation = defineStep({
  name: "certify-isolation",
  mutates: true,
  input: z.strictObject({ lock: Lock, request: ClusterRequest, plan: Plan, probe: SentCommand }),
  output: CertificateRef,
  deps: (aws): Deps => ({
    network: ec2Network(aws),
    inspection: ec2Inspection(aws),
    commands: ssmCommands(aws),
    parameters: ssmParameters(aws),
    evidence: s3Evidence(aws),
    now: aws.now,
  }),
  async run({ lock, request, plan, probe }, { network, inspection, commands, parameters, evidence, now }: Deps, log) {
    const [vpcId, second] = await network.findVpcs(lock);
    if (vpcId === undefined || second !== undefined)
      throw new DefectError(`${clusterId(lock)} has ${vpcId === undefined ? "no VPC" : "more than one VPC"} to certify`);
    const [view, outputs, names] = await Promise.all([
      inspection.view(vpcId, endpointService("s3", plan.region)),
      commands.outputs(probe.commandId),
      parameters.names(lock.cluster, lock.generation),
    ]);
    const probes = outputs.map(toProbe);
    const certificate = certify({ lock, request, plan, view, probes, parameters: names, issuedAt: now() });
    const { key, sha256 } = await evidence.write(lock, "certificate", certificate);
    const failed = certificate.checks.filter(({ passed }) => !passed);
    if (failed.length > 0) {
      const said = failed.map(({ name, evidence: seen }) => `${name} (${seen})`).join("; ");
      throw new NotIsolatedError(`${clusterId(lock)} is not isolated: ${said}`, { failed: failed.map(({ name }) => name), key });
    }
    log.info("certificate written", { key, sha256, checks: certificate.checks.length });
    return { key, sha256, isolated: certificate.isolated };
  },
});

export const { handler } = certifyIsolation;

import { setTimeout as pause } from "node:timers/promises";
import { RegisterImageCommand } from "@aws-sdk/client-ec2";
import { CreateBucketCommand, PutBucketVersioningCommand } from "@aws-sdk/client-s3";
import { CreateStateMachineCommand } from "@aws-sdk/client-sfn";
import type { Aws } from "../../functions/aws/aws.ts";
import { awsClients } from "../../functions/aws/clients.ts";
import { World } from "../../rehearsal/world/world.ts";
import type { Moto } from "./moto.ts";

/** One AWS that a story is told to: real clients, and what stands there before the story begins. */
export interface Site extends Omit<Aws, "deployment" | "now"> {
  readonly image: string;
  readonly machine: string;
  /** Lets time pass where time is virtual; what is real needs a moment at most. */
  pass(seconds: number): Promise<void>;
}

export const bucket = "wire-bucket";
export const profile = "wire-node";
export const region = "us-west-2";
const imageName = "wire-image";
const machineName = "wire-machine";
const definition = JSON.stringify({ StartAt: "Only", States: { Only: { Type: "Pass", Result: { done: true }, End: true } } });

function clients(endpoint?: string) {
  const config = {
    region,
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    // A 500 of moto's is a path that it has not written: it is to be seen, not tried again.
    maxAttempts: 1,
    ...(endpoint === undefined ? {} : { endpoint }),
  };
  return awsClients(config, { forcePathStyle: true });
}

/** moto over HTTP, furnished by its own calls. */
export async function motoSite(moto: Moto): Promise<Site> {
  const site = clients(moto.endpoint);
  await moto.iam("CreateInstanceProfile", { InstanceProfileName: profile });
  await site.s3.send(new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration: { LocationConstraint: region } }));
  await site.s3.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: "Enabled" } }));
  const root = { DeviceName: "/dev/sda1", Ebs: { VolumeSize: 8, VolumeType: "gp3" as const } };
  const { ImageId } = await site.ec2.send(
    new RegisterImageCommand({
      Name: imageName,
      Architecture: "x86_64",
      RootDeviceName: "/dev/sda1",
      BlockDeviceMappings: [root],
    }),
  );
  const roleArn = "arn:aws:iam::123456789012:role/machine";
  const { stateMachineArn } = await site.sfn.send(new CreateStateMachineCommand({ name: machineName, definition, roleArn }));
  return { ...site, image: ImageId ?? "", machine: stateMachineArn ?? "", pass: () => pause(20) };
}

/** The virtual world; its clock runs only inside `run`. */
export function worldSite(): { readonly site: Site; run<T>(work: Promise<T>): Promise<T> } {
  const world = new World({ seed: 1, region });
  const { clock } = world.universe;
  const site = clients();
  for (const name of ["ec2", "elb", "elbClassic", "ssm", "s3", "sfn", "quotas", "events"] as const)
    world.door.bind(site[name], name, { kind: "harness" });
  const image = "ami-0123456789abcdef0";
  world.ec2.seedProfile(profile, profile);
  world.ec2.seedImage({ id: image, name: imageName, architecture: "x86_64", tags: {} });
  world.nodes.images.set(image, {
    kubernetes: "1.36.3",
    containerd: "2.3.4",
    agentVersion: "3.3.3050.0",
    sandboxImage: "registry.k8s.io/pause:3.10.2",
    preloaded: [],
    kubeadmImages: [],
    trustStore: "debian",
    isAuthorityPrivate: false,
    hasCrictlConfig: true,
    isAgentEnabled: false,
  });
  world.s3.addBucket(bucket);
  world.stepFunctions.addMachine(machineName, definition);
  const machine = world.stepFunctions.machineArn(machineName);
  return { site: { ...site, image, machine, pass: (seconds) => clock.sleep(seconds) }, run: (work) => clock.run(work) };
}

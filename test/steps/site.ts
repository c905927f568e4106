import { EC2Client } from "@aws-sdk/client-ec2";
import { ElasticLoadBalancingClient } from "@aws-sdk/client-elastic-load-balancing";
import { ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { S3Client } from "@aws-sdk/client-s3";
import { ServiceQuotasClient } from "@aws-sdk/client-service-quotas";
import { SFNClient } from "@aws-sdk/client-sfn";
import { SSMClient } from "@aws-sdk/client-ssm";
import type { Aws } from "../../functions/aws/aws.ts";
import { decide } from "../../functions/domain/cluster-record.ts";
import { Chance } from "../../rehearsal/world/chance.ts";
import { SimClock } from "../../rehearsal/world/clock.ts";
import { Door } from "../../rehearsal/world/door.ts";
import { Ec2 } from "../../rehearsal/world/ec2/ec2.ts";
import { Elbv2 } from "../../rehearsal/world/elbv2.ts";
import type { FaultRule } from "../../rehearsal/world/fault-rule.ts";
import { S3 } from "../../rehearsal/world/s3.ts";
import type { Service } from "../../rehearsal/world/service.ts";
import { planned } from "../domain/built.ts";

const region = "us-west-2";
const account = "111122223333";
export const execution = `arn:aws:states:${region}:${account}:execution:build-cluster:one`;

interface Options {
  readonly controlPlanes?: number;
  readonly workers?: number;
  readonly zones?: number;
  readonly publicSubnets?: boolean;
  readonly faults?: readonly Partial<FaultRule>[];
  readonly lagSeconds?: number;
  readonly seed?: number;
}

interface Step {
  execute(event: unknown, aws: Aws, log: never): Promise<unknown>;
}

const client = { region, credentials: { accessKeyId: "none", secretAccessKey: "none" } };
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

/** A virtual account with the record that acquire-lock would have written, in which single steps can be tried. */
export function site(options: Options = {}) {
  const { controlPlanes = 1, workers = 2, zones = 2, publicSubnets = false, seed = 1 } = options;
  const clock = new SimClock("2026-11-24T08:00:00Z");
  const universe = { clock, chance: new Chance(seed), region, account };
  const ec2 = new Ec2(universe, { reads: { lagSeconds: options.lagSeconds ?? 0 } });
  const elb = new Elbv2(universe, ec2);
  const s3 = new S3(() => clock.now());
  s3.addBucket("deployment");
  ec2.seedImage({ id: "ami-0123456789abcdef0", name: "node", architecture: "x86_64", tags: {} });
  ec2.seedProfile("control-plane-profile", "control-plane-role");
  ec2.seedProfile("worker-profile", "worker-role");
  // Its parts are made at one instant, which a world with lag refuses.
  if (options.lagSeconds === undefined) ec2.seedForeignVpc("10.99.0.0/16");

  const { request, plan } = planned(controlPlanes, workers, zones, publicSubnets);
  const circumstances = { who: execution as never, now: new Date(clock.now()), holders: new Map() };
  const acquired = decide(null, { kind: "acquire", name: request.name, asked: {}, request, parent: null }, circumstances);
  if (!("answer" in acquired)) throw acquired.refusal;
  s3.put("deployment", "clusters/orchid/record.json", JSON.stringify(acquired.record));

  const faults = (options.faults ?? []).map((rule) => ({ operation: "", code: "", nth: 1, after: false, ...rule }));
  const door = new Door(clock, universe.chance, [ec2, elb, s3] as Service[], faults);
  const caller = { kind: "function", step: "test", state: "Test", execution } as const;
  const aws: Aws = {
    ec2: door.bind(new EC2Client(client), "ec2", caller),
    elb: door.bind(new ElasticLoadBalancingV2Client(client), "elb", caller),
    elbClassic: door.bind(new ElasticLoadBalancingClient(client), "elbClassic", caller),
    ssm: door.bind(new SSMClient(client), "ssm", caller),
    s3: door.bind(new S3Client(client), "s3", caller),
    sfn: door.bind(new SFNClient(client), "sfn", caller),
    quotas: door.bind(new ServiceQuotasClient(client), "quotas", caller),
    events: door.bind(new EventBridgeClient(client), "events", caller),
    deployment: {
      region,
      account,
      bucket: "deployment",
      controlPlaneProfile: "control-plane-profile",
      workerProfile: "worker-profile",
      trustedImageOwners: [],
      defaultImageParameter: "/cloister/default/ami",
      defaultBundleParameter: "/cloister/default/bundle",
    },
    now: () => new Date(clock.now()),
  };
  const input = { lock: acquired.answer, request, plan };
  return {
    clock,
    ec2,
    elb,
    s3,
    door,
    ...input,
    /** One attempt, with lock, request, plan and what else the state gives. */
    run: <T = unknown>(step: Step, more: object = {}): Promise<T> =>
      clock.run(step.execute({ ...input, ...more }, aws, quiet as never) as Promise<T>),
    /** One attempt with exactly this input. */
    runBare: (step: Step, event: object): Promise<unknown> => clock.run(step.execute(event, aws, quiet as never)),
    wait: (seconds: number) => clock.run(clock.sleep(seconds)),
    /** How many there are of each type that carry our tag. */
    owned: (): Record<string, number> => {
      const ours = ec2.inventory().filter(({ tags }) => tags["cloister:cluster"] === "orchid");
      const counts: Record<string, number> = {};
      for (const { type } of ours) counts[type] = (counts[type] ?? 0) + 1;
      return counts;
    },
  };
}

/** Attempts as the state's Retry on TransientError makes them. */
export async function retried<T>(at: ReturnType<typeof site>, step: Step, more: object = {}, attemptsMax = 6): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await at.run<T>(step, more);
    } catch (error) {
      if ((error as Error).name !== "TransientError" || attempt >= attemptsMax) throw error;
      await at.wait(2 ** attempt);
    }
  }
}

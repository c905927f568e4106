import type { HistoryEvent } from "./asl/history.ts";
import { StepFunctions } from "./asl/step-functions.ts";
import { Chance } from "./chance.ts";
import { SimClock } from "./clock.ts";
import { Door } from "./door.ts";
import { Ec2 } from "./ec2/ec2.ts";
import { ElbClassic } from "./elb-classic.ts";
import { Elbv2 } from "./elbv2.ts";
import { EventBridge } from "./event-bridge.ts";
import { VpcFabric } from "./fabric.ts";
import type { FaultRule } from "./fault-rule.ts";
import { NodeAws } from "./node/aws-access.ts";
import { Nodes } from "./node/nodes.ts";
import type { Shipped } from "./node/quick/quick-shell.ts";
import type { Things } from "./node/requirements.ts";
import { ServiceQuotas } from "./quotas.ts";
import { S3 } from "./s3.ts";
import type { InventoryItem, Universe } from "./service.ts";
import { SfnApi } from "./sfn.ts";
import { Ssm } from "./ssm/ssm.ts";

export interface WorldOptions {
  readonly seed: number;
  readonly faults?: readonly FaultRule[];
  readonly region?: string;
  /** How nodes run their scripts: word for word, or by the transliterations of node/quick, which say and do the same in a fraction of the time. */
  readonly scripts?: "interpreted" | "quick";
  /** What quick nodes have to know. */
  readonly shipped?: Shipped;
}

function quickly(scripts: WorldOptions["scripts"], shipped: Shipped | undefined): Shipped | null {
  if (scripts !== "quick") return null;
  if (shipped === undefined) throw new RangeError("quick scripts need to be told what is shipped");
  return shipped;
}

/** The virtual AWS: its services, its machines, its clock, and the one door to it all. */
export class World {
  readonly universe: Universe;
  readonly ec2: Ec2;
  readonly elb: Elbv2;
  readonly elbClassic: ElbClassic;
  readonly ssm: Ssm;
  readonly s3: S3;
  readonly events: EventBridge;
  readonly quotas = new ServiceQuotas();
  readonly stepFunctions: StepFunctions;
  readonly nodes: Nodes;
  readonly fabric: VpcFabric;
  readonly aws: NodeAws;
  readonly door: Door;

  constructor(
    { seed, faults = [], region = "us-west-2", scripts = "interpreted", shipped }: WorldOptions,
    onEvent: (event: HistoryEvent) => void = () => {},
  ) {
    const clock = new SimClock("2026-11-24T06:00:00Z");
    this.universe = { clock, chance: new Chance(seed), region, account: "111122223333" };
    this.ec2 = new Ec2(this.universe);
    this.elb = new Elbv2(this.universe, this.ec2);
    this.elbClassic = new ElbClassic(this.universe, this.ec2);
    this.ssm = new Ssm(this.universe);
    this.s3 = new S3(() => clock.now());
    this.events = new EventBridge(this.universe);
    this.stepFunctions = new StepFunctions(this.universe, onEvent);
    this.nodes = new Nodes(this.universe, {
      ec2: this.ec2,
      ssm: this.ssm,
      s3: this.s3,
      quick: quickly(scripts, shipped),
      fabric: () => this.fabric,
      aws: () => this.aws,
    });
    this.fabric = new VpcFabric(this.ec2, this.elb, this.nodes);
    this.aws = new NodeAws(this.universe, this.ec2, this.fabric, this.#things(), () => this.door);
    const services = [
      this.ec2,
      this.elb,
      this.elbClassic,
      this.ssm,
      this.s3,
      this.quotas,
      this.events,
      new SfnApi(this.stepFunctions),
    ];
    this.door = new Door(clock, this.universe.chance, services, faults);
  }

  /** What IAM knows of the things that calls name. */
  #things(): Things {
    const { instances, volumes, groups } = this.ec2.state;
    const { loadBalancers, targetGroups, listeners } = this.elb;
    const shelves: readonly ((id: string) => { readonly tags: ReadonlyMap<string, string> } | undefined)[] = [
      ...[instances, volumes, groups].map((shelf) => (id: string) => shelf.find(id)),
      ...[loadBalancers, targetGroups, listeners].map((things) => (arn: string) => things.get(arn)),
    ];
    return {
      tagsOf: (id) => shelves.map((find) => find(id)).find((found) => found !== undefined)?.tags ?? new Map(),
      vpcOf: (groupId) => groups.find(groupId)?.vpcId ?? "",
    };
  }

  /** Everything that exists, over all services. */
  inventory(): InventoryItem[] {
    return [this.ec2, this.elb, this.elbClassic, this.ssm, this.s3].flatMap((service) => service.inventory());
  }
}

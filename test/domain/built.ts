import { type AccountView, type WayOut, wayOutKinds } from "../../functions/domain/account-view.ts";
import type { Evidence, NodeProbe } from "../../functions/domain/certificate.ts";
import { ClusterRequest } from "../../functions/domain/cluster-request.ts";
import { endpointService } from "../../functions/domain/endpoint-hosts.ts";
import { interfaceEndpointPolicy, s3GatewayPolicy } from "../../functions/domain/endpoint-policies.ts";
import { Lock } from "../../functions/domain/lock.ts";
import { planControlPlanes, planZones } from "../../functions/domain/network-plan.ts";
import { Plan } from "../../functions/domain/plan.ts";

export const zoneNames = ["us-west-2a", "us-west-2b", "us-west-2c"];

export const lock = Lock.parse({
  cluster: "orchid",
  generation: 3,
  number: 7,
  execution: "arn:aws:states:us-west-2:111122223333:execution:build-cluster:one",
  since: "2026-11-24T08:00:00.000Z",
  origin: "new",
  certificate: null,
});

/** A request with so many nodes, and the plan that validate-request would make of it. */
export function planned(controlPlanes: number, workers: number, zones = 2, publicSubnets = false) {
  const request = ClusterRequest.parse({
    name: "orchid",
    network: { zones, publicSubnets },
    controlPlane: { count: controlPlanes },
    workers: { count: workers },
  });
  const zonePlans = planZones(request, zoneNames.slice(0, zones));
  const planes = planControlPlanes(request, zonePlans, "us-west-2");
  const plan = Plan.parse({
    region: "us-west-2",
    account: "111122223333",
    vpcCidr: request.network.vpcCidr,
    zones: zonePlans,
    controlPlanes: planes,
    apiEndpoint: controlPlanes === 1 ? `${planes[0]?.nodeName}:6443` : null,
    interfaceEndpoints: ["ec2", "elasticloadbalancing", "ssm", "ssmmessages"],
    image: { id: "ami-0123456789abcdef0", architecture: "amd64", rootDeviceName: "/dev/sda1" },
    bundle: { bucket: "bundles", key: "1.36.3/bundle.json", sha256: "0".repeat(64) },
  });
  return { request, plan };
}

const nothing = Object.fromEntries(wayOutKinds.map((kind) => [kind, []])) as unknown as Record<WayOut, string[]>;

/** Everything that a certificate rests on, for a cluster of one control plane and two workers that is isolated. */
export function isolated(): Evidence {
  const { request, plan } = planned(1, 2);
  const ids = ["i-00000000000000001", "i-00000000000000002", "i-00000000000000003"];
  const shorts = plan.interfaceEndpoints;
  const endpoint = { state: "available", hasPrivateDns: true, type: "interface" as const };
  const view: AccountView = {
    addresses6: [],
    subnets: plan.zones.map(({ privateCidr }, index) => ({
      subnetId: `subnet-${index}`,
      cidr: privateCidr,
      givesPublicAddress: false,
    })),
    routeTables: [
      { routeTableId: "rtb-main", isMain: true, subnetIds: [], routes: [{ destination: plan.vpcCidr, target: "local" }] },
      {
        routeTableId: "rtb-private",
        isMain: false,
        subnetIds: ["subnet-0", "subnet-1"],
        routes: [
          { destination: plan.vpcCidr, target: "local" },
          { destination: "pl-s3", target: "vpce-s3" },
        ],
      },
    ],
    waysOut: nothing,
    interfaces: ids.map((id) => ({ interfaceId: `eni-${id}`, subnetId: "subnet-0", publicAddresses: [], addresses6: [] })),
    groups: [
      {
        groupId: "sg-nodes",
        ingress: [
          { traffic: "tcp 10250", peer: "sg-nodes" },
          // A Service's, for its clients and for its load balancer's health checks.
          { traffic: "tcp 30080", peer: plan.vpcCidr },
          ...plan.zones.map(({ privateCidr }) => ({ traffic: "tcp 30080", peer: privateCidr })),
        ],
        egress: [
          { traffic: "all traffic", peer: plan.vpcCidr },
          { traffic: "tcp 443", peer: "pl-s3" },
        ],
      },
      // The VPC's default group lets everything out, and nobody stands in it.
      { groupId: "sg-default", ingress: [], egress: [{ traffic: "all traffic", peer: "0.0.0.0/0" }] },
    ],
    s3PrefixList: "pl-s3",
    endpoints: [
      ...shorts.map((short) => ({
        ...endpoint,
        service: endpointService(short, plan.region),
        policy: JSON.stringify(interfaceEndpointPolicy(short, lock, plan)),
      })),
      {
        ...endpoint,
        service: endpointService("s3", plan.region),
        type: "gateway",
        hasPrivateDns: false,
        policy: JSON.stringify(s3GatewayPolicy(lock, plan)),
      },
    ],
    instances: ids.map((instanceId) => ({
      instanceId,
      imageId: plan.image.id,
      subnetId: "subnet-0",
      groupIds: ["sg-nodes"],
      tokenRequired: true,
      hopLimit: 1,
    })),
  };
  const probes: NodeProbe[] = ids.map((instanceId) => ({
    instanceId,
    egressBlocked: true,
    namesAnswer: true,
    metadataTokenRequired: true,
    concessions: [],
  }));
  return { lock, request, plan, view, probes, parameters: [], issuedAt: new Date("2026-11-24T09:00:00Z") };
}

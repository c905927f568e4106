import type * as sdk from "@aws-sdk/client-elastic-load-balancing-v2";
import type { Elbv2 } from "./elbv2.ts";
import type { Listener, Target, TargetGroup } from "./elbv2-model.ts";
import { asList, asMap, change } from "./elbv2-tags.ts";
import { fault } from "./fault.ts";
import { type Operations, reads, writes } from "./operation.ts";
import { SimulationGap } from "./service.ts";

function group(elb: Elbv2, arn: string | undefined): TargetGroup {
  const found = elb.targetGroups.get(arn ?? "");
  if (found === undefined) throw fault("elb", "TargetGroupNotFoundException", `Target group '${arn}' not found`);
  return found;
}

const users = (elb: Elbv2, arn: string) =>
  [...elb.listeners.values()]
    .filter(({ targetGroupArn }) => targetGroupArn === arn)
    .map(({ loadBalancerArn }) => loadBalancerArn);

const shown = (elb: Elbv2, one: TargetGroup) => ({
  TargetGroupArn: one.arn,
  TargetGroupName: one.name,
  Protocol: "TCP",
  Port: one.port,
  VpcId: one.vpcId,
  TargetType: one.targetType,
  IpAddressType: "ipv4",
  HealthCheckProtocol: one.health.protocol,
  ...(one.health.protocol === "HTTPS" && { HealthCheckPath: one.health.path, Matcher: { HttpCode: "200-399" } }),
  HealthCheckPort: one.health.port === one.port ? "traffic-port" : String(one.health.port),
  HealthCheckEnabled: true,
  HealthCheckIntervalSeconds: one.health.intervalSeconds,
  HealthCheckTimeoutSeconds: one.health.timeoutSeconds,
  HealthyThresholdCount: one.health.healthy,
  UnhealthyThresholdCount: one.health.unhealthy,
  LoadBalancerArns: users(elb, one.arn),
});

function create(elb: Elbv2, input: sdk.CreateTargetGroupCommandInput): TargetGroup {
  const { Name: name = "", Port: port = 0, VpcId: vpcId = "", TargetType: targetType = "instance" } = input;
  if (input.Protocol !== "TCP" || (targetType !== "ip" && targetType !== "instance"))
    throw fault(
      "elb",
      "InvalidConfigurationRequestException",
      "The virtual account has TCP groups of addresses or instances only",
    );
  if (elb.ec2.state.vpcs.find(vpcId) === undefined) throw fault("elb", "ValidationError", `The VPC ID '${vpcId}' is not found`);
  // For TCP the two may be equal (aws-cdk#16446); ten seconds when nobody says (aws-cdk#26023).
  const { HealthCheckIntervalSeconds: interval = 30, HealthCheckTimeoutSeconds: timeout = 10 } = input;
  if (timeout > interval)
    throw fault(
      "elb",
      "ValidationError",
      `Health check timeout '${timeout}' must be smaller than or equal to the interval '${interval}'`,
    );
  const { HealthCheckProtocol: protocol = "TCP", HealthCheckPath: path = "/" } = input;
  if (protocol !== "TCP" && protocol !== "HTTPS") throw new SimulationGap(`a health check by ${protocol} is not modelled`);
  const twin = [...elb.targetGroups.values()].find((other) => other.name === name);
  if (twin !== undefined) {
    if (twin.port === port && twin.vpcId === vpcId && twin.targetType === targetType) return twin;
    throw fault("elb", "DuplicateTargetGroupNameException", `A target group with the name '${name}' exists already`);
  }
  const made: TargetGroup = {
    arn: elb.newArn("targetgroup", name),
    name,
    vpcId,
    targetType,
    port,
    // AWS's defaults: facts 3.7.
    health: {
      protocol,
      path,
      intervalSeconds: interval,
      timeoutSeconds: timeout,
      healthy: input.HealthyThresholdCount ?? 5,
      unhealthy: input.UnhealthyThresholdCount ?? 2,
      port:
        input.HealthCheckPort === undefined || input.HealthCheckPort === "traffic-port" ? port : Number(input.HealthCheckPort),
    },
    tags: asMap(input.Tags),
    attributes: new Map([
      // On for instances; off for addresses with TCP (facts 3.7).
      ["preserve_client_ip.enabled", String(targetType === "instance")],
      ["deregistration_delay.timeout_seconds", "300"],
      ["deregistration_delay.connection_termination.enabled", "false"],
      ["target_health_state.unhealthy.connection_termination.enabled", "true"],
      ["target_health_state.unhealthy.draining_interval_seconds", "0"],
      ["load_balancing.cross_zone.enabled", "use_load_balancer_configuration"],
      ["proxy_protocol_v2.enabled", "false"],
      ["stickiness.enabled", "false"],
      ["stickiness.type", "source_ip"],
    ]),
    targets: new Map(),
  };
  elb.targetGroups.set(made.arn, made);
  return made;
}

/** A world in which nothing else happens must come to an end, so nobody checks for longer than a day. */
const dayMs = 24 * 3600 * 1000;

/** One round of checks, and the next one after it, for as long as the target is registered. */
function check(elb: Elbv2, owner: TargetGroup, target: Target): void {
  if (elb.universe.clock.now() > target.since + dayMs) return;
  elb.universe.clock.after(owner.health.intervalSeconds, () => {
    if (owner.targets.get(`${target.id}:${target.port}`) !== target) return;
    const port = owner.health.port === owner.port ? target.port : owner.health.port;
    const answers = users(elb, owner.arn).some((arn) => {
      const front = elb.loadBalancers.get(arn);
      return front?.state === "active" && elb.probe(front, target.id, port, owner.health);
    });
    const verdict = answers ? "healthy" : "unhealthy";
    target.streak = target.state === verdict ? 0 : target.streak + 1;
    if (target.streak >= (answers ? owner.health.healthy : owner.health.unhealthy)) {
      target.state = verdict;
      target.streak = 0;
    }
    check(elb, owner, target);
  });
}

function register(elb: Elbv2, input: sdk.RegisterTargetsCommandInput): object {
  const owner = group(elb, input.TargetGroupArn);
  for (const { Id: id = "", Port } of input.Targets ?? []) {
    const isAddress = /^\d+\.\d+\.\d+\.\d+$/.test(id);
    if (isAddress !== (owner.targetType === "ip"))
      throw fault("elb", "InvalidTargetException", `'${id}' is not of type ${owner.targetType}`);
    const port = Port ?? owner.port;
    if (owner.targets.has(`${id}:${port}`)) continue;
    const target: Target = { id, port, state: "initial", streak: 0, since: elb.universe.clock.now() };
    owner.targets.set(`${id}:${port}`, target);
    check(elb, owner, target);
  }
  return {};
}

function groups(elb: Elbv2, input: sdk.DescribeTargetGroupsCommandInput): object {
  const all = [...elb.targetGroups.values()];
  const missing = [
    ...(input.Names ?? []).filter((name) => !all.some((one) => one.name === name)),
    ...(input.TargetGroupArns ?? []).filter((arn) => !elb.targetGroups.has(arn)),
  ];
  if (missing.length > 0) throw fault("elb", "TargetGroupNotFoundException", `Target groups '[${missing.join()}]' not found`);
  const found = all.filter(
    ({ name, arn }) =>
      (input.Names?.includes(name) ?? true) &&
      (input.TargetGroupArns?.includes(arn) ?? true) &&
      (input.LoadBalancerArn === undefined || users(elb, arn).includes(input.LoadBalancerArn)),
  );
  return { TargetGroups: found.map((one) => shown(elb, one)) };
}

const listenerShown = (one: Listener) => ({
  ListenerArn: one.arn,
  LoadBalancerArn: one.loadBalancerArn,
  Port: one.port,
  Protocol: "TCP",
  DefaultActions: [{ Type: "forward", TargetGroupArn: one.targetGroupArn }],
});

function listen(elb: Elbv2, input: sdk.CreateListenerCommandInput): Listener {
  const front = elb.loadBalancer(input.LoadBalancerArn);
  const targetGroupArn = group(elb, input.DefaultActions?.[0]?.TargetGroupArn).arn;
  const port = input.Port ?? 0;
  const twin = [...elb.listeners.values()].find((other) => other.loadBalancerArn === front.arn && other.port === port);
  if (twin?.targetGroupArn === targetGroupArn) return twin;
  if (twin !== undefined) throw fault("elb", "DuplicateListenerException", "A listener already exists on this port");
  const path = front.arn.split(":loadbalancer/").at(-1) ?? "";
  const arn = elb.newArn("listener", `${path}/${port}`);
  const made = { arn, loadBalancerArn: front.arn, port, targetGroupArn, tags: asMap(input.Tags) };
  elb.listeners.set(arn, made);
  return made;
}

const listenerOperations = (elb: Elbv2): Operations => ({
  CreateListener: writes<sdk.CreateListenerCommandInput>(
    ["LoadBalancerArn", "Protocol", "Port", "DefaultActions", "Tags"],
    (input) => ({ Listeners: [listenerShown(listen(elb, input))] }),
  ),
  DescribeListeners: reads<sdk.DescribeListenersCommandInput>(
    ["LoadBalancerArn", "ListenerArns", "Marker", "PageSize"],
    (input) => {
      if (input.LoadBalancerArn !== undefined) elb.loadBalancer(input.LoadBalancerArn);
      const found = [...elb.listeners.values()].filter(
        ({ arn, loadBalancerArn }) =>
          (input.LoadBalancerArn ?? loadBalancerArn) === loadBalancerArn && (input.ListenerArns?.includes(arn) ?? true),
      );
      return { Listeners: found.map(listenerShown) };
    },
  ),
  DeleteListener: writes<sdk.DeleteListenerCommandInput>(["ListenerArn"], ({ ListenerArn = "" }) => {
    if (!elb.listeners.delete(ListenerArn))
      throw fault("elb", "ListenerNotFoundException", `Listener '${ListenerArn}' not found`);
    return {};
  }),
});

export const targetOperations = (elb: Elbv2): Operations => ({
  ...listenerOperations(elb),
  CreateTargetGroup: writes<sdk.CreateTargetGroupCommandInput>(
    [
      "Name",
      "Protocol",
      "Port",
      "VpcId",
      "TargetType",
      "HealthCheckProtocol",
      "HealthCheckPath",
      "HealthCheckPort",
      "HealthCheckEnabled",
      "HealthCheckIntervalSeconds",
      "HealthCheckTimeoutSeconds",
      "HealthyThresholdCount",
      "UnhealthyThresholdCount",
      "Tags",
    ],
    (input) => ({ TargetGroups: [shown(elb, create(elb, input))] }),
  ),
  DescribeTargetGroups: reads<sdk.DescribeTargetGroupsCommandInput>(
    ["Names", "TargetGroupArns", "LoadBalancerArn", "Marker", "PageSize"],
    (input) => groups(elb, input),
  ),
  ModifyTargetGroupAttributes: writes<sdk.ModifyTargetGroupAttributesCommandInput>(["TargetGroupArn", "Attributes"], (input) => {
    const { attributes } = group(elb, input.TargetGroupArn);
    change(attributes, input.Attributes ?? []);
    return { Attributes: asList(attributes) };
  }),
  DescribeTargetGroupAttributes: reads<sdk.DescribeTargetGroupAttributesCommandInput>(["TargetGroupArn"], (input) => ({
    Attributes: asList(group(elb, input.TargetGroupArn).attributes),
  })),
  RegisterTargets: writes<sdk.RegisterTargetsCommandInput>(["TargetGroupArn", "Targets"], (input) => register(elb, input)),
  DeregisterTargets: writes<sdk.DeregisterTargetsCommandInput>(["TargetGroupArn", "Targets"], (input) => {
    const owner = group(elb, input.TargetGroupArn);
    for (const { Id, Port } of input.Targets ?? []) owner.targets.delete(`${Id}:${Port ?? owner.port}`);
    return {};
  }),
  DescribeTargetHealth: reads<sdk.DescribeTargetHealthCommandInput>(["TargetGroupArn"], (input) => {
    const owner = group(elb, input.TargetGroupArn);
    const TargetHealthDescriptions = [...owner.targets.values()].map(({ id, port, state }) => ({
      Target: { Id: id, Port: port },
      HealthCheckPort: String(owner.health.port),
      TargetHealth: { State: users(elb, owner.arn).length === 0 ? "unused" : state },
    }));
    return { TargetHealthDescriptions };
  }),
  DeleteTargetGroup: writes<sdk.DeleteTargetGroupCommandInput>(["TargetGroupArn"], ({ TargetGroupArn = "" }) => {
    if (users(elb, TargetGroupArn).length > 0)
      throw fault("elb", "ResourceInUseException", `Target group '${TargetGroupArn}' is currently in use by a listener`);
    elb.targetGroups.delete(TargetGroupArn);
    return {};
  }),
});

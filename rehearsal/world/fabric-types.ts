/** How packets and names travel in the virtual VPC. Causes only: route tables, security groups, endpoints, DNS attributes, listeners. */
export interface Fabric {
  /**
   * What the VPC's resolver answers this instance: an endpoint's private addresses, a node's own address, a load balancer's;
   * a public address from 203.0.113.0/24 for any other public name (DNS works even where packets do not); none when DNS is off.
   */
  resolve(instanceId: string, name: string): readonly string[];
  /** One attempt to connect. `timeout`: dropped on the way. `refused`: it got there and nobody listens. */
  connect(instanceId: string, address: string, port: number, protocol?: "tcp" | "udp"): "open" | "timeout" | "refused";
  /** The endpoint by which a call from this instance to this service (`ssm`, `s3`, ...) would leave, or null when it would not get there. */
  endpointFor(instanceId: string, service: string): { readonly endpointId: string; readonly policy: string } | null;
}

/** What the fabric asks of whatever runs on instances. */
export interface Listeners {
  listens(instanceId: string, port: number, protocol: "tcp" | "udp"): boolean;
  /** Whether what listens there answers a GET over TLS, by nobody in particular, with 200. */
  isWell(instanceId: string, port: number, path: string): boolean;
}

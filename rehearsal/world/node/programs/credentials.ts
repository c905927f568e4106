import type { Universe } from "../../service.ts";
import type { Cluster } from "../cluster.ts";
import type { VirtualNode } from "../node.ts";
import { certificate, readCertificate } from "./x509.ts";

const secrets = new WeakMap<Universe, Set<string>>();

/** Every secret that came into being in this universe: what an auditor looks for where it must not be. */
export function secretsOf(universe: Universe): Set<string> {
  const known = secrets.get(universe) ?? new Set();
  secrets.set(universe, known);
  return known;
}

/** Seeded hexadecimal digits; digits of a token's alphabet, too. */
export function randomHex(node: VirtualNode, purpose: string, length: number): string {
  let text = "";
  for (let word = 0; text.length < length; word++) {
    text += Math.floor(node.universe.chance.uniform(`${purpose}/${node.subject}/${node.universe.clock.now()}/${word}`) * 2 ** 32)
      .toString(16)
      .padStart(8, "0");
  }
  const made = text.slice(0, length);
  if (length >= 16) secretsOf(node.universe).add(made);
  return made;
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");

export interface User {
  readonly name: string;
  readonly organizations: readonly string[];
}

/** The group that may do everything; kubeadm binds it since 1.29 (facts 3.8). */
const administrators = "kubeadm:cluster-admins";
export const administrator: User = { name: "kubernetes-admin", organizations: [administrators] };

/** Whether the client certificate in a kubeconfig names the administrators' group. */
export function isAdministrator(text: string): boolean {
  const [, data = ""] = /client-certificate-data: (\S+)/.exec(text) ?? [];
  const subject = readCertificate(Buffer.from(data, "base64").toString())?.subject ?? "";
  return subject.split("\n").includes(`O=${administrators}`);
}

/** A kubeconfig as kubeadm writes one, with a client certificate that ends so many seconds from now. */
export function kubeconfig(node: VirtualNode, cluster: Cluster, user: User, seconds: number): string {
  const begins = new Date(cluster.now());
  const ends = new Date(cluster.now() + seconds * 1000);
  const key = randomHex(node, `client-key/${user.name}`, 64);
  // About as long as the real thing, which does not fit into a standard parameter (facts 8.6).
  const padding = "x".repeat(1500);
  return [
    "apiVersion: v1",
    "kind: Config",
    "clusters:",
    `- {name: ${cluster.config.clusterName}, cluster: {server: "https://${cluster.config.endpoint}", certificate-authority-data: ${base64(cluster.caPublicKey + padding)}}}`,
    "users:",
    `- name: ${user.name}`,
    "  user:",
    `    client-certificate-data: ${base64(certificate({ ...user, begins, ends }))}`,
    `    client-key-data: ${base64(`${key} ${padding}`)}`,
    "",
  ].join("\n");
}

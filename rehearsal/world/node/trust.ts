import type { NodeImage } from "./image.ts";
import type { Container, PodSpec } from "./kube.ts";

/** Where an image of a container keeps its own authorities, and a node its; on Fedora's kin that is a link into /etc/pki. */
const certificates = "/etc/ssl/certs";
const defaults = [certificates, "/etc/pki/tls/certs"];

/**
 * Whether a Go program in a container knows the authority of AWS's certificates: it reads every directory of SSL_CERT_DIR
 * (crypto/x509, root_unix.go). A mount hides what the image has at that place, and shows links whose ends it may lack.
 */
export function knowsAuthority(
  { trustStore, isAuthorityPrivate }: NodeImage,
  { volumes = [] }: PodSpec,
  { env = [], volumeMounts = [] }: Container,
): boolean {
  const pathOf = new Map(volumes.map(({ name, hostPath }) => [name, hostPath?.path]));
  const mounts = volumeMounts.map(({ name, mountPath }) => ({ mountPath, path: pathOf.get(name) }));
  const folders = env.find(({ name }) => name === "SSL_CERT_DIR")?.value?.split(":") ?? defaults;
  const hasEnds = trustStore === "debian" || mounts.some(({ path, mountPath }) => path === "/etc/pki" && mountPath === path);
  const nodesOwn = mounts.some(({ path, mountPath }) => path === certificates && folders.includes(mountPath)) && hasEnds;
  // The bundle's file is among the defaults that are read whatever SSL_CERT_DIR says.
  const imagesOwn = !mounts.some(({ mountPath }) => mountPath === certificates);
  return nodesOwn || (imagesOwn && !isAuthorityPrivate);
}

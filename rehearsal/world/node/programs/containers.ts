import { SimulationGap } from "../../service.ts";
import type { VirtualNode } from "../node.ts";
import type { Answer, Program } from "../shell.ts";

const hundredMegabytes = 100_000_000;

/** What an image archive's stand-in holds: the names in it and what the real one weighs. */
interface Archive {
  readonly refs: readonly string[];
  readonly bytes: number;
}

/** `ctr`: import and label in the namespace that the kubelet sees. */
export const ctr =
  (node: VirtualNode): Program =>
  async ({ args, sleep }): Promise<Answer> => {
    const [space, namespace, group, verb, target = "", label] = args;
    if (space !== "-n" || namespace !== "k8s.io" || group !== "images")
      throw new SimulationGap(`ctr ${args.join(" ")} is not modelled`);
    if (verb === "import") {
      const text = await node.shell.read(target);
      if (text === null) return { stderr: `ctr: open ${target}: no such file or directory\n`, exitCode: 1 };
      const { refs, bytes } = JSON.parse(text) as Archive;
      const seconds = node.universe.chance.seconds("image.import.secondsPer100MB", `${node.subject}/${refs[0]}`);
      await sleep((seconds * bytes) / hundredMegabytes);
      for (const ref of refs) node.images.set(ref, false);
      return { stdout: refs.map((ref) => `${ref} saved\n`).join("") };
    }
    if (verb === "label" && label === "io.cri-containerd.pinned=pinned") {
      if (!node.images.has(target)) return { stderr: `ctr: image "${target}": not found\n`, exitCode: 1 };
      node.images.set(target, true);
      return {};
    }
    throw new SimulationGap(`ctr images ${verb} is not modelled`);
  };

export const crictl =
  (node: VirtualNode): Program =>
  ({ args }): Answer => {
    if (args.join(" ") !== "images -o json") throw new SimulationGap(`crictl ${args.join(" ")} is not modelled`);
    const images = [...node.images].map(([ref, pinned]) => ({ id: `sha256:${ref}`, repoTags: [ref], size: "1", pinned }));
    return { stdout: `${JSON.stringify({ images })}\n` };
  };

export const containerd =
  (node: VirtualNode): Program =>
  ({ args }): Answer => {
    if (args.join(" ") !== "config dump") throw new SimulationGap(`containerd ${args.join(" ")} is not modelled`);
    return {
      stdout: `version = 3\n[plugins.'io.containerd.cri.v1.images'.pinned_images]\n  sandbox = '${node.image.sandboxImage}'\n`,
    };
  };

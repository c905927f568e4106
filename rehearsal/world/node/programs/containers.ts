import { SimulationGap } from "../../service.ts";
import type { VirtualNode } from "../node.ts";
import type { Answer, Program } from "../shell.ts";
import { fail, type Line, program } from "./command-line.ts";

const hundredMegabytes = 100_000_000;
/** The CRI hears of an import by an event: seen in the lab, 0.16 s on a busy machine. */
const listedAfterSeconds = 0.1;

/** What an image archive's stand-in holds: the names in it and what the real one weighs. */
interface Archive {
  readonly refs: readonly string[];
  readonly bytes: number;
}

function archiveOf(text: string): Archive | null {
  try {
    return JSON.parse(text) as Archive;
  } catch {
    return null;
  }
}

/** `ctr`: import and label in the namespace that the kubelet sees; there is no other here (facts 5.4). */
export function ctr(node: VirtualNode): Program {
  const label = ({ words: [ref = "", given] }: Line): Answer => {
    if (given !== "io.cri-containerd.pinned=pinned") throw new SimulationGap(`ctr images label ${given} is not modelled`);
    if (!node.images.has(ref)) return fail(`ctr: image "${ref}": not found`);
    node.images.set(ref, true);
    return { stdout: `${given}\n` };
  };
  return program(
    "ctr",
    {
      "images import": {
        words: 1,
        async run({ words: [path = ""] }, { sleep }) {
          const text = await node.shell.read(path);
          if (text === null) return fail(`ctr: open ${path}: no such file or directory`);
          const archive = archiveOf(text);
          if (archive === null) return fail("ctr: unrecognized image format");
          const { refs, bytes } = archive;
          const seconds = node.universe.chance.seconds("image.import.secondsPer100MB", `${node.subject}/${refs[0]}`);
          await sleep((seconds * bytes) / hundredMegabytes);
          for (const ref of refs) {
            node.images.set(ref, false);
            node.unlisted.add(ref);
          }
          node.universe.clock.after(listedAfterSeconds, () => refs.forEach((ref) => void node.unlisted.delete(ref)));
          return { stdout: refs.map((ref) => `${ref} saved\n`).join("") };
        },
      },
      "images label": { words: 2, run: label },
    },
    "-n!:k8s.io",
  );
}

/** Said on stderr of every call (cri-tools, cmd/crictl/crictl_config.go). */
const unconfigured = `time="2026-11-24T00:00:00Z" level=warning msg="Image connect using default endpoints: [unix:///run/containerd/containerd.sock]."\n`;

export const crictl = (node: VirtualNode): Program =>
  program("crictl", {
    images: {
      flags: "-o!:json",
      run() {
        const listed = [...node.images].filter(([ref]) => !node.unlisted.has(ref));
        const images = listed.map(([ref, pinned]) => ({ id: `sha256:${ref}`, repoTags: [ref], size: "1", pinned }));
        return { stdout: `${JSON.stringify({ images })}\n`, stderr: node.image.hasCrictlConfig ? "" : unconfigured };
      },
    },
  });

export const containerd = (node: VirtualNode): Program =>
  program("containerd", {
    "config dump": {
      run: () => ({
        stdout: `version = 3\n[plugins.'io.containerd.cri.v1.images'.pinned_images]\n  sandbox = '${node.image.sandboxImage}'\n`,
      }),
    },
  });

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { bundleProblems } from "../functions/domain/bundle.ts";
import { manifestProblems } from "../functions/domain/manifests.ts";
import { supportedVersions } from "../functions/domain/versions.ts";
import { BundleError, packBundle } from "../rehearsal/bundle.ts";
import { UsageError, usage } from "./options.ts";

const help = `Usage: npm run bundle -- DIR [options]

Makes DIR a bundle: writes DIR/bundle.json over the archives of images in DIR/images (*.tar, *.tar.gz: docker save, ctr images export)
and the manifests in DIR/calico or DIR/manifests (*.yaml, applied in the order of their names), and says what a cluster would miss.

  --kubernetes VERSION  the version that the bundle is for (default 1.36.3)
  --arch ARCH           amd64 or arm64 (default amd64)
  --storage DRIVER      ebs-csi or none: whose images must be there (default ebs-csi)
  --help                this text

Exit: 0 the bundle is complete, 1 something is missing, 2 the options or the folder are wrong.`;

function readOptions(args: readonly string[]) {
  const options = {
    kubernetes: { type: "string", default: "1.36.3" },
    arch: { type: "string", default: "amd64" },
    storage: { type: "string", default: "ebs-csi" },
    help: { type: "boolean", default: false },
  } as const;
  const { values, positionals } = usage(() => parseArgs({ args: [...args], options, strict: true, allowPositionals: true }));
  if (values.help) return "help";
  const { kubernetes, arch, storage } = values;
  const [folder, ...more] = positionals;
  if (folder === undefined || more.length > 0) throw new UsageError("the folder is missing, or there are several");
  if (!supportedVersions().includes(kubernetes))
    throw new UsageError(`--kubernetes wants one of ${supportedVersions().join(", ")}, not ${kubernetes}`);
  if (arch !== "amd64" && arch !== "arm64") throw new UsageError(`--arch wants amd64 or arm64, not ${arch}`);
  if (storage !== "ebs-csi" && storage !== "none") throw new UsageError(`--storage wants ebs-csi or none, not ${storage}`);
  return { folder, kubernetes, arch, storage } as const;
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options === "help") {
    console.log(help);
    return 0;
  }
  const { folder, kubernetes, arch, storage } = options;
  const bundle = await packBundle(folder, { kubernetes, arch });
  const cni = bundle.manifests.some(({ kind }) => kind === "calico") ? "calico" : "manifests";
  const texts = new Map(bundle.manifests.map(({ key }) => [key, readFileSync(join(folder, key), "utf8")]));
  const problems = [...bundleProblems(bundle, { kubernetes, arch, cni, storage }), ...manifestProblems(bundle, { cni }, texts)];
  const bytes = bundle.files.reduce((sum, file) => sum + file.bytes, 0);
  console.log(
    `${folder}/bundle.json: ${bundle.files.length} archives, ${Math.round(bytes / 1e6)} MB, cni ${cni}, storage ${storage}`,
  );
  for (const problem of problems) console.log(`  ${problem}`);
  return problems.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError || error instanceof BundleError)) throw error;
  console.error(`${error.message}\nSee npm run bundle -- --help.`);
  process.exitCode = 2;
}

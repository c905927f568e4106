import { mkdirSync, writeFileSync } from "node:fs";
import { build } from "esbuild";
import { catalogue, loneFunctions } from "../functions/catalogue.ts";

/** A bundle may weigh so much; above it a cold start is felt. The EC2 client alone is 0.7 MB of it. */
const bytesMax = 2_500_000;

/** Every handler with its file. */
const sources: readonly (readonly [name: string, file: string])[] = [
  ...catalogue.map(({ name }) => [name, `functions/steps/${name}.ts`] as const),
  ...loneFunctions.map(({ name, folder }) => [name, `functions/${folder}/${name}.ts`] as const),
];

/** Every handler as Lambda gets it: ESM, minified, the SDK's ESM half inside. Gives the bytes of each. */
export async function buildHandlers(): Promise<ReadonlyMap<string, { readonly file: string; readonly bytes: number }>> {
  const { metafile } = await build({
    entryPoints: Object.fromEntries(sources.map(([name, file]) => [`${name}/index`, file])),
    outdir: "dist",
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    target: "node24",
    format: "esm",
    mainFields: ["module", "main"],
    // yaml's Node build is CommonJS and asks for `process`: an ES module has no require of its own.
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
    minify: true,
    // Beside the bundle and named in it, so that a stack trace shows our lines; the sources themselves stay at home.
    sourcemap: "linked",
    sourcesContent: false,
    metafile: true,
    logLevel: "error",
  });
  const built = new Map<string, { file: string; bytes: number }>();
  for (const [name] of sources) {
    const file = `dist/${name}/index.mjs`;
    const bytes = metafile.outputs[file]?.bytes ?? 0;
    if (bytes === 0 || bytes > bytesMax) throw new RangeError(`${name} has ${bytes} bytes, the budget is ${bytesMax}`);
    built.set(name, { file, bytes });
  }
  mkdirSync("dist", { recursive: true });
  writeFileSync("dist/bundles.json", `${JSON.stringify(Object.fromEntries(built), null, 2)}\n`);
  return built;
}

/** As CDK's NodejsFunction bundles by default, the SDK inside: CommonJS, unminified. */
export async function buildDefault(name: string): Promise<{ readonly file: string; readonly bytes: number }> {
  const file = `dist/default/${name}.cjs`;
  const { metafile } = await build({
    entryPoints: [`functions/steps/${name}.ts`],
    outfile: file,
    bundle: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    metafile: true,
    logLevel: "error",
  });
  return { file, bytes: metafile.outputs[file]?.bytes ?? 0 };
}

if (import.meta.main) for (const [name, { bytes }] of await buildHandlers()) console.log(`${name.padEnd(24)} ${bytes}`);

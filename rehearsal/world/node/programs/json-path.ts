import { SimulationGap } from "../../service.ts";

type Tree = unknown;

/** `.a.b[0]`, `[*]`, `[-1:]`: the values at a path. */
function values(root: Tree, path: string): Tree[] {
  const steps = path.match(/\.[A-Za-z_][\w-]*|\[\*\]|\[-1:\]|\[\d+\]/g) ?? [];
  if (steps.join("") !== path) throw new SimulationGap(`jsonpath ${path} is not modelled`);
  return steps.reduce<Tree[]>(
    (found, step) =>
      found.flatMap((value) => {
        if (step === "[*]") return Array.isArray(value) ? value : [];
        if (step === "[-1:]") return Array.isArray(value) ? value.slice(-1) : [];
        if (step.startsWith("["))
          return Array.isArray(value) ? value.slice(Number(step.slice(1, -1)), Number(step.slice(1, -1)) + 1) : [];
        const inner = value === null || typeof value !== "object" ? undefined : (value as Record<string, Tree>)[step.slice(1)];
        return inner === undefined ? [] : [inner];
      }),
    [root],
  );
}

const text = (value: Tree): string => (typeof value === "string" ? value : JSON.stringify(value));
const place = (root: Tree, inner: string): string =>
  inner.startsWith('"') ? (JSON.parse(inner) as string) : values(root, inner).map(text).join(" ");

/** kubectl's JSONPath templates: places in braces, and one `{range ...}{end}`. */
export function jsonPath(root: Tree, template: string): string {
  const range = /^(.*?)\{range ([^}]+)\}(.*)\{end\}$/s.exec(template);
  if (range !== null)
    return values(root, range[2] ?? "")
      .map((item) => jsonPath(item, range[3] ?? ""))
      .join("");
  return template.replaceAll(/\{([^}]+)\}/g, (_, inner: string) => place(root, inner));
}

/** What an answer looks like: each path in it and what kind of thing is there; words of a closed list stand for themselves. */
export type Shape = ReadonlyMap<string, string>;

/** Fields whose words are a closed list of AWS's: a caller branches on them, so a different word is a different answer. */
const words = new Set([
  ...["Code", "ErrorCode", "InterfaceType", "IpProtocol", "Origin", "Protocol", "ResourceType", "Scheme", "State", "Status"],
  ...["TargetType", "Tier", "Type", "VpcEndpointType", "status"],
]);

const isWord = (key: string, value: string): boolean => words.has(key) && /^(-1|[A-Za-z][A-Za-z_-]*)$/.test(value);

/** How a text is built: callers tell an id's kind by its prefix, and cut ARNs apart. */
function kindOf(text: string): string {
  if (/^arn:aws:/.test(text)) return "arn";
  const [, prefix] = /^([a-z]+)-(?:[0-9a-f]{8}|[0-9a-f]{17})$/.exec(text) ?? [];
  if (prefix !== undefined) return `id ${prefix}-`;
  if (/^\d+\.\d+\.\d+\.\d+\/\d+$/.test(text)) return "block";
  return /^\d+\.\d+\.\d+\.\d+$/.test(text) ? "address" : "text";
}

function walk(path: string, key: string, value: unknown, found: Map<string, Set<string>>): void {
  if (value === undefined || value === null || key === "$metadata") return;
  const say = (kind: string) => found.set(path, (found.get(path) ?? new Set()).add(kind));
  if (value instanceof Date) say("time");
  else if (Array.isArray(value)) {
    say("list");
    for (const item of value) walk(`${path}[]`, key, item, found);
  } else if (typeof value === "object") {
    if (path !== "") say("group");
    for (const [name, inner] of Object.entries(value)) walk(path === "" ? name : `${path}.${name}`, name, inner, found);
  } else if (typeof value === "string") say(isWord(key, value) || path.endsWith("State.Name") ? value : kindOf(value));
  else say(typeof value);
}

export function shapeOf(answer: unknown): Shape {
  const found = new Map<string, Set<string>>();
  walk("", "", answer, found);
  return new Map([...found].map(([path, kinds]) => [path, [...kinds].sort().join("|")]));
}

/** An error as a caller tells it: its name, and the HTTP status that the SDK shows beside it. */
export function refusalOf(error: unknown): Shape {
  const { name, $metadata } = error as { name: string; $metadata?: { httpStatusCode?: number } };
  return new Map([["refused", `${name} ${$metadata?.httpStatusCode ?? "without status"}`]]);
}

/** One path in which two answers differ, and what is at it; `-` for nothing. */
export interface Gap {
  readonly path: string;
  readonly ours: string;
  readonly theirs: string;
}

export function differences(ours: Shape, theirs: Shape): Gap[] {
  const at = (path: string): Gap => ({ path, ours: ours.get(path) ?? "-", theirs: theirs.get(path) ?? "-" });
  // Of a refusal against an answer only that is said, not every field of the answer.
  if (ours.has("refused") !== theirs.has("refused")) return [at("refused")];
  const paths = [...new Set([...ours.keys(), ...theirs.keys()])].sort();
  // What lies in a group or list that one of them lacks is said once, by the group.
  return paths.filter((path) => ours.get(path) !== theirs.get(path) && !isParentDifferent(path, ours, theirs)).map(at);
}

function isParentDifferent(path: string, ours: Shape, theirs: Shape): boolean {
  const parent = path.replace(/(\[\]|\.[^.[\]]+)$/, "");
  if (parent === path || parent === "") return false;
  return ours.has(parent) !== theirs.has(parent) || isParentDifferent(parent, ours, theirs);
}

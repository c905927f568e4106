import { SimulationGap } from "../service.ts";

/** JSON as it travels between states. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** An error that ends a state, under the name that Retry and Catch match on. */
export class StateError extends Error {
  override readonly name: string;
  override readonly cause: string;
  constructor(name: string, cause: string) {
    super(`${name}: ${cause}`, { cause });
    this.name = name;
    this.cause = cause;
  }
}

const runtime = (message: string) => new StateError("States.Runtime", message);
const segment = /\.([A-Za-z_][\w-]*)|\['([^']*)'\]|\[(\d+)\]/gy;

/** The steps of a reference path: `$.a.b[0]` -> a, b, 0. */
function parse(path: string): (string | number)[] {
  if (!path.startsWith("$")) throw new SimulationGap(`${path} is no path`);
  const steps: (string | number)[] = [];
  segment.lastIndex = 1;
  while (segment.lastIndex < path.length) {
    const at = segment.lastIndex;
    const match = segment.exec(path);
    if (match === null) throw new SimulationGap(`${path}: nothing is known of ${path.slice(at)}`);
    steps.push(match[3] === undefined ? (match[1] ?? match[2] ?? "") : Number(match[3]));
  }
  return steps;
}

const isObject = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function step(value: Json | undefined, key: string | number): Json | undefined {
  if (typeof key === "number") return Array.isArray(value) ? (value as readonly Json[])[key] : undefined;
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

export interface Scope {
  readonly data: Json;
  /** The context object, `$$`. */
  readonly context: Json;
}

/** What stands at the path, or undefined when nothing does; `$$.` reads the context object. */
export function look({ data, context }: Scope, path: string): Json | undefined {
  const [root, steps] = path.startsWith("$$") ? [context, parse(path.slice(1))] : [data, parse(path)];
  return steps.reduce<Json | undefined>(step, root);
}

/** What stands at a path that has to exist. */
export function read(scope: Scope, path: string): Json {
  const value = look(scope, path);
  if (value === undefined) throw runtime(`the path ${path} could not be found in the input`);
  return value;
}

/** InputPath and OutputPath: absent means all, null means `{}`. */
export const select = (scope: Scope, path: unknown): Json =>
  path === null ? {} : path === undefined ? scope.data : read(scope, String(path));

/** Parameters and ResultSelector: fields whose names end in `.$` are read, all others stand as they are. */
export function template(value: Json, scope: Scope): Json {
  if (Array.isArray(value)) return value.map((item: Json) => template(item, scope));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) =>
      key.endsWith(".$") ? [key.slice(0, -2), expression(String(inner), scope)] : [key, template(inner, scope)],
    ),
  );
}

function expression(text: string, scope: Scope): Json {
  if (text.startsWith("$")) return read(scope, text);
  const path = jsonPath(text);
  return path === null ? format(text, scope) : parsed(read(scope, path));
}

/** Of the two intrinsic functions that the machines use, `States.StringToJson($.a)`: its path, or null for the other one. */
const jsonPath = (text: string): string | null => /^States\.StringToJson\((\$[\w.$[\]'-]*)\)$/.exec(text)?.[1] ?? null;

function parsed(value: Json): Json {
  try {
    return JSON.parse(typeof value === "string" ? value : "") as Json;
  } catch {
    throw new StateError("States.IntrinsicFailure", "States.StringToJson got no JSON");
  }
}

/** The other one: `States.Format('...{}...', $.a, $.b)`. Escapes in its text are refused. */
function parseFormat(text: string): { parts: string[]; paths: string[] } {
  const match = /^States\.Format\('([^'\\]*)'((?:\s*,\s*\$[\w.$[\]'-]*)*)\)$/.exec(text);
  if (match === null) throw new SimulationGap(`${text} is no intrinsic function this interpreter knows`);
  const paths = (match[2] ?? "").split(",").flatMap((path) => (path.trim() === "" ? [] : [path.trim()]));
  return { parts: (match[1] ?? "").split("{}"), paths };
}

function format(text: string, scope: Scope): Json {
  const { parts, paths } = parseFormat(text);
  const values = paths.map((path) => read(scope, path));
  if (parts.length !== values.length + 1)
    throw new StateError("States.IntrinsicFailure", `${text} has ${parts.length - 1} places for ${values.length} values`);
  return parts.map((part, index) => (index === 0 ? part : `${asText(values[index - 1])}${part}`)).join("");
}

/** Throws for a path that `look` could not follow. */
export const checkPath = (path: string): void => void parse(path.startsWith("$$") ? path.slice(1) : path);

/** Throws for a template that `template` could not carry out. */
export function checkTemplate(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (!key.endsWith(".$")) checkTemplate(inner);
    else if (String(inner).startsWith("$")) checkPath(String(inner));
    else for (const path of pathsIn(String(inner))) checkPath(path);
  }
}

function pathsIn(intrinsic: string): readonly string[] {
  const path = jsonPath(intrinsic);
  return path === null ? parseFormat(intrinsic).paths : [path];
}

const asText = (value: Json | undefined): string => (typeof value === "string" ? value : JSON.stringify(value));

/** ResultPath: null drops the result, `$` replaces the data, anything else is written into a copy of it. */
export function place(data: Json, path: unknown, result: Json): Json {
  if (path === null) return data;
  const steps = parse(String(path ?? "$"));
  return write(data, steps, result, String(path));
}

function write(data: Json, [head, ...rest]: readonly (string | number)[], result: Json, path: string): Json {
  if (head === undefined) return result;
  if (!isObject(data) || typeof head === "number")
    throw new StateError("States.ResultPathMatchFailure", `the result cannot be placed at ${path}`);
  return { ...data, [head]: rest.length === 0 ? result : write(step(data, head) ?? {}, rest, result, path) };
}

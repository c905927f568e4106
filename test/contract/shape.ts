import * as z from "zod";

/**
 * What is surely there, as far as schemas and the machine's file tell: `fields` of an object, `items` of a Parallel's result.
 * A value that may be null, or a field that may be absent, has nothing underneath that may be read.
 */
export interface Shape {
  readonly fields?: Readonly<Record<string, Shape>>;
  readonly items?: readonly Shape[];
}

/** Something is there; nobody says what. */
export const opaque: Shape = {};

export const object = (fields: Readonly<Record<string, Shape>>): Shape => ({ fields });

interface JsonSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
}

function fromJsonSchema({ type, properties, required = [] }: JsonSchema): Shape {
  if (type !== "object" || properties === undefined) return opaque;
  return object(
    Object.fromEntries(required.flatMap((name) => (properties[name] ? [[name, fromJsonSchema(properties[name])]] : []))),
  );
}

/** The fields that every value of a schema has: of what comes out of it, or of what has to go in. */
export const shapeOf = (schema: z.ZodType, io: "input" | "output"): Shape =>
  fromJsonSchema(z.toJSONSchema(schema, { io, unrepresentable: "any" }) as JsonSchema);

/** `$.a.b[0]` or `$$.a` -> its steps. */
export function stepsOf(path: string): string[] {
  const match = /^\$\$?((?:\.[A-Za-z_]\w*|\[\d+\])*)$/.exec(path);
  if (match === null) throw new Error(`the walker cannot read the path ${path}`);
  return [...(match[1] ?? "").matchAll(/\w+/g)].map(([step]) => step);
}

const childOf = ({ fields, items }: Shape, step: string): Shape | undefined =>
  fields !== undefined && Object.hasOwn(fields, step) ? fields[step] : items?.[Number(step)];

/** What surely stands at the path, or undefined. */
export const at = (shape: Shape, path: string): Shape | undefined =>
  stepsOf(path).reduce<Shape | undefined>((inner, step) => inner && childOf(inner, step), shape);

/** The shape after a result was written at the path (ResultPath). */
export function write(shape: Shape, [head, ...rest]: readonly string[], result: Shape): Shape {
  if (head === undefined) return result;
  const fields = shape.fields ?? {};
  return object({ ...fields, [head]: write(fields[head] ?? opaque, rest, result) });
}

/** What is there whichever of the two it was. */
export function meet(a: Shape, b: Shape): Shape {
  if (a.fields !== undefined && b.fields !== undefined) {
    const { fields } = b;
    return object(
      Object.fromEntries(
        Object.entries(a.fields).flatMap(([name, inner]) => (fields[name] ? [[name, meet(inner, fields[name])]] : [])),
      ),
    );
  }
  return a.items !== undefined && b.items !== undefined
    ? { items: a.items.slice(0, b.items.length).map((inner, index) => meet(inner, b.items?.[index] ?? opaque)) }
    : opaque;
}

/** Fields that `wanted` demands and `given` does not surely have, as paths. Where nobody says what is given, nothing is missing. */
export function lacking(given: Shape, wanted: Shape, path: string): string[] {
  if (given.fields === undefined || wanted.fields === undefined) return [];
  const { fields } = given;
  return Object.entries(wanted.fields).flatMap(([name, inner]) =>
    fields[name] === undefined ? [`${path}.${name}`] : lacking(fields[name], inner, `${path}.${name}`),
  );
}

/** What EventBridge does with an event, as far as our rules ask for it; read from its user guide, and none of CDK's words about it. */

type Fields = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);

/** One of a field's alternatives: a value, or an object with one comparison. An unknown comparison throws. */
function fits(alternative: unknown, value: unknown): boolean {
  if (!isObject(alternative)) return alternative === value;
  const [[comparison, operand] = ["", undefined], ...more] = Object.entries(alternative);
  if (more.length === 0 && comparison === "prefix") return typeof value === "string" && value.startsWith(String(operand));
  if (more.length === 0 && comparison === "exists") return (value !== undefined) === operand;
  throw new RangeError(`the comparison ${JSON.stringify(alternative)} is not known`);
}

/** Whether a rule with this pattern hears the event: every field of the pattern has to fit, by one of its alternatives. */
export function hears(pattern: unknown, event: unknown): boolean {
  if (!isObject(pattern)) throw new RangeError(`${JSON.stringify(pattern)} is no pattern`);
  return Object.entries(pattern).every(([field, wanted]) => {
    const value = isObject(event) ? event[field] : undefined;
    return Array.isArray(wanted) ? wanted.some((alternative) => fits(alternative, value)) : hears(wanted, value);
  });
}

export interface Transformer {
  readonly InputPathsMap: Readonly<Record<string, string>>;
  readonly InputTemplate: string;
}

/** What the target is given: each <place> of the template is the event's value there, as JSON. */
export const transformed = ({ InputPathsMap, InputTemplate }: Transformer, event: unknown): string =>
  InputTemplate.replaceAll(/<([\w-]+)>/g, (_, place: string) => {
    const steps = (InputPathsMap[place] ?? "").split(".").slice(1);
    return JSON.stringify(steps.reduce<unknown>((inner, step) => (isObject(inner) ? inner[step] : undefined), event));
  });

import { readdirSync, readFileSync } from "node:fs";
import type * as z from "zod";
import { catalogue } from "../../functions/catalogue.ts";
import { type DocumentName, documents } from "../../functions/domain/documents.ts";
import { type Catcher, list, type Retrier, type State } from "../../rehearsal/world/asl/definition.ts";
import type { Machine, Signatures } from "./path-walker.ts";
import { lacking, object, type Shape, shapeOf } from "./shape.ts";

const folder = new URL("../../statemachine/", import.meta.url);

/** A machine's file, as it stands before anything is put into its places. */
export interface MachineFile {
  readonly file: string;
  readonly machine: Machine;
}

export const machines: readonly MachineFile[] = readdirSync(folder)
  .filter((file) => file.endsWith(".asl.json"))
  .map((file) => ({ file, machine: JSON.parse(readFileSync(new URL(file, folder), "utf8")) as Machine }));

export interface PlacedState {
  readonly name: string;
  readonly state: State;
  readonly isTopLevel: boolean;
}

/** Every state of a machine, those of branches included. */
export function statesOf({ States }: Machine, isTopLevel = true): PlacedState[] {
  return Object.entries(States).flatMap(([name, state]) => [
    { name, state, isTopLevel },
    ...list<Machine>(state["Branches"]).flatMap((branch) => statesOf(branch, false)),
  ]);
}

export const retriersOf = (state: State) => list<Retrier>(state["Retry"]);
export const catchersOf = (state: State) => list<Catcher>(state["Catch"]);

/** A nested machine, not a step of ours. */
export const isNested = (state: State): boolean => String(state["Resource"]).includes(":states:startExecution");

interface Step {
  readonly name: string;
  readonly mutates: boolean;
  readonly input: z.ZodType;
  readonly output: z.ZodType;
}

const camel = (name: string): string => name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** The step that a state calls, by the catalogue. */
export async function stepsByState(): Promise<ReadonlyMap<string, Step>> {
  const rows = await Promise.all(
    catalogue.map(async ({ name, states }) => {
      const module: Record<string, unknown> = await import(`../../functions/steps/${name}.ts`);
      const step = module[camel(name)] as Step;
      return states.map((state): [string, Step] => [state, step]);
    }),
  );
  return new Map(rows.flat());
}

/** The shapes that the steps' own schemas give and demand. */
export function signaturesOf(steps: ReadonlyMap<string, Step>): Signatures {
  const given = (state: State, name: string): Shape => {
    const step = steps.get(name);
    if (step === undefined) return object({});
    const shape = shapeOf(step.output, "output");
    const { document } = (state["Parameters"] ?? {}) as { document?: DocumentName };
    // await-command gives what the document's script prints; which document that is stands in the state.
    return step.name === "await-command" && document !== undefined
      ? object({ ...shape.fields, output: shapeOf(documents[document].output, "output") })
      : shape;
  };
  return {
    result: given,
    check: (_, name, parameters) => {
      const step = steps.get(name);
      if (step === undefined) return [];
      const wanted = shapeOf(step.input, "input");
      const surplus = Object.keys(parameters.fields ?? {}).filter((field) => wanted.fields?.[field] === undefined);
      return [
        ...lacking(parameters, wanted, "Parameters").map((path) => `lacks ${path}`),
        ...surplus.map((field) => `hands over ${field}, which ${step.name} does not take`),
      ];
    },
  };
}

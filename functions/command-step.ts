import * as z from "zod";
import type { Aws } from "./aws/aws.ts";
import { type CommandsPort, ssmCommands } from "./aws/ssm-commands.ts";
import { ClusterRequest } from "./domain/cluster-request.ts";
import type { Delivery } from "./domain/deliveries.ts";
import type { DocumentName, DocumentParameters } from "./domain/documents.ts";
import { CommandId } from "./domain/ids.ts";
import { Lock } from "./domain/lock.ts";
import { commandComment } from "./domain/naming.ts";
import { Plan } from "./domain/plan.ts";
import { defineStep, type Log } from "./step.ts";

/** What a sending state gives to the state that awaits: the command, and on how many nodes it must end well. */
export const SentCommand = z.strictObject({ commandId: CommandId, targets: z.int().min(1).max(1005) });
export type SentCommand = z.infer<typeof SentCommand>;

const common = { lock: Lock, request: ClusterRequest, plan: Plan, state: z.string().max(80) };
/** `api` in the state: where the cluster's API answers. */
export const Api = z.strictObject({ endpoint: z.string().regex(/^[a-z0-9.-]{3,280}:6443$/) });
/** What capture-join gave: public, unlike the token, which never leaves its SecureString. */
export const Join = z.strictObject({ caCertHash: z.string().regex(/^sha256:[0-9a-f]{64}$/) });

type Common = z.output<z.ZodObject<typeof common>>;
/** The parameters that a step gives itself; the fence and the Region come from the wrapper. */
type OwnParameters<N extends DocumentName> = Omit<DocumentParameters<N>, "fence" | "region">;

interface CommandStepSpec<N extends DocumentName, E extends z.ZodRawShape> {
  readonly name: string;
  readonly document: N;
  readonly extra: E;
  delivery(input: Common & z.output<z.ZodObject<E>>): Delivery;
  parameters(input: Common & z.output<z.ZodObject<E>>): OwnParameters<N>;
  /** What is to be done in AWS before the command goes out. */
  before?(input: Common & z.output<z.ZodObject<E>>, aws: Aws): Promise<void>;
}

interface Deps<E extends z.ZodRawShape> {
  readonly commands: CommandsPort;
  before(input: Common & z.output<z.ZodObject<E>>): Promise<void>;
}

/** A step that runs one script on nodes: it sends the command once in its execution's life, and returns its id. */
export function defineCommandStep<N extends DocumentName, const E extends z.ZodRawShape>(spec: CommandStepSpec<N, E>) {
  const input = z.strictObject({ ...common, ...spec.extra });
  return defineStep({
    name: spec.name,
    mutates: true,
    input,
    output: SentCommand,
    deps: (aws): Deps<E> => ({ commands: ssmCommands(aws), before: async (parsed) => spec.before?.(parsed, aws) }),
    async run(raw, { commands, before }: Deps<E>, log: Log) {
      const parsed = raw as Common & z.output<z.ZodObject<E>>;
      const { target, targets, inTurn = false } = spec.delivery(parsed);
      const comment = commandComment(parsed.lock, parsed.state);
      const earlier = await commands.find(parsed.lock, spec.document, comment);
      if (earlier !== null) {
        log.info("command already sent", { commandId: earlier, document: spec.document, reused: true });
        return { commandId: earlier, targets };
      }
      await before(parsed);
      const scalars = { fence: String(parsed.lock.number), region: parsed.plan.region, ...spec.parameters(parsed) };
      const parameters = scalars as unknown as DocumentParameters<N>;
      const commandId = await commands.send(parsed.lock, {
        document: spec.document,
        parameters,
        target,
        comment,
        turns: inTurn ? targets : 1,
      });
      log.info("command sent", { commandId, document: spec.document, targets });
      return { commandId, targets };
    },
  });
}

import type { Invocation, LambdaFunction } from "./asl/host.ts";
import { type Json, StateError } from "./asl/paths.ts";
import type { Clock } from "./clock.ts";
import { type Around, Life } from "./life.ts";
import { SimulationGap, type Universe } from "./service.ts";

/** The function timeout the stack sets: after it Lambda ends the sandbox (design 4). */
const functionTimeoutSeconds = 60;

/** The Lambda of the virtual account: its functions, cold and warm, and the end of each invocation. */
export class Lambda {
  readonly #universe: Universe<Clock>;
  readonly #functions = new Map<string, LambdaFunction>();
  readonly #warm = new Set<string>();
  #calls = 0;

  constructor(universe: Universe<Clock>) {
    this.#universe = universe;
  }

  add(arn: string, run: LambdaFunction): void {
    this.#functions.set(arn, run);
  }

  has(arn: string): boolean {
    return this.#functions.has(arn);
  }

  /**
   * A call of an event's, which nobody waits for: EventBridge's, a schedule's. A failed one is tried again after one minute and after two more
   * (AWS's guide, "Asynchronous invocation"), and then given up.
   */
  async deliver(functionArn: string, event: Json, name: string): Promise<void> {
    for (const [attempt, wait] of [0, 60, 120].entries()) {
      await this.#universe.clock.sleep(wait);
      try {
        await this.call(functionArn, event, name, attempt);
        return;
      } catch (error) {
        if (!(error instanceof StateError)) throw error;
      }
    }
  }

  /** A call that no execution makes. */
  call(functionArn: string, event: Json, name: string, attempt = 0): Promise<Json> {
    const stopExecution = () => {
      throw new SimulationGap(`${name} is no state of an execution`);
    };
    return this.invoke(event, { functionArn, state: name, execution: "", attempt }, { stopBranch: null, stopExecution });
  }

  async invoke(event: Json, invocation: Omit<Invocation, "life">, around: Around): Promise<Json> {
    const { clock, chance } = this.#universe;
    const { functionArn } = invocation;
    const run = this.#functions.get(functionArn);
    if (run === undefined) throw new StateError("Lambda.ResourceNotFoundException", `no function ${functionArn}`);
    if (!this.#warm.has(functionArn)) {
      this.#warm.add(functionArn);
      await clock.sleep(chance.seconds("lambda.coldStart", functionArn));
    }
    const life = new Life(`request-${++this.#calls}`, clock.now() + functionTimeoutSeconds * 1000, around);
    void clock.limit(functionTimeoutSeconds).then(() => life.timeOut(functionTimeoutSeconds));
    const work = run(structuredClone(event), { ...invocation, life }).then(
      (value) => JSON.parse(JSON.stringify(value ?? null)) as Json,
      throwAsLambda,
    );
    // Whatever a call ends in after it was given up, nobody hears of it.
    work.catch(() => {}).then(() => life.finish());
    return Promise.race([work, life.told]);
  }
}

/** How Lambda hands a thrown error on: its name is the Error, the Cause is JSON. What the simulator cannot do is nobody's failed step. */
function throwAsLambda(error: unknown): never {
  if (error instanceof SimulationGap || !(error instanceof Error)) throw error;
  const gap = gapBehind(error);
  if (gap !== null) throw gap;
  throw new StateError(error.name, JSON.stringify({ errorType: error.name, errorMessage: error.message, trace: [] }));
}

function gapBehind(error: Error): SimulationGap | null {
  for (let inner: unknown = error; inner instanceof Error; inner = inner.cause) if (inner instanceof SimulationGap) return inner;
  return null;
}

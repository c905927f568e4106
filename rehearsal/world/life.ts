import { StateError } from "./asl/paths.ts";
import { SimulationGap } from "./service.ts";

/** What a state is told of a Lambda that died ("Handling errors" in AWS's guide; style.md 5). Of one that hangs it hears at the function's timeout. */
export const killCodes = ["Lambda.Unknown", "Runtime.ExitError", "Sandbox.Timedout"] as const;

/** How a state can be over while its Lambda goes on: Lambda lost sight of it, or the state, the branch or the execution was ended. */
export const orphanCodes = ["Lambda.Unknown", "States.Timeout", "Branch.Stopped", "Execution.Stopped"] as const;

/** What can be ended around a running Lambda. */
export interface Around {
  /** As if a state of a neighbouring branch had failed; null outside a Parallel. */
  readonly stopBranch: (() => void) | null;
  readonly stopExecution: (error: string, cause: string) => void;
}

/** One invocation of a Lambda, from its begin to its end. Once it is over nothing it asks is sent, and nothing it asked is answered. */
export class Life {
  /** Milliseconds of virtual time at which its timeout ends it. */
  readonly endsAt: number;
  /** Rejects with what the state is told when that is not the function's own result. */
  readonly told: Promise<never>;
  readonly #tell: (error: StateError) => void;
  readonly #around: Around;
  readonly #request: string;
  #isOver = false;

  constructor(request: string, endsAt: number, around: Around) {
    const { promise, reject } = Promise.withResolvers<never>();
    // Nobody may be listening any more.
    promise.catch(() => {});
    this.told = promise;
    this.#tell = reject;
    this.#request = request;
    this.#around = around;
    this.endsAt = endsAt;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether a neighbouring branch could stop it. */
  get isInBranch(): boolean {
    return this.#around.stopBranch !== null;
  }

  /** Its function has answered: what it left undone stays undone. */
  finish(): void {
    this.#isOver = true;
  }

  /** It runs out of time. */
  timeOut(seconds: number): void {
    this.#isOver = true;
    this.#tell(this.#error("Sandbox.Timedout", `Task timed out after ${seconds.toFixed(2)} seconds`));
  }

  /** It does nothing more. One that only hangs is found out by its timeout. */
  kill(code: string): void {
    if (!(killCodes as readonly string[]).includes(code)) throw new SimulationGap(`a Lambda does not die of ${code}`);
    this.#isOver = true;
    if (code !== "Sandbox.Timedout") this.#tell(this.#error(code, "Runtime exited with error: signal: killed"));
  }

  /** Its state is over, and it goes on. */
  orphan(code: string): void {
    const { stopBranch, stopExecution } = this.#around;
    if (code === "Execution.Stopped") stopExecution("Cloister.Planned", "stopped while a Lambda was at work");
    else if (code === "Branch.Stopped" && stopBranch !== null) stopBranch();
    else if (code === "States.Timeout") this.#tell(new StateError(code, ""));
    else if (code === "Lambda.Unknown") this.#tell(this.#error(code, "the connection to the function was lost"));
    else throw new SimulationGap(`no state ends by ${code} here`);
  }

  #error(name: string, message: string): StateError {
    return new StateError(
      name,
      JSON.stringify({ errorType: name, errorMessage: `RequestId: ${this.#request} Error: ${message}` }),
    );
  }
}

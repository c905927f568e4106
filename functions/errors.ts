/** What a step can end in. The names are wire format: the state machine's Retry and Catch match on them, so they are literals. */
export abstract class StepError extends Error {
  abstract override readonly name: string;
  /** What an operator needs to act, as fields: ids, names, counts. Never a secret, never a whole SDK response. */
  readonly facts: Readonly<Record<string, unknown>>;
  constructor(message: string, facts: Readonly<Record<string, unknown>> = {}, options?: ErrorOptions) {
    super(message, options);
    this.facts = facts;
  }
}

/** The caller sent something wrong; every problem is named at once. */
export class InvalidRequestError extends StepError {
  override readonly name = "InvalidRequestError";
}
/** A throttle, a 5xx answer, a broken socket: the same call may go through in seconds. */
export class TransientError extends StepError {
  override readonly name = "TransientError";
}
/** Looked once, and it is not there yet. The state's Retry on this name is the wait. */
export class NotReadyError extends StepError {
  override readonly name = "NotReadyError";
}
/** The zone has no stock of the instance type. */
export class CapacityError extends StepError {
  override readonly name = "CapacityError";
}
/** An account limit is reached: a person must act. */
export class QuotaError extends StepError {
  override readonly name = "QuotaError";
}
/** A permission is missing: a person must act. */
export class AccessError extends StepError {
  override readonly name = "AccessError";
}
/** It exists and is not ours, or somebody else is working on it. */
export class ConflictError extends StepError {
  override readonly name = "ConflictError";
}
/** A script on a node ended badly. */
export class CommandFailedError extends StepError {
  override readonly name = "CommandFailedError";
}
/** The certificate has a false check. */
export class NotIsolatedError extends StepError {
  override readonly name = "NotIsolatedError";
}
/** Another execution took the cluster's lock over. */
export class LockLostError extends StepError {
  override readonly name = "LockLostError";
}
/** Our bug, or an AWS code that nobody classified. Loud, never retried. */
export class DefectError extends StepError {
  override readonly name = "DefectError";
}

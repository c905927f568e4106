import { CommanderError } from "commander";
import { StepError } from "../../functions/errors.ts";
import { UsageError } from "../options.ts";

/** A function of ours refused, by the name and the words of one of our errors. */
export class RemoteError extends Error {
  readonly kind: string;
  constructor(kind: string, message: string) {
    super(message);
    this.kind = kind;
  }
}

interface Said {
  readonly line: string;
  /** 2: the person can correct it in the command, the request or the configuration. 1: it failed. */
  readonly code: 1 | 2;
}

const refused = new Set([
  "InvalidClientTokenId",
  "UnrecognizedClientException",
  "ExpiredToken",
  "ExpiredTokenException",
  "InvalidSignatureException",
  "SignatureDoesNotMatch",
]);
const isMissing = (name: string): boolean => name === "CredentialsProviderError" || name === "TokenProviderError";
const firstLine = (text: string): string => text.split("\n")[0] ?? "";

/** What keeps a command from AWS at all: no credentials, no Region, none that exists. Null for anything else. */
function accessProblem(error: Error): string | null {
  const { code } = error as { readonly code?: string };
  if (isMissing(error.name))
    return "there are no AWS credentials: AWS_PROFILE, `aws sso login`, or the two keys in the environment";
  if (error.message === "Region is missing") return "no Region is set: AWS_REGION, or a profile that has one";
  if (refused.has(error.name)) return `AWS does not take these credentials here: ${error.name}: ${firstLine(error.message)}`;
  // The name of an endpoint of a Region that does not exist; or there is no DNS to ask.
  if (code === "ENOTFOUND" || code === "EAI_AGAIN")
    return `AWS cannot be found there: is there such a Region? (${firstLine(error.message)})`;
  return null;
}

/** One clear line for whatever a person can do something about; null is a fault of ours, which needs its stack. */
export function explain(error: unknown): Said | null {
  if (!(error instanceof Error)) return null;
  if (error instanceof UsageError) return { line: error.message, code: 2 };
  if (error instanceof CommanderError) return { line: error.message.replace(/^error: /, "").replaceAll("\n", " "), code: 2 };
  if (error instanceof RemoteError || error instanceof StepError) {
    const name = error instanceof RemoteError ? error.kind : error.name;
    const isTheirs = name === "InvalidRequestError";
    return { line: isTheirs ? error.message.replaceAll("\n- ", " ") : `${name}: ${error.message}`, code: isTheirs ? 2 : 1 };
  }
  const access = accessProblem(error);
  if (access !== null) return { line: access, code: 2 };
  // Every exception of the SDK says whose fault it is; on what broke before there was an answer, or in it, it leaves its own traces.
  if ("$fault" in error) return { line: `AWS refused: ${error.name}: ${firstLine(error.message)}`, code: 1 };
  const isOnTheWay = "$metadata" in error || "$response" in error;
  return isOnTheWay ? { line: `AWS gave no answer that can be read: ${firstLine(error.message)}`, code: 1 } : null;
}

import { InvalidRequestError } from "../errors.ts";

/** One thing that is wrong with a request, and where: `network.vpcCidr`. */
export interface Problem {
  readonly path: string;
  readonly problem: string;
}

/** All problems at once, each on its own line, for whoever wrote the request. */
export const refusal = (problems: readonly Problem[]): InvalidRequestError =>
  new InvalidRequestError(
    `the request has ${problems.length === 1 ? "a problem" : `${problems.length} problems`}:\n${problems.map(({ path, problem }) => `- ${path === "" ? "request" : path}: ${problem}`).join("\n")}`,
    { problems },
  );

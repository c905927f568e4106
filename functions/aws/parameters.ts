import { DeleteParameterCommand, GetParameterCommand, GetParametersByPathCommand } from "@aws-sdk/client-ssm";
import type { Aws } from "./aws.ts";

export interface ParametersPort {
  remove(name: string): Promise<"deleted" | "absent">;
  /** The names of a cluster's parameters, of one generation or of all; their values are never read. */
  names(cluster: string, generation?: number): Promise<readonly string[]>;
  /** What a plain parameter such as a line holds; null when there is none. */
  value(name: string): Promise<string | null>;
}

const isAbsent = (error: unknown): boolean => error instanceof Error && error.name === "ParameterNotFound";
/** A generation has two parameters, a page holds ten, and a destroy takes at most fifty generations. */
const pagesMax = 20;

export const ssmParameters = ({ ssm }: Pick<Aws, "ssm">): ParametersPort => ({
  async remove(name) {
    try {
      await ssm.send(new DeleteParameterCommand({ Name: name }));
      return "deleted";
    } catch (error) {
      if (isAbsent(error)) return "absent";
      throw error;
    }
  },
  async names(cluster, generation) {
    const names: string[] = [];
    let token: string | undefined;
    for (let page = 0; page < pagesMax; page++) {
      const Path = `/cloister/${cluster}${generation === undefined ? "" : `/g${generation}`}`;
      const answer = await ssm.send(
        new GetParametersByPathCommand({ Path, Recursive: true, WithDecryption: false, MaxResults: 10, NextToken: token }),
      );
      names.push(...(answer.Parameters ?? []).map(({ Name = "" }) => Name));
      token = answer.NextToken;
      if (token === undefined) break;
    }
    return names;
  },
  async value(name) {
    try {
      const { Parameter } = await ssm.send(new GetParameterCommand({ Name: name }));
      return Parameter?.Value ?? null;
    } catch (error) {
      if (isAbsent(error)) return null;
      throw error;
    }
  },
});

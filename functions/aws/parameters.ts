import { DeleteParameterCommand, GetParameterCommand, GetParametersByPathCommand } from "@aws-sdk/client-ssm";
import type { Lock } from "../domain/lock.ts";
import { type ClusterParameter, parameterName } from "../domain/naming.ts";
import type { Aws } from "./aws.ts";

export interface ParametersPort {
  remove(lock: Lock, parameter: ClusterParameter): Promise<"deleted" | "absent">;
  /** The names of this generation's parameters; their values are never read. */
  names(lock: Lock): Promise<readonly string[]>;
  /** A plain parameter of the deployment, such as its default image; null when there is none. */
  value(name: string): Promise<string | null>;
}

const isAbsent = (error: unknown): boolean => error instanceof Error && error.name === "ParameterNotFound";
/** A generation has two parameters; a page holds ten. */
const pagesMax = 3;

export const ssmParameters = ({ ssm }: Pick<Aws, "ssm">): ParametersPort => ({
  async remove(lock, parameter) {
    try {
      await ssm.send(new DeleteParameterCommand({ Name: parameterName(lock, parameter) }));
      return "deleted";
    } catch (error) {
      if (isAbsent(error)) return "absent";
      throw error;
    }
  },
  async names(lock) {
    const names: string[] = [];
    let token: string | undefined;
    for (let page = 0; page < pagesMax; page++) {
      const path = `/cloister/${lock.cluster}/g${lock.generation}`;
      const answer = await ssm.send(
        new GetParametersByPathCommand({ Path: path, WithDecryption: false, MaxResults: 10, NextToken: token }),
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

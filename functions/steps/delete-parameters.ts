import { type ParametersPort, ssmParameters } from "../aws/parameters.ts";
import { parameterHolding } from "../domain/holdings.ts";
import { defineRemoval } from "../removal.ts";

/** The generations' parameters: what is left of a join, and the kubeconfig. */
export const deleteParameters = defineRemoval({
  name: "delete-parameters",
  deps: (aws) => ({ parameters: ssmParameters(aws) }),
  async list({ cluster, generations }, { parameters }: { parameters: ParametersPort }) {
    const names: string[] = [];
    for (const generation of generations) names.push(...(await parameters.names(cluster, generation)));
    return names.map(parameterHolding);
  },
  remove: (present, { parameters }, sweep) =>
    sweep.each(present, async ({ id }) => {
      await parameters.remove(id);
      return "asked";
    }),
});

export const { handler } = deleteParameters;

import { Api, defineCommandStep } from "../command-step.ts";
import { toFirstControlPlane } from "../domain/deliveries.ts";
import { parameterName } from "../domain/naming.ts";

/** The node mints the join secret and writes it to its SecureString itself; only the CA's hash comes back. */
export const captureJoin = defineCommandStep({
  name: "capture-join",
  document: "capture-join",
  extra: { api: Api },
  delivery: toFirstControlPlane,
  parameters: ({ lock, request }) => ({
    joinParameter: parameterName(lock, "join"),
    certificates: String(request.controlPlane.count > 1),
  }),
});

export const { handler } = captureJoin;
